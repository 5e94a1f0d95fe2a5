internal import Glibc

/// The system's clock of the day. It may jump: consensus and deadlines use another one.
enum WallClock {
    /// Milliseconds since 1970.
    static var milliseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// Seconds since 1970.
    static var seconds: Int64 { milliseconds / 1000 }
}
