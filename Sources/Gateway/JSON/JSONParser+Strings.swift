internal import OpenSSL

extension JSONParser {
    /// What the first pass over a string found.
    private struct StringMeasure {
        /// The bytes between the quotation marks.
        let content: Range<Int>
        /// Length after unescaping, in bytes of UTF-8.
        let byteCount: Int
        var hasEscapes: Bool { byteCount != content.count }
    }

    /// Reads a string from its opening to its closing quotation mark.
    mutating func parseString() throws(JSONError) -> String {
        let measure = try measureString()
        let text = text
        return String(unsafeUninitializedCapacity: measure.byteCount) { output in
            Self.decode(text, measure, into: UnsafeMutableRawBufferPointer(output))
            return measure.byteCount
        }
    }

    /// Reads a string into memory that is wiped; nothing else ever holds it unescaped.
    mutating func parseSecretString() throws(JSONError) -> SecretBytes {
        let measure = try measureString()
        let text = text
        return SecretBytes(count: measure.byteCount) { Self.decode(text, measure, into: $0) }
    }

    /// First pass: checks everything and computes the length, so that the second pass writes into memory of the right size.
    private mutating func measureString() throws(JSONError) -> StringMeasure {
        position += 1
        let start = position
        var byteCount = 0
        while true {
            let byte = try peek()
            switch byte {
            case UInt8(ascii: "\""):
                let content = start..<position
                position += 1
                examinedByteCount += content.count + byteCount
                return StringMeasure(content: content, byteCount: byteCount)
            case UInt8(ascii: "\\"): byteCount += try measureEscape()
            case 0..<0x20: throw failure(.controlCharacter)
            case 0x20..<0x80:
                byteCount += 1
                position += 1
            default:
                let length = try checkedSequenceLength(byte)
                byteCount += length
                position += length
            }
        }
    }

    /// Length of the UTF-8 sequence that begins here (the table of RFC 3629, section 4: no overlong form, no surrogate, nothing past U+10FFFF).
    private func checkedSequenceLength(_ first: UInt8) throws(JSONError) -> Int {
        let (length, second): (Int, ClosedRange<UInt8>) =
            switch first {
            case 0xC2...0xDF: (2, 0x80...0xBF)
            case 0xE0: (3, 0xA0...0xBF)
            case 0xE1...0xEC, 0xEE...0xEF: (3, 0x80...0xBF)
            case 0xED: (3, 0x80...0x9F)
            case 0xF0: (4, 0x90...0xBF)
            case 0xF1...0xF3: (4, 0x80...0xBF)
            case 0xF4: (4, 0x80...0x8F)
            default: throw failure(.malformedUTF8)
            }
        guard text.count - position >= length, second.contains(text[position + 1]) else { throw failure(.malformedUTF8) }
        for index in position + 2..<position + max(length, 2) where text[index] & 0xC0 != 0x80 { throw failure(.malformedUTF8) }
        return length
    }

    /// Checks the escape sequence that begins here and takes it.
    ///
    /// - Returns: Number of bytes it stands for.
    private mutating func measureEscape() throws(JSONError) -> Int {
        let start = position
        position += 1
        let letter = try peek()
        position += 1
        guard letter == UInt8(ascii: "u") else {
            guard Self.simpleEscape(letter) != nil else { throw failure(.malformedEscape, at: start) }
            return 1
        }
        let unit = try takeHexQuad(escapeAt: start)
        switch unit {
        case 0xD800..<0xDC00:
            guard text.count - position >= 2, text[position] == UInt8(ascii: "\\"), text[position + 1] == UInt8(ascii: "u") else {
                throw failure(.loneSurrogate, at: start)
            }
            position += 2
            guard 0xDC00..<0xE000 ~= (try takeHexQuad(escapeAt: start)) else { throw failure(.loneSurrogate, at: start) }
            return 4
        case 0xDC00..<0xE000: throw failure(.loneSurrogate, at: start)
        case 0..<0x80: return 1
        case 0x80..<0x800: return 2
        default: return 3
        }
    }

    private mutating func takeHexQuad(escapeAt start: Int) throws(JSONError) -> UInt32 {
        guard text.count - position >= 4 else { throw failure(.unexpectedEnd, at: text.count) }
        guard let unit = Self.hexQuad(text, at: position) else { throw failure(.malformedEscape, at: start) }
        position += 4
        return unit
    }

    private static func hexQuad(_ text: UnsafeRawBufferPointer, at position: Int) -> UInt32? {
        var unit: UInt32 = 0
        for index in position..<position + 4 {
            guard let digit = HTTPCharacters.hexValue(text[index]) else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }

    private static func simpleEscape(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: nil
        }
    }

    /// Second pass: writes the string that ``measureString()`` has accepted.
    private static func decode(_ text: UnsafeRawBufferPointer, _ measure: StringMeasure, into output: UnsafeMutableRawBufferPointer) {
        guard measure.hasEscapes else {
            output.copyMemory(from: UnsafeRawBufferPointer(rebasing: text[measure.content]))
            return
        }
        var (input, written) = (measure.content.lowerBound, 0)
        while input < measure.content.upperBound {
            let byte = text[input]
            guard byte == UInt8(ascii: "\\") else {
                output[written] = byte
                input += 1
                written += 1
                continue
            }
            let letter = text[input + 1]
            input += 2
            if let character = simpleEscape(letter) {
                output[written] = character
                written += 1
                continue
            }
            var scalar = hexQuad(text, at: input) ?? 0
            input += 4
            if scalar & 0xF800 == 0xD800 {
                scalar = 0x10000 + (scalar & 0x3FF) << 10 + ((hexQuad(text, at: input + 2) ?? 0) & 0x3FF)
                input += 6
            }
            written += encode(scalar, into: output, at: written)
        }
        precondition(written == measure.byteCount, "both passes agree about the length")
    }

    /// Writes one scalar value as UTF-8 and returns the number of bytes.
    private static func encode(_ scalar: UInt32, into output: UnsafeMutableRawBufferPointer, at index: Int) -> Int {
        func continuation(_ shift: UInt32) -> UInt8 { UInt8(0x80 | scalar >> shift & 0x3F) }
        switch scalar {
        case 0..<0x80:
            output[index] = UInt8(scalar)
            return 1
        case 0x80..<0x800:
            output[index] = UInt8(0xC0 | scalar >> 6)
            output[index + 1] = continuation(0)
            return 2
        case 0x800..<0x10000:
            output[index] = UInt8(0xE0 | scalar >> 12)
            output[index + 1] = continuation(6)
            output[index + 2] = continuation(0)
            return 3
        default:
            output[index] = UInt8(0xF0 | scalar >> 18)
            output[index + 1] = continuation(12)
            output[index + 2] = continuation(6)
            output[index + 3] = continuation(0)
            return 4
        }
    }
}
