import NIOCore

/// How long to wait before the next attempt: doubles from `least` to `most`, each time shortened by up to a half at random so that nodes
/// that lost each other at the same moment do not come back at the same moment.
struct Backoff {
    let least: TimeAmount
    let most: TimeAmount
    private var next: TimeAmount

    init(from least: TimeAmount, to most: TimeAmount) {
        self.least = least
        self.most = most
        next = least
    }

    mutating func delay(using random: inout some RandomNumberGenerator) -> TimeAmount {
        let full = next
        next = min(full * 2, most)
        return .nanoseconds(Int64.random(in: full.nanoseconds / 2...full.nanoseconds, using: &random))
    }

    /// The next wait is the shortest again.
    mutating func reset() { next = least }
}
