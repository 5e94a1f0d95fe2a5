internal import COpenSSL

/// A private key inside OpenSSL. Leaves it only as ``SecretBytes``.
///
/// Sendable: an `EVP_PKEY` is never changed after it is made, and OpenSSL counts its references atomically.
package final class PrivateKey: @unchecked Sendable {
    let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) { self.pointer = pointer }
    deinit { EVP_PKEY_free(pointer) }

    /// A new key on P-256 (FIPS 186-4).
    package static func generateP256() throws(CertificateError) -> PrivateKey {
        ErrorQueue.clear()
        guard let key = shim_generate_p256() else { throw .last(.failed, "generating a P-256 key") }
        return PrivateKey(owning: key)
    }

    /// Reads the first private key of `pem`. An encrypted key is refused: there is nobody to ask for a passphrase.
    package init(pem: SecretBytes) throws(CertificateError) {
        ErrorQueue.clear()
        let key = pem.withUnsafeBytes { bytes -> OpaquePointer? in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, CInt(clamping: bytes.count)) else { return nil }
            defer { BIO_free(bio) }
            return PEM_read_bio_PrivateKey(bio, nil, noPassphrase, nil)
        }
        guard let key else { throw .last(.malformed, "reading a private key") }
        pointer = key
    }

    /// PKCS #8 in PEM.
    package func pem() throws(CertificateError) -> SecretBytes {
        ErrorQueue.clear()
        guard let bio = BIO_new(BIO_s_secmem()) else { throw .last(.failed, "writing a private key") }
        defer { BIO_free(bio) }
        guard PEM_write_bio_PrivateKey(bio, pointer, nil, nil, 0, nil, nil) == 1 else { throw .last(.failed, "writing a private key") }
        var count = 0
        let start = shim_bio_bytes(bio, &count)
        return SecretBytes(copying: UnsafeRawBufferPointer(start: start, count: count))
    }
}

/// Answers OpenSSL's question for a passphrase with "there is none"; without a callback it would ask on the terminal.
let noPassphrase: @convention(c) (UnsafeMutablePointer<CChar>?, CInt, CInt, UnsafeMutableRawPointer?) -> CInt = { _, _, _, _ in -1 }
