import Raft

/// What one node's monotonic clock shows: its own origin, its own rate, and forward jumps.
struct NodeClock: Sendable {
    private var origin: UInt64
    /// Millionths by which it runs fast (or slow, when negative).
    private let driftPerMillion: Int64

    init(origin: UInt64, driftPerMillion: Int) {
        self.origin = origin
        self.driftPerMillion = Int64(driftPerMillion)
    }

    private var rate: UInt64 { UInt64(1_000_000 + driftPerMillion) }

    func reading(at now: VirtualTime) -> Instant {
        Instant(nanoseconds: origin + now.nanoseconds / 1_000 * rate / 1_000 + now.nanoseconds % 1_000)
    }

    /// The first moment at which the clock shows `instant` or more.
    func time(of instant: Instant) -> VirtualTime {
        guard instant.nanoseconds > origin else { return .zero }
        return VirtualTime(nanoseconds: ((instant.nanoseconds - origin) * 1_000 / rate + 2) * 1_000)
    }

    /// The clock skips a stretch, as after a suspension that it counted.
    mutating func jump(_ interval: Interval) { origin += interval.nanoseconds }
}
