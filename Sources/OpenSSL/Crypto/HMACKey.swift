internal import COpenSSL

/// A key for HMAC-SHA-256 (FIPS 198-1), scheduled once and used many times.
///
/// Sendable: the keyed context is never changed after `init`; each message works on a duplicate. OpenSSL cleanses it when it is freed.
package final class HMACKey: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    private let keyed: OpaquePointer

    package init(_ key: RawSpan) {
        guard let context = EVP_MAC_CTX_new(Algorithms.hmac) else { preconditionFailure("the system has no memory left") }
        let status = key.withPointer { shim_hmac_sha256_init(context, $0, $1) }
        precondition(status == 1, "HMAC takes a key of any length")
        keyed = context
    }

    package convenience init(_ key: SecretBytes) { self.init(key.bytes) }

    deinit { EVP_MAC_CTX_free(keyed) }

    /// The authenticator of `data`. Safe from any thread.
    package func authenticate(_ data: RawSpan) -> Digest {
        guard let context = EVP_MAC_CTX_dup(keyed) else { preconditionFailure("the system has no memory left") }
        defer { EVP_MAC_CTX_free(context) }
        return Digest { out in
            var written = 0
            let updated = data.withPointer { EVP_MAC_update(context, $0, $1) }
            let status = EVP_MAC_final(context, out.baseAddress?.bytes, &written, out.count)
            precondition(updated == 1 && status == 1 && written == Digest.byteCount, "HMAC of bytes in memory cannot fail")
        }
    }

    /// Always `<redacted>`.
    package var description: String { "<redacted>" }
    /// Shows nothing.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
