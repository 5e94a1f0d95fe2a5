/// The `CanonicalURI` of SigV4, as every service but S3 has it.
enum CanonicalPath {
    /// Appends the canonical form of the path at `range`.
    ///
    /// Empty and `.` segments go, `..` takes one segment back (never above the root), a last slash stays, also one that `.` or `..`
    /// leaves behind. Then every byte but the unreserved ones and `/` is percent-encoded; a `%` that came over the wire becomes `%25`.
    static func append(_ range: Range<Int>, of source: RawSpan, to text: inout [UInt8]) {
        // What every request to an AWS JSON service has.
        if source.isEqual(range, to: "/") { return text.append(ASCII.slash) }
        var segments: [Range<Int>] = []
        var endsWithSlash = false
        for segment in source.pieces(of: range, at: ASCII.slash, countMax: .max) {
            endsWithSlash = true
            if segment.isEmpty || source.isEqual(segment, to: ".") { continue }
            if source.isEqual(segment, to: "..") {
                segments.removeLast(segments.isEmpty ? 0 : 1)
                continue
            }
            endsWithSlash = false
            segments.append(segment)
        }
        for segment in segments {
            text.append(ASCII.slash)
            for i in segment { PercentEncoding.append(source.byte(at: i), to: &text) }
        }
        if endsWithSlash || segments.isEmpty { text.append(ASCII.slash) }
    }
}

/// Percent encoding as SigV4 wants it (RFC 3986 with upper-case digits).
enum PercentEncoding {
    private static let hexDigits: StaticString = "0123456789ABCDEF"

    /// Appends `byte`, encoded unless it is unreserved.
    static func append(_ byte: UInt8, to text: inout [UInt8]) {
        guard !ASCII.isUnreserved(byte) else { return text.append(byte) }
        text.append(ASCII.percent)
        text.append(hexDigits.utf8Start[Int(byte >> 4)])
        text.append(hexDigits.utf8Start[Int(byte & 0xf)])
    }

    /// The value of a hexadecimal digit of either case.
    static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
