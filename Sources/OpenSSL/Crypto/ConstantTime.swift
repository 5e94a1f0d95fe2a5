internal import COpenSSL

/// Compares two byte strings in a time that depends on their lengths only.
package func isEqualInConstantTime(_ a: RawSpan, _ b: RawSpan) -> Bool {
    guard a.byteCount == b.byteCount else { return false }
    return a.withUnsafeBytes { a in b.withUnsafeBytes { b in a.count == 0 || CRYPTO_memcmp(a.baseAddress, b.baseAddress, a.count) == 0 } }
}
