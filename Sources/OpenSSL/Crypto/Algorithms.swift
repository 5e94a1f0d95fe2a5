internal import COpenSSL

/// Algorithms looked up once: a look-up by name on each call costs more than the hash of a small message.
enum Algorithms {
    // Fetched algorithm objects are immutable and reference-counted atomically by OpenSSL, so any thread may use them.
    nonisolated(unsafe) static let sha256: OpaquePointer = fetched(EVP_MD_fetch(nil, "SHA256", nil))
    nonisolated(unsafe) static let aes256GCM: OpaquePointer = fetched(EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)) // as above
    nonisolated(unsafe) static let hmac: OpaquePointer = fetched(EVP_MAC_fetch(nil, "HMAC", nil)) // as above
    nonisolated(unsafe) static let hkdf: OpaquePointer = fetched(EVP_KDF_fetch(nil, "HKDF", nil)) // as above

    private static func fetched(_ algorithm: OpaquePointer?) -> OpaquePointer {
        guard let algorithm else { preconditionFailure("this OpenSSL has no provider for SHA-256, AES-256-GCM, HMAC or HKDF") }
        return algorithm
    }
}

extension RawSpan {
    /// The bytes as C functions want them. The pointer is valid inside `body` only.
    func withPointer<Result>(_ body: (UnsafePointer<UInt8>?, Int) throws -> Result) rethrows -> Result {
        try withUnsafeBytes { try body($0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count) }
    }
}

extension UnsafeMutableRawPointer {
    var bytes: UnsafeMutablePointer<UInt8> { assumingMemoryBound(to: UInt8.self) }
}
