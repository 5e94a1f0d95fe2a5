/// The escapes that JSON requires (RFC 8259, section 7): quotation mark, backslash and control characters. Everything else, also U+2028,
/// goes out as it is.
enum JSONEscape {
    /// Whether `text` has a byte that must be escaped. Looks at eight bytes at once, by subtractions that borrow from the top bit of
    /// exactly the bytes below a bound (the lowest such byte is never a false one, and any is enough here).
    static func isNeeded(in text: UnsafeRawBufferPointer) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var found: UInt64 = 0
        var offset = 0
        while offset + 8 <= text.count {
            let word = text.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            found |= (word &- ones &* 0x20) & ~word | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash
            offset += 8
        }
        if found & (ones &* 0x80) != 0 { return true }
        while offset < text.count {
            if isEscaped(text[offset]) { return true }
            offset += 1
        }
        return false
    }

    /// Length of `text` after escaping, in bytes.
    static func escapedCount(_ text: UnsafeRawBufferPointer) -> Int {
        var count = text.count
        guard isNeeded(in: text) else { return count }
        for byte in text where isEscaped(byte) { count += shortEscape(byte) == nil ? 5 : 1 }
        return count
    }

    /// Appends `text`, run by run of bytes that need no escape.
    static func append(_ text: UnsafeRawBufferPointer, to cursor: inout ByteCursor) {
        guard isNeeded(in: text) else { return cursor.append(text) }
        var start = 0
        for index in text.indices where isEscaped(text[index]) {
            cursor.append(UnsafeRawBufferPointer(rebasing: text[start..<index]))
            start = index + 1
            cursor.append(UInt8(ascii: "\\"))
            if let letter = shortEscape(text[index]) {
                cursor.append(letter)
            } else {
                cursor.append("u00")
                cursor.append(hexDigit(text[index] >> 4))
                cursor.append(hexDigit(text[index] & 0xF))
            }
        }
        cursor.append(UnsafeRawBufferPointer(rebasing: text[start...]))
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func shortEscape(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): byte
        case 0x08: UInt8(ascii: "b")
        case 0x09: UInt8(ascii: "t")
        case 0x0A: UInt8(ascii: "n")
        case 0x0C: UInt8(ascii: "f")
        case 0x0D: UInt8(ascii: "r")
        default: nil
        }
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? nibble + UInt8(ascii: "0") : nibble - 10 + UInt8(ascii: "a") }
}
