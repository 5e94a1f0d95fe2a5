import NIOCore

/// Lets through one line a second of each kind: a stranger must not fill the disk with our log.
struct RateLimiter {
    static let interval: TimeAmount = .seconds(1)

    private var kinds: [String: (last: NIODeadline, suppressed: Int)] = [:]

    /// - Parameter kind: From a closed set.
    /// - Returns: How many lines of this kind were suppressed since the last one; `nil` when this one is to be, too.
    mutating func admit(_ kind: String, now: NIODeadline) -> Int? {
        if let seen = kinds[kind], now < seen.last + Self.interval {
            kinds[kind] = (seen.last, seen.suppressed + 1)
            return nil
        }
        let suppressed = kinds[kind]?.suppressed ?? 0
        kinds[kind] = (now, 0)
        return suppressed
    }
}
