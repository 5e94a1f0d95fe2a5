import Raft

/// A small seeded generator (SplitMix64): the same numbers on every machine and in every Swift version. A world has exactly one, so
/// its seed decides everything.
package struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high) }
    mutating func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }
    mutating func chance(perMille: Int) -> Bool { below(1_000) < perMille }
    mutating func chance(perMillion: Int) -> Bool { below(1_000_000) < perMillion }

    /// - Precondition: `elements` is not empty.
    mutating func one<Element>(of elements: [Element]) -> Element { elements[below(elements.count)] }
    mutating func pick<Element>(_ elements: [Element]) -> Element? { elements.isEmpty ? nil : one(of: elements) }

    mutating func shuffle<Element>(_ elements: inout [Element]) {
        for last in elements.indices.dropFirst().reversed() { elements.swapAt(last, below(last + 1)) }
    }

    /// An interval between nothing and twice `mean`.
    mutating func around(_ mean: Interval) -> Interval {
        Interval(nanoseconds: next().multipliedFullWidth(by: 2 * mean.nanoseconds + 1).high)
    }

    mutating func between(_ least: Interval, _ most: Interval) -> Interval {
        Interval(nanoseconds: least.nanoseconds + next().multipliedFullWidth(by: most.nanoseconds - least.nanoseconds + 1).high)
    }
}
