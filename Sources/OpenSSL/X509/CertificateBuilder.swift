internal import COpenSSL

/// A certificate while it is being filled in. Used by one thread; ``sign(with:)`` ends it.
struct CertificateBuilder: ~Copyable {
    /// `X509_VERSION_3`.
    private static let version3 = 2

    let pointer: OpaquePointer

    init() throws(CertificateError) {
        ErrorQueue.clear()
        guard let pointer = X509_new() else { throw .last(.failed, "making a certificate") }
        guard X509_set_version(pointer, Self.version3) == 1 else {
            X509_free(pointer)
            throw .last(.failed, "certificate version")
        }
        self.pointer = pointer
    }

    deinit { X509_free(pointer) }

    /// A random serial number: positive, and always of full length.
    func setSerialNumber() throws(CertificateError) {
        var bytes = SecureRandom.bytes(CertificateAuthority.serialNumberByteCount)
        bytes[0] = bytes[0] & 0x3F | 0x40
        guard let number = BN_bin2bn(bytes, CInt(bytes.count), nil) else { throw .last(.failed, "serial number") }
        defer { BN_free(number) }
        guard BN_to_ASN1_INTEGER(number, X509_get_serialNumber(pointer)) != nil else { throw .last(.failed, "serial number") }
    }

    /// - Throws: `invalidField` for an empty name or one of more than 64 bytes (`ub-common-name`, RFC 5280 appendix A.1).
    func setSubject(commonName: String) throws(CertificateError) {
        var commonName = commonName
        let status = commonName.withUTF8 { bytes in
            bytes.isEmpty
                ? 0
                : X509_NAME_add_entry_by_NID(
                    X509_get_subject_name(pointer), NID_commonName, MBSTRING_UTF8, bytes.baseAddress, CInt(clamping: bytes.count), -1, 0)
        }
        guard status == 1 else { throw .last(.invalidField, "common name") }
    }

    func setIssuer(nameOf issuer: OpaquePointer) throws(CertificateError) {
        guard X509_set_issuer_name(pointer, X509_get_subject_name(issuer)) == 1 else { throw .last(.failed, "issuer name") }
    }

    /// - Throws: `invalidField` when the time is empty or outside what ASN.1 can say.
    func setValidity(from start: Int64, to end: Int64) throws(CertificateError) {
        guard end > start + CertificateAuthority.clockSkewSeconds,
            ASN1_TIME_set(X509_getm_notBefore(pointer), Int(start)) != nil, ASN1_TIME_set(X509_getm_notAfter(pointer), Int(end)) != nil
        else { throw .last(.invalidField, "validity") }
    }

    func setPublicKey(_ key: OpaquePointer) throws(CertificateError) {
        guard X509_set_pubkey(pointer, key) == 1 else { throw .last(.failed, "public key") }
    }

    /// Adds an extension in the notation of OpenSSL's configuration files. `value` is text of ours, never of others: the notation has escapes.
    func add(_ extension: CInt, _ value: String, issuer: OpaquePointer) throws(CertificateError) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer, pointer, nil, nil, 0)
        guard let made = X509V3_EXT_conf_nid(nil, &context, `extension`, value) else { throw .last(.failed, "certificate extension") }
        defer { X509_EXTENSION_free(made) }
        guard X509_add_ext(pointer, made, -1) == 1 else { throw .last(.failed, "certificate extension") }
    }

    func add(_ names: [SubjectAlternativeName]) throws(CertificateError) {
        guard let list = shim_general_names_new() else { throw .last(.failed, "subject alternative names") }
        defer { shim_general_names_free(list) }
        for name in names { try name.append(to: list) }
        guard X509_add1_ext_i2d(pointer, NID_subject_alt_name, UnsafeMutableRawPointer(list), 0, UInt(X509V3_ADD_APPEND)) == 1 else {
            throw .last(.failed, "subject alternative names")
        }
    }

    /// Signs with ECDSA and SHA-256 and hands out the certificate.
    consuming func sign(with key: PrivateKey) throws(CertificateError) -> Certificate {
        guard X509_sign(pointer, key.pointer, EVP_sha256()) > 0 else { throw .last(.failed, "signing a certificate") }
        X509_up_ref(pointer)
        return Certificate(owning: pointer)
    }
}
