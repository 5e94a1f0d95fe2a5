internal import COpenSSL

/// A certificate request (PKCS #10, RFC 2986): a public key, and the proof that who asks holds the private one.
///
/// Says nothing else that is ever looked at: names and purposes come from our own records.
package struct CertificateRequest: Sendable {
    /// Longest request read, in bytes. One for a P-256 key is about 200.
    package static let byteCountMax = 2_048

    /// The public key, SubjectPublicKeyInfo in PEM: for ``CertificateAuthority/issue(_:publicKeyPEM:now:)``.
    package let publicKeyPEM: String
    /// SHA-256 of the SubjectPublicKeyInfo in DER, as ``Certificate/publicKeySHA256``.
    package let publicKeySHA256: Digest

    /// Makes a request for `key`, in DER.
    ///
    /// - Throws: ``CertificateError`` with `failed`.
    package static func make(for key: PrivateKey) throws(CertificateError) -> [UInt8] {
        ErrorQueue.clear()
        guard let request = X509_REQ_new() else { throw .last(.failed, "making a certificate request") }
        defer { X509_REQ_free(request) }
        guard X509_REQ_set_pubkey(request, key.pointer) == 1, X509_REQ_sign(request, key.pointer, EVP_sha256()) > 0 else {
            throw .last(.failed, "making a certificate request")
        }
        var der: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509_REQ(request, &der)
        guard let der, count > 0 else { throw .last(.failed, "making a certificate request") }
        defer { shim_clear_free(der, Int(count)) }
        return Array(UnsafeBufferPointer(start: der, count: Int(count)))
    }

    /// Reads a request of anybody and checks its proof.
    ///
    /// - Throws: ``CertificateError``: `malformed` for bytes that are no request or more than one, `invalidField` for a key that is
    ///   not on P-256, `keyMismatch` when it is not signed by its own key.
    package init(verifying der: [UInt8]) throws(CertificateError) {
        ErrorQueue.clear()
        guard der.count <= Self.byteCountMax else {
            throw CertificateError(code: .malformed, operation: "reading a certificate request", reason: "too long")
        }
        let request = der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
            var start = bytes.baseAddress
            guard let request = d2i_X509_REQ(nil, &start, bytes.count) else { return nil }
            guard start == bytes.baseAddress?.advanced(by: bytes.count) else {
                X509_REQ_free(request)
                return nil
            }
            return request
        }
        guard let request else { throw .last(.malformed, "reading a certificate request") }
        defer { X509_REQ_free(request) }
        guard let key = X509_REQ_get0_pubkey(request) else { throw .last(.malformed, "reading a certificate request") }
        guard Self.isP256(key) else {
            throw CertificateError(code: .invalidField, operation: "reading a certificate request", reason: "the key is not on P-256")
        }
        guard X509_REQ_verify(request, key) == 1 else { throw .last(.keyMismatch, "proof of a certificate request") }
        publicKeySHA256 = try Self.sha256(ofPublicKey: key)
        publicKeyPEM = try Self.pem(ofPublicKey: key)
    }

    private static func isP256(_ key: OpaquePointer) -> Bool {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { name in
            guard EVP_PKEY_get_group_name(key, name.baseAddress, name.count, nil) == 1, let start = name.baseAddress else { return false }
            return String(cString: start) == "prime256v1"
        }
    }

    private static func pem(ofPublicKey key: OpaquePointer) throws(CertificateError) -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { preconditionFailure("the system has no memory left") }
        defer { BIO_free(bio) }
        guard PEM_write_bio_PUBKEY(bio, key) == 1 else { throw .last(.failed, "writing a public key") }
        var count = 0
        let start = shim_bio_bytes(bio, &count)
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    static func sha256(ofPublicKey key: OpaquePointer) throws(CertificateError) -> Digest {
        var der: UnsafeMutablePointer<UInt8>?
        let count = i2d_PUBKEY(key, &der)
        guard let der, count > 0 else { throw .last(.failed, "writing a public key") }
        defer { shim_clear_free(der, Int(count)) }
        return SHA256.hash(UnsafeRawBufferPointer(start: der, count: Int(count)).bytes)
    }
}

extension PrivateKey {
    /// SHA-256 of the public half (SubjectPublicKeyInfo in DER), as ``Certificate/publicKeySHA256``.
    package func publicKeySHA256() throws(CertificateError) -> Digest {
        ErrorQueue.clear()
        return try CertificateRequest.sha256(ofPublicKey: pointer)
    }
}
