internal import Glibc

/// Reading ASCII text inside received bytes, without making strings of it.
extension RawSpan {
    /// The byte at `offset`; traps when it lies outside.
    func byte(at offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

    /// Whether the bytes of `range` are exactly `literal`.
    func isEqual(_ range: Range<Int>, to literal: StaticString) -> Bool {
        range.count == literal.utf8CodeUnitCount && starts(range, with: literal)
    }

    /// Whether the bytes of `range` begin with `prefix`.
    func starts(_ range: Range<Int>, with prefix: StaticString) -> Bool {
        guard range.count >= prefix.utf8CodeUnitCount else { return false }
        return extracting(range).withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return true }
            return memcmp(start, prefix.utf8Start, prefix.utf8CodeUnitCount) == 0
        }
    }

    /// Whether the bytes of `range` are exactly those of `otherRange` in `other`.
    func isEqual(_ range: Range<Int>, to otherRange: Range<Int>, of other: RawSpan) -> Bool {
        guard range.count == otherRange.count else { return false }
        return extracting(range).withUnsafeBytes { a in
            other.extracting(otherRange).withUnsafeBytes { b in
                guard let a = a.baseAddress, let b = b.baseAddress else { return true }
                return memcmp(a, b, range.count) == 0
            }
        }
    }

    /// Whether the bytes of `range` are exactly `expected`.
    func isEqual(_ range: Range<Int>, to expected: [UInt8]) -> Bool {
        isEqual(range, to: 0..<expected.count, of: expected.span.bytes)
    }

    /// Whether the bytes of `a` sort strictly before those of `b`.
    func isOrdered(_ a: Range<Int>, before b: Range<Int>) -> Bool {
        for i in 0..<Swift.min(a.count, b.count) {
            let (x, y) = (byte(at: a.lowerBound + i), byte(at: b.lowerBound + i))
            if x != y { return x < y }
        }
        return a.count < b.count
    }

    /// Where `wanted` first occurs in `range`.
    func firstOffset(of wanted: UInt8, in range: Range<Int>) -> Int? {
        extracting(range).withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, let found = memchr(start, CInt(wanted), bytes.count) else { return nil }
            return range.lowerBound + (UnsafeRawPointer(found) - start)
        }
    }

    /// The pieces of `range` between separators; empty pieces count. At most `countMax` of them, the last then holding the rest.
    func pieces(of range: Range<Int>, at separator: UInt8, countMax: Int) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = range.lowerBound
        while pieces.count + 1 < countMax, let end = firstOffset(of: separator, in: start..<range.upperBound) {
            pieces.append(start..<end)
            start = end + 1
        }
        pieces.append(start..<range.upperBound)
        return pieces
    }
}

extension [UInt8] {
    /// Appends the bytes of `range` of `source`.
    mutating func append(_ range: Range<Int>, of source: RawSpan) {
        source.extracting(range).withUnsafeBytes { append(contentsOf: $0) }
    }

    /// Appends the bytes of `text`.
    mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

/// Bytes with a meaning in the texts of SigV4.
enum ASCII {
    static let tab = UInt8(ascii: "\t")
    static let newline = UInt8(ascii: "\n")
    static let blank = UInt8(ascii: " ")
    static let percent = UInt8(ascii: "%")
    static let ampersand = UInt8(ascii: "&")
    static let comma = UInt8(ascii: ",")
    static let dot = UInt8(ascii: ".")
    static let slash = UInt8(ascii: "/")
    static let colon = UInt8(ascii: ":")
    static let semicolon = UInt8(ascii: ";")
    static let equals = UInt8(ascii: "=")

    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
    static func isUpperCase(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "A") < 26 }
    static func isLowerCase(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "a") < 26 }
    static func isLetterOrDigit(_ byte: UInt8) -> Bool { isUpperCase(byte) || isLowerCase(byte) || isDigit(byte) }
    static func lowerCased(_ byte: UInt8) -> UInt8 { isUpperCase(byte) ? byte | 0x20 : byte }

    /// `A-Z a-z 0-9 - _ . ~`, which percent encoding leaves alone (RFC 3986, 2.3).
    static func isUnreserved(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == dot || byte == UInt8(ascii: "~")
    }
}
