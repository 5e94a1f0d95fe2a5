internal import OpenSSL

/// The rules of GetRandomPassword (behaviour 3.17), apart from the wire.
struct RandomPasswordRecipe: Sendable {
    /// The four classes of characters, in the order of the model's Exclude members.
    enum Class: CaseIterable, Sendable {
        case lowercase
        case uppercase
        case numbers
        case punctuation

        /// The characters of the class. Punctuation is the 32 of ASCII.
        var characters: [UInt8] {
            switch self {
            case .lowercase: Array(UInt8(ascii: "a")...UInt8(ascii: "z"))
            case .uppercase: Array(UInt8(ascii: "A")...UInt8(ascii: "Z"))
            case .numbers: Array(UInt8(ascii: "0")...UInt8(ascii: "9"))
            case .punctuation: [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E].flatMap { (range: ClosedRange<UInt8>) in Array(range) }
            }
        }
    }

    let length: Int
    /// One character of each of these is in every password: the classes that are not switched off, unless
    /// RequireEachIncludedType is false. The space is never required.
    private let required: [[UInt8]]
    /// What the other characters are drawn from.
    private let pool: [UInt8]

    /// - Throws: InvalidParameterException when nothing can be drawn by these rules. Which fault is named first when several apply is not
    ///   known: the emptiest choice here.
    init(
        length: Int, classes: [Class], includesSpace: Bool, excluding excluded: String, requiresEachClass: Bool
    ) throws(APIError) {
        let excluded = Set(excluded.utf8)
        let remaining = classes.map { $0.characters.filter { !excluded.contains($0) } }
        let space = includesSpace && !excluded.contains(UInt8(ascii: " ")) ? [UInt8(ascii: " ")] : []
        pool = remaining.flatMap { $0 } + space
        required = requiresEachClass ? remaining : []
        self.length = length
        guard !pool.isEmpty else { throw APIError(.invalidParameter, "All characters have been excluded from selection") }
        guard required.allSatisfy({ !$0.isEmpty }) else {
            throw APIError(.invalidParameter, "All characters of the desired type have been excluded")
        }
        guard length >= required.count else {
            throw APIError(.invalidParameter, "Password length is too short based on the required types")
        }
    }

    /// Draws a password. Every draw is uniform, and so is the order: no position tells a character's class.
    func password(using generator: inout some RandomNumberGenerator) -> SecretBytes {
        SecretBytes(count: length) { password in
            for index in 0..<length {
                let choices = index < required.count ? required[index] : pool
                password[index] = choices[Int(generator.next(upperBound: UInt64(choices.count)))]
            }
            // Fisher and Yates; in place, so that no copy is left behind.
            for index in stride(from: length - 1, to: 0, by: -1) {
                password.swapAt(index, Int(generator.next(upperBound: UInt64(index + 1))))
            }
        }
    }
}

/// Random words in batches: one call of the system's generator for 64 of them. What is drawn decides passwords, so the batch is wiped.
struct BatchedRandom: RandomNumberGenerator {
    private static let batchWords = 64
    private var batch = SecretBytes(count: 0) { _ in }
    private var position = Self.batchWords

    mutating func next() -> UInt64 {
        if position == Self.batchWords {
            batch = .random(count: Self.batchWords * 8)
            position = 0
        }
        defer { position += 1 }
        return batch.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position * 8, as: UInt64.self) }
    }
}
