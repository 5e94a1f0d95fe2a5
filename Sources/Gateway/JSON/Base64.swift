package import OpenSSL

/// Base64 in the standard alphabet with padding (RFC 4648, section 4), between memory that is wiped. No copy in between, no table lookup:
/// which cache lines are touched does not depend on a secret.
package enum Base64 {
    private static let padding = UInt8(ascii: "=")

    /// Length of the text for `count` bytes.
    package static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Decodes a text strictly: padding in full, no blanks or line ends, no bits set that no byte uses.
    ///
    /// - Returns: Nil when the text is anything else.
    package static func decode(_ text: SecretBytes) -> SecretBytes? { text.withUnsafeBytes { decode($0) } }

    /// Decodes a text strictly; see ``decode(_:)-(SecretBytes)``.
    package static func decode(_ text: RawSpan) -> SecretBytes? { text.withUnsafeBytes { decode($0) } }

    private static func decode(_ text: UnsafeRawBufferPointer) -> SecretBytes? {
        guard text.count.isMultiple(of: 4) else { return nil }
        guard !text.isEmpty else { return SecretBytes(count: 0) { _ in } }
        let paddingCount = text[text.count - 1] != padding ? 0 : text[text.count - 2] != padding ? 1 : 2
        var isValid = true
        let bytes = SecretBytes(count: text.count / 4 * 3 - paddingCount) { output in
            isValid = decode(text, paddingCount: paddingCount, into: output)
        }
        return isValid ? bytes : nil
    }

    private static func decode(_ text: UnsafeRawBufferPointer, paddingCount: Int, into output: UnsafeMutableRawBufferPointer) -> Bool {
        var written = 0
        var invalid: UInt32 = 0
        for start in stride(from: 0, to: text.count, by: 4) {
            let missing = start + 4 == text.count ? paddingCount : 0
            var group: UInt32 = 0
            for index in 0..<4 {
                let digit = index < 4 - missing ? value(of: text[start + index]) : 0
                invalid |= digit & ~63
                group = group << 6 | digit & 63
            }
            for index in 0..<3 {
                let byte = UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * index))
                if index < 3 - missing {
                    output[written] = byte
                    written += 1
                } else {
                    invalid |= UInt32(byte)
                }
            }
        }
        return invalid == 0
    }

    /// The value of a digit, or all bits set: sums of masks, one of which at most is not zero.
    private static func value(of byte: UInt8) -> UInt32 {
        let character = UInt32(byte)
        func isIn(_ first: UInt32, _ last: UInt32) -> UInt32 {
            // All ones if first <= character <= last: both differences are not negative then.
            ((character &- first) | (last &- character)) >> 31 &- 1
        }
        let upper = isIn(65, 90), lower = isIn(97, 122), digit = isIn(48, 57), plus = isIn(43, 43), slash = isIn(47, 47)
        let value =
            upper & (character &- 65) | lower & (character &- 71) | digit & (character &+ 4) | plus & 62 | slash & 63
        return value | ~(upper | lower | digit | plus | slash)
    }

    /// Encodes `bytes` into exactly ``encodedCount(_:)`` bytes of output.
    static func encode(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) {
        precondition(output.count == encodedCount(bytes.count), "the size was computed from the same count")
        var written = 0
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group: UInt32 = 0
            for index in 0..<3 { group = group << 8 | (index < count ? UInt32(bytes[start + index]) : 0) }
            for index in 0..<4 {
                output[written] = index <= count ? character(of: group >> UInt32(18 - 6 * index) & 63) : padding
                written += 1
            }
        }
    }

    /// The digit for a value below 64: a base character plus corrections for each range that the value has passed.
    private static func character(of value: UInt32) -> UInt8 {
        func isAtLeast(_ bound: UInt32) -> UInt32 { (value &- bound) >> 31 &- 1 }
        let character =
            value &+ 65 &+ (isAtLeast(26) & 6) &- (isAtLeast(52) & 75) &- (isAtLeast(62) & 15) &+ (isAtLeast(63) & 3)
        return UInt8(truncatingIfNeeded: character)
    }
}
