internal import OpenSSL

/// The name of one request in answers (`x-amzn-RequestId`), logs and the audit trail: 128 bits in the form of a random UUID.
package struct RequestID: Hashable, Sendable, CustomStringConvertible {
    /// Length of the text form, in bytes.
    static let textByteCount = 36

    private let high: UInt64
    private let low: UInt64

    init(high: UInt64, low: UInt64) {
        // Version 4 and variant 10 of RFC 9562.
        self.high = high & ~0xF000 | 0x4000
        self.low = low & ~(0b11 << 62) | (0b10 << 62)
    }

    /// A new id from the system's random generator.
    package static func random() -> RequestID {
        var generator = SecureRandom.Generator()
        return RequestID(high: generator.next(), low: generator.next())
    }

    /// 32 lower-case hexadecimal digits in groups of 8, 4, 4, 4 and 12.
    package var description: String {
        String(unsafeUninitializedCapacity: Self.textByteCount) {
            write(to: UnsafeMutableRawBufferPointer($0))
            return Self.textByteCount
        }
    }

    /// Writes the text form to the first ``textByteCount`` bytes of `output`.
    func write(to output: UnsafeMutableRawBufferPointer) {
        precondition(output.count >= Self.textByteCount, "there is room for the text form")
        var index = 0
        for nibble in 0..<32 {
            if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
                output[index] = UInt8(ascii: "-")
                index += 1
            }
            let word = nibble < 16 ? high : low
            let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (nibble & 15))) & 0xF
            output[index] = digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a")
            index += 1
        }
    }
}

/// Request ids of one connection: unique, not secret, and without a system call each (SplitMix64 over a random start).
struct RequestIDGenerator: Sendable {
    private var state: UInt64
    private let salt: UInt64

    init() {
        var random = SecureRandom.Generator()
        state = random.next()
        salt = random.next()
    }

    mutating func next() -> RequestID {
        RequestID(high: nextWord() ^ salt, low: nextWord())
    }

    private mutating func nextWord() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
