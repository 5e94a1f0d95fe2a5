/// 32 bytes of SHA-256 or HMAC-SHA-256, held without an allocation. Not secret by itself.
package struct Digest: Hashable, Sendable {
    /// Length, in bytes.
    package static let byteCount = 32
    private static let hexDigits: StaticString = "0123456789abcdef"

    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// Lets `body` write the 32 bytes.
    init(_ body: (UnsafeMutableRawBufferPointer) -> Void) {
        withUnsafeMutableBytes(of: &words, body)
    }

    /// - Precondition: `bytes32` has exactly 32 bytes.
    package init(bytes32: RawSpan) {
        precondition(bytes32.byteCount == Self.byteCount, "a digest has 32 bytes")
        bytes32.withUnsafeBytes { source in withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: source) } }
    }

    /// Reads exactly 64 lower-case hexadecimal digits; `nil` for anything else.
    package init?(hex: RawSpan) {
        guard hex.byteCount == 2 * Self.byteCount else { return nil }
        let isHex = hex.withUnsafeBytes { source in
            withUnsafeMutableBytes(of: &words) { destination in
                for i in 0..<Self.byteCount {
                    guard let high = Self.nibble(source[2 * i]), let low = Self.nibble(source[2 * i + 1]) else { return false }
                    destination[i] = high << 4 | low
                }
                return true
            }
        }
        guard isHex else { return nil }
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// Lends the 32 bytes for the length of `body`.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try Swift.withUnsafeBytes(of: words, body)
    }

    /// The 32 bytes.
    package var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

    /// Appends the 32 bytes.
    package func append(to bytes: inout [UInt8]) {
        withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    /// 64 lower-case hexadecimal digits.
    package var hex: String {
        var text: [UInt8] = []
        appendHex(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends 64 lower-case hexadecimal digits.
    package func appendHex(to text: inout [UInt8]) {
        withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * Self.byteCount) { hex in
                let digits = Self.hexDigits.utf8Start
                for i in 0..<Self.byteCount {
                    hex[2 * i] = digits[Int(bytes[i] >> 4)]
                    hex[2 * i + 1] = digits[Int(bytes[i] & 0xf)]
                }
                text.append(contentsOf: hex)
            }
        }
    }

    /// Compares in a time that does not depend on where the digests differ. Use it wherever one side is secret.
    package func isEqualInConstantTime(to other: Digest) -> Bool {
        let difference =
            (words.0 ^ other.words.0) | (words.1 ^ other.words.1) | (words.2 ^ other.words.2) | (words.3 ^ other.words.3)
        return difference == 0
    }

    package static func == (a: Digest, b: Digest) -> Bool { a.isEqualInConstantTime(to: b) }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}
