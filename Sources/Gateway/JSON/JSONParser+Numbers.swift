extension JSONParser {
    /// Reads a number (RFC 8259, section 6) as text. Negative zero is refused: no member means anything by it, and readers disagree
    /// whether it is an integer.
    mutating func parseNumber() throws(JSONError) -> JSONNumber {
        let start = position
        let isNegative = try peek() == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let isZero = position < text.count && text[position] == UInt8(ascii: "0")
        var digits = try takeDigits(from: start)
        guard !isZero || digits.count == 1 else { throw failure(.malformedNumber, at: start) }
        var hasValue = !isZero
        if position < text.count, text[position] == UInt8(ascii: ".") {
            position += 1
            digits = try takeDigits(from: start)
            hasValue = hasValue || digits.contains { text[$0] != UInt8(ascii: "0") }
        }
        if position < text.count, text[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < text.count, text[position] == UInt8(ascii: "+") || text[position] == UInt8(ascii: "-") { position += 1 }
            digits = try takeDigits(from: start)
            guard digits.count <= limits.exponentDigits else { throw failure(.malformedNumber, at: start) }
        }
        guard hasValue || !isNegative else { throw failure(.malformedNumber, at: start) }
        return JSONNumber(text: String(decoding: UnsafeRawBufferPointer(rebasing: text[start..<position]), as: UTF8.self))
    }

    /// Takes one digit or more.
    private mutating func takeDigits(from start: Int) throws(JSONError) -> Range<Int> {
        let first = position
        while position < text.count, HTTPCharacters.isDigit(text[position]) {
            position += 1
            guard position - start <= limits.numberBytes else { throw failure(.malformedNumber, at: start) }
        }
        guard position > first else { throw failure(position < text.count ? .malformedNumber : .unexpectedEnd, at: start) }
        return first..<position
    }
}
