/// Text of a caller, made fit to be shown in an error message or a log line.
enum CallerText {
    /// Longest stretch of a caller's bytes that an answer repeats.
    static let echoedByteCountMax = 256

    /// The bytes of `range`, cut at ``echoedByteCountMax``; quotes and backslashes get a backslash before them, everything that
    /// is not printable ASCII becomes `\xNN`.
    static func escaped(_ range: Range<Int>, of source: RawSpan) -> String {
        let hexDigits: StaticString = "0123456789abcdef"
        var text: [UInt8] = []
        text.reserveCapacity(min(range.count, echoedByteCountMax))
        for i in range.prefix(echoedByteCountMax) {
            let byte = source.byte(at: i)
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text.append(UInt8(ascii: "\\"))
                text.append(byte)
            case 0x20..<0x7f:
                text.append(byte)
            default:
                text.append("\\x")
                text.append(hexDigits.utf8Start[Int(byte >> 4)])
                text.append(hexDigits.utf8Start[Int(byte & 0xf)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
