/// Which operations have their place in the order: a set of small numbers, with a short canonical form.
///
/// Operations are placed nearly in the order of their calls, so the set is all of 0 ..< n but for a few around its upper end. The form leaves the
/// full words at the beginning out, and the empty ones at the end.
struct PlacedSet {
    struct Form: Hashable {
        let fullWordCount: Int
        let words: [UInt64]
    }

    private var words: [UInt64]
    private var fullWordCount = 0
    /// No word from here on has a member.
    private var end = 0

    init(capacity: Int) { words = Array(repeating: 0, count: (capacity + 63) / 64) }

    mutating func insert(_ number: Int) {
        words[number >> 6] |= 1 << UInt64(number & 63)
        while fullWordCount < words.count, words[fullWordCount] == .max { fullWordCount += 1 }
        end = max(end, number >> 6 + 1)
    }

    mutating func remove(_ number: Int) {
        words[number >> 6] &= ~(1 << UInt64(number & 63))
        fullWordCount = min(fullWordCount, number >> 6)
        while end > 0, words[end - 1] == 0 { end -= 1 }
    }

    var form: Form { Form(fullWordCount: fullWordCount, words: Array(words[min(fullWordCount, end)..<end])) }
}
