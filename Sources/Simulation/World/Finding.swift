package import Raft

/// A promise that a run broke.
package struct Finding: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which promise, in words that stay the same for the same kind of failure: "V1 election safety".
    package let rule: String
    package let node: NodeID?
    package let time: VirtualTime
    package let text: String

    package init(rule: String, node: NodeID? = nil, time: VirtualTime, text: String) {
        self.rule = rule
        self.node = node
        self.time = time
        self.text = text
    }

    package var description: String { "\(rule): \(node.map { "node \($0), " } ?? "")\(time): \(text)" }
}

/// A moment of the simulated world, in nanoseconds since it began. No node can see it; nodes have clocks of their own.
package struct VirtualTime: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static let zero = VirtualTime(nanoseconds: 0)
    package static func + (a: Self, b: Interval) -> Self { Self(nanoseconds: a.nanoseconds + b.nanoseconds) }
    package static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Seconds with six decimals, without a rounding that could differ between machines.
    package var description: String {
        let micros = String(nanoseconds / 1_000 % 1_000_000)
        return "\(nanoseconds / 1_000_000_000).\(String(repeating: "0", count: 6 - micros.count))\(micros)s"
    }
}
