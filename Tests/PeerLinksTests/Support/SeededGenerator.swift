/// SplitMix64: the same seed, the same run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
    mutating func flag() -> Bool { Bool.random(using: &self) }
    mutating func bytes(below bound: Int) -> [UInt8] { (0..<below(bound)).map { _ in UInt8(truncatingIfNeeded: next()) } }

    /// Small, large, or at the edge of what may be counted.
    mutating func counter() -> UInt64 {
        switch below(4) {
        case 0: 0
        case 1: UInt64(below(1_000))
        case 2: next() >> 1
        default: UInt64(Int64.max)
        }
    }
}
