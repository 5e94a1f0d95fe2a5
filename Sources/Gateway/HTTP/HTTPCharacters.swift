internal import Glibc

/// Classes of bytes in HTTP/1.1 (RFC 9110, section 5.6; RFC 3986), as bit sets over ASCII: no table in memory, no branch per class.
enum HTTPCharacters {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let percent = UInt8(ascii: "%")
    static let colon = UInt8(ascii: ":")

    // Constants and not built from text, so that no access has to check whether they exist yet. A test compares them with the grammar.
    private static let tokens = ASCIISet(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)
    private static let targets = ASCIISet(low: 0xAFFF_FFF2_0000_0000, high: 0x47FF_FFFE_AFFF_FFFF)
    private static let hosts = ASCIISet(low: 0x03FF_6000_0000_0000, high: 0x07FF_FFFE_87FF_FFFE)

    /// A byte of a header name or a method: letters, digits and `!#$%&'*+-.^_`|~`.
    static func isToken(_ byte: UInt8) -> Bool { tokens.contains(byte) }
    /// A byte of a path or query: what RFC 3986 allows there, and brackets, which some clients do not encode.
    static func isTarget(_ byte: UInt8) -> Bool { targets.contains(byte) }
    /// A byte of a domain name or an IPv4 address.
    static func isHost(_ byte: UInt8) -> Bool { hosts.contains(byte) }
    /// A byte of a header value: blank, visible, or outside ASCII (kept as it is, RFC 9110 `obs-text`). Not CR, LF, NUL or DEL.
    static func isFieldValue(_ byte: UInt8) -> Bool { byte >= space ? byte != 0x7F : byte == tab }
    /// Whether all bytes are ``isFieldValue(_:)``. Looks at eight bytes at once, as almost all of a request are values.
    static func areFieldValue(_ bytes: UnsafePointer<UInt8>, _ range: Range<Int>) -> Bool {
        let high: UInt64 = 0x8080_8080_8080_8080
        var index = range.lowerBound
        while range.upperBound - index >= 8 {
            let word = UnsafeRawPointer(bytes + index).loadUnaligned(as: UInt64.self)
            // A high bit of the first term: a byte below a blank. Of the second: a DEL (a byte that is zero after the exclusive or). Borrows
            // only ever add suspects, which are then looked at one by one.
            let deletes = word ^ 0x7F7F_7F7F_7F7F_7F7F
            let suspects = ((word &- 0x2020_2020_2020_2020) & ~word) | ((deletes &- 0x0101_0101_0101_0101) & ~deletes)
            if suspects & high != 0 {
                for index in index..<index + 8 where !isFieldValue(bytes[index]) { return false }
            }
            index += 8
        }
        for index in index..<range.upperBound where !isFieldValue(bytes[index]) { return false }
        return true
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }
    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte }

    /// The value of a hexadecimal digit of either case.
    static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte - UInt8(ascii: "0") }
        let letter = byte | 0x20
        return letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "f") ? letter - UInt8(ascii: "a") + 10 : nil
    }
}

/// A set of ASCII characters in 128 bits.
private struct ASCIISet: Sendable {
    let low: UInt64
    let high: UInt64

    func contains(_ byte: UInt8) -> Bool {
        guard byte < 128 else { return false }
        return (byte < 64 ? low >> UInt64(byte) : high >> UInt64(byte - 64)) & 1 == 1
    }
}

extension UnsafePointer<UInt8> {
    /// Whether the `count` bytes from here are exactly `text`.
    func equals(_ text: StaticString, count: Int) -> Bool {
        count == text.utf8CodeUnitCount && memcmp(self, text.utf8Start, count) == 0
    }

    /// Whether the `count` bytes from here are `lowercasedText`, letters of either case.
    func equalsIgnoringCase(_ lowercasedText: StaticString, count: Int) -> Bool {
        guard count == lowercasedText.utf8CodeUnitCount else { return false }
        let text = lowercasedText.utf8Start
        return (0..<count).allSatisfy { HTTPCharacters.lowercased(self[$0]) == text[$0] }
    }
}
