package import OpenSSL

/// What an operator carries from a cluster to a new node: a secret that lets one node in, and the hash of the cluster's authority, by
/// which the new node knows whom it tells the secret.
///
/// In text: `conclave-join-v1.` and 64 bytes (secret, hash) in base64url without padding (RFC 4648 section 5).
/// The text exists as ``SecretBytes`` only; the cluster keeps no more than ``secretHash``.
package struct JoinToken: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private static let prefix = Array("conclave-join-v1.".utf8)
    /// Length of the secret, in bytes.
    package static let secretByteCount = 32
    private static let textByteCount = prefix.count + 86

    package let secret: SecretBytes
    /// SHA-256 of the authority's certificate in DER.
    package let authority: Digest

    /// A new token for the cluster of that authority.
    package static func make(authority: Certificate) -> JoinToken {
        JoinToken(secret: .random(count: secretByteCount), authority: authority.sha256)
    }

    init(secret: SecretBytes, authority: Digest) {
        precondition(secret.count == Self.secretByteCount, "a token's secret has 32 bytes")
        self.secret = secret
        self.authority = authority
    }

    /// Reads the text form, with blanks and line ends around it.
    ///
    /// - Returns: nil for anything but what ``text()`` makes.
    package init?(text: SecretBytes) {
        let parts = text.withUnsafeBytes { bytes -> (SecretBytes, Digest)? in
            let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\t") }
            var token = bytes[...].drop(while: isBlank)
            while let last = token.last, isBlank(last) { token = token.dropLast() }
            guard token.count == Self.textByteCount, token.starts(with: Self.prefix) else { return nil }
            let digits = token.dropFirst(Self.prefix.count)
            var isCanonical = false
            let decoded = SecretBytes(count: Self.secretByteCount + Digest.byteCount) { isCanonical = Base64URL.decode(digits, into: $0) }
            guard isCanonical else { return nil }
            let secret = decoded.withUnsafeBytes { SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0[..<Self.secretByteCount])) }
            return (secret, Digest(bytes32: decoded.bytes.extracting(Self.secretByteCount..<decoded.count)))
        }
        guard let (secret, authority) = parts else { return nil }
        self.init(secret: secret, authority: authority)
    }

    /// The text form, to be shown once.
    package func text() -> SecretBytes {
        let raw = SecretBytes(count: Self.secretByteCount + Digest.byteCount) { destination in
            secret.withUnsafeBytes { destination.copyMemory(from: $0) }
            authority.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: destination[Self.secretByteCount...]).copyMemory(from: $0) }
        }
        return SecretBytes(count: Self.textByteCount) { destination in
            destination.copyBytes(from: Self.prefix)
            raw.withUnsafeBytes { Base64URL.encode($0, into: UnsafeMutableRawBufferPointer(rebasing: destination[Self.prefix.count...])) }
        }
    }

    /// SHA-256 of the secret: what is replicated, and looked up. The secret has 256 random bits, so nothing is learnt from how long it
    /// takes to find its hash.
    package var secretHash: Digest { SHA256.hash(secret.bytes) }

    /// Always `<redacted>`.
    package var description: String { "<redacted>" }
    /// Always `<redacted>`.
    package var debugDescription: String { description }
    /// Shows nothing to `dump`.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Base64url without padding, by arithmetic instead of tables, so that no cache line tells which digits a secret has.
enum Base64URL {
    /// Fills `text`, which has a digit for every six bits begun.
    static func encode(_ bytes: UnsafeRawBufferPointer, into text: UnsafeMutableRawBufferPointer) {
        var (bits, bitCount, position) = (UInt32(0), 0, 0)
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            bitCount += 8
            while bitCount >= 6 {
                bitCount -= 6
                text[position] = digit(Int32(bits >> UInt32(bitCount) & 63))
                position += 1
            }
            bits &= (1 << UInt32(bitCount)) - 1
        }
        if bitCount > 0 { text[position] = digit(Int32(bits << UInt32(6 - bitCount) & 63)) }
    }

    /// Fills `bytes` from as many digits as that takes. Returns whether all are digits and the bits left over are zero.
    static func decode(_ digits: some Sequence<UInt8>, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
        var (bits, bitCount, position, isValid) = (UInt32(0), 0, 0, true)
        for digit in digits {
            let value = value(Int32(digit))
            isValid = isValid && value >= 0
            bits = bits << 6 | UInt32(truncatingIfNeeded: value & 63)
            bitCount += 6
            guard bitCount >= 8 else { continue }
            bitCount -= 8
            guard position < bytes.count else { return false }
            bytes[position] = UInt8(truncatingIfNeeded: bits >> UInt32(bitCount))
            position += 1
            bits &= (1 << UInt32(bitCount)) - 1
        }
        return isValid && position == bytes.count && bits == 0
    }

    /// All ones when `low <= x <= high`, else zero.
    private static func mask(_ x: Int32, _ low: Int32, _ high: Int32) -> Int32 { ~((x - low) | (high - x)) >> 31 }

    private static func digit(_ x: Int32) -> UInt8 {
        let text =
            (mask(x, 0, 25) & (x + 65)) | (mask(x, 26, 51) & (x + 71)) | (mask(x, 52, 61) & (x - 4)) | (mask(x, 62, 62) & 45)
            | (mask(x, 63, 63) & 95)
        return UInt8(truncatingIfNeeded: text)
    }

    /// -1 for what is no digit.
    private static func value(_ x: Int32) -> Int32 {
        let (upper, lower, number) = (mask(x, 65, 90), mask(x, 97, 122), mask(x, 48, 57))
        let (minus, underscore) = (mask(x, 45, 45), mask(x, 95, 95))
        let found = (upper & (x - 65)) | (lower & (x - 71)) | (number & (x + 4)) | (minus & 62) | (underscore & 63)
        return found | ~(upper | lower | number | minus | underscore)
    }
}
