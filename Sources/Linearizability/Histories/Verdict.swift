package enum Verdict<Key: Hashable & Comparable & Sendable>: Sendable {
    case linearizable
    case violation(Witness<Key>)
    /// No violation was found, and the search of these keys was given up. A run with such a result was designed badly, and counts as failed.
    case undecided([Key])
}

/// Why a key's operations have no order: the longest one that could be found, and the operation at which it ends.
package struct Witness<Key: Hashable & Comparable & Sendable>: Sendable, CustomStringConvertible {
    package let key: Key
    /// Positions in the history, in the order in which they take effect.
    package let prefix: [Int]
    /// The operation that cannot be placed: what may come next is called before it returns, and neither it fits nor what then follows.
    package let blocked: Int
    package let description: String

    init<M: Model>(key: Key, _ deadEnd: DeadEnd<M.State>, _ history: History<Key, M>) {
        self.key = key
        prefix = deadEnd.prefix
        blocked = deadEnd.blocked
        let shown = 12
        var lines = ["key \(key): no order explains the answers. The longest one that does, \(prefix.count) operations:"]
        if prefix.count > shown { lines.append("  ... \(prefix.count - shown) before") }
        for number in prefix.suffix(shown) { lines.append("  #\(number) \(history.operations[number])") }
        lines.append("leads to \(deadEnd.state). This cannot come next, and nothing that overlaps it helps:")
        lines.append("  #\(blocked) \(history.operations[blocked])")
        for number in deadEnd.candidates where number != blocked { lines.append("  (#\(number) \(history.operations[number]))") }
        description = lines.joined(separator: "\n")
    }
}
