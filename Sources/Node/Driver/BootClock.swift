internal import Glibc
internal import Raft

/// The clock of the core: monotonic, and going on while the machine is suspended, as leases and time-outs want it.
enum BootClock {
    static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}
