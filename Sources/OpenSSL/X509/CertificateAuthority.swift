internal import COpenSSL

/// A certificate with its private key, both in PEM.
package struct Credential: Sendable {
    /// The leaf first, then the intermediates, if any.
    package var certificatePEM: String
    /// PKCS #8, not encrypted.
    package var privateKeyPEM: SecretBytes

    /// Takes the two as they are; whoever uses them checks that they belong together.
    package init(certificatePEM: String, privateKeyPEM: SecretBytes) {
        self.certificatePEM = certificatePEM
        self.privateKeyPEM = privateKeyPEM
    }
}

/// What a new certificate shall say. The names come from our own records, never from a request.
package struct CertificateTemplate: Sendable {
    /// Subject, 1 to 64 bytes: for people only, nothing verifies it.
    package var commonName: String
    /// What it vouches for; at least one.
    package var names: [SubjectAlternativeName]
    /// What it may be used for; at least one.
    package var purposes: Set<CertificatePurpose>
    /// How long it holds, in seconds; cut where the authority's own time ends.
    package var validitySeconds: Int64

    /// - Parameter validitySeconds: Counted from the time of issue.
    package init(commonName: String, names: [SubjectAlternativeName], purposes: Set<CertificatePurpose>, validitySeconds: Int64) {
        self.commonName = commonName
        self.names = names
        self.purposes = purposes
        self.validitySeconds = validitySeconds
    }
}

/// A certificate authority of our own: ECDSA P-256 with SHA-256, path length 0, so what it signs can sign nothing.
///
/// Reads no clock: every `now` is in seconds since 1970. Safe from any thread.
package struct CertificateAuthority: Sendable {
    /// How far before `now` a certificate begins to hold, in seconds: room for clocks that disagree.
    package static let clockSkewSeconds: Int64 = 300
    /// Length of a serial number, in bytes: the most that RFC 5280 section 4.1.2.2 allows.
    static let serialNumberByteCount = 20
    static let secondsPerDay: Int64 = 86_400

    /// The authority's own certificate.
    package let certificate: Certificate
    private let key: PrivateKey

    /// Makes a new authority with a new key.
    ///
    /// - Throws: ``CertificateError`` with `invalidField` for a name of no or more than 64 bytes or a validity that is not positive.
    package static func make(commonName: String, validityDays: Int, now: Int64) throws(CertificateError) -> CertificateAuthority {
        let key = try PrivateKey.generateP256()
        let builder = try CertificateBuilder()
        try builder.setSerialNumber()
        try builder.setSubject(commonName: commonName)
        try builder.setIssuer(nameOf: builder.pointer)
        try builder.setValidity(from: now - clockSkewSeconds, to: now + Int64(validityDays) * secondsPerDay)
        try builder.setPublicKey(key.pointer)
        try builder.add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0", issuer: builder.pointer)
        try builder.add(NID_key_usage, "critical,keyCertSign,cRLSign", issuer: builder.pointer)
        try builder.add(NID_subject_key_identifier, "hash", issuer: builder.pointer)
        try builder.add(NID_authority_key_identifier, "keyid:always", issuer: builder.pointer)
        return CertificateAuthority(certificate: try builder.sign(with: key), key: key)
    }

    private init(certificate: Certificate, key: PrivateKey) {
        self.certificate = certificate
        self.key = key
    }

    /// Loads an authority that ``make(commonName:validityDays:now:)`` made.
    ///
    /// - Throws: ``CertificateError``: `malformed` PEM, `keyMismatch`, or `invalidField` when the certificate may not sign others.
    package init(certificatePEM: String, privateKeyPEM: SecretBytes) throws(CertificateError) {
        certificate = try Certificate(pem: certificatePEM)
        key = try PrivateKey(pem: privateKeyPEM)
        ErrorQueue.clear()
        guard X509_check_private_key(certificate.pointer, key.pointer) == 1 else { throw .last(.keyMismatch, "loading an authority") }
        guard certificate.isAuthority else {
            throw CertificateError(code: .invalidField, operation: "loading an authority", reason: "the certificate may not sign others")
        }
    }

    /// The authority's certificate: what others must trust.
    package var certificatePEM: String { certificate.pem }

    /// The authority's private key, for safe keeping.
    package func privateKeyPEM() throws(CertificateError) -> SecretBytes { try key.pem() }

    /// Issues a certificate for a new P-256 key.
    ///
    /// - Throws: ``CertificateError`` with `invalidField` for a name, purpose or validity that cannot be.
    package func issue(_ template: CertificateTemplate, now: Int64) throws(CertificateError) -> Credential {
        let leafKey = try PrivateKey.generateP256()
        let certificate = try issue(template, publicKey: leafKey.pointer, now: now)
        return Credential(certificatePEM: certificate.pem, privateKeyPEM: try leafKey.pem())
    }

    /// Issues a certificate for a public key (SubjectPublicKeyInfo in PEM) whose owner is known by other means.
    ///
    /// - Throws: ``CertificateError``: as ``issue(_:now:)``, and `malformed` for a broken key.
    package func issue(_ template: CertificateTemplate, publicKeyPEM: String, now: Int64) throws(CertificateError) -> Certificate {
        ErrorQueue.clear()
        var pem = publicKeyPEM
        let publicKey = pem.withUTF8 { bytes -> OpaquePointer? in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, CInt(clamping: bytes.count)) else { return nil }
            defer { BIO_free(bio) }
            return PEM_read_bio_PUBKEY(bio, nil, noPassphrase, nil)
        }
        guard let publicKey else { throw .last(.malformed, "reading a public key") }
        defer { EVP_PKEY_free(publicKey) }
        return try issue(template, publicKey: publicKey, now: now)
    }

    private func issue(_ template: CertificateTemplate, publicKey: OpaquePointer, now: Int64) throws(CertificateError) -> Certificate {
        guard !template.purposes.isEmpty, !template.names.isEmpty else {
            throw CertificateError(code: .invalidField, operation: "issuing a certificate", reason: "no name or no purpose")
        }
        let issuer = certificate.pointer
        let builder = try CertificateBuilder()
        try builder.setSerialNumber()
        try builder.setSubject(commonName: template.commonName)
        try builder.setIssuer(nameOf: issuer)
        try builder.setValidity(
            from: max(now - Self.clockSkewSeconds, certificate.notBefore), to: min(now + template.validitySeconds, certificate.notAfter))
        try builder.setPublicKey(publicKey)
        try builder.add(NID_basic_constraints, "critical,CA:FALSE", issuer: issuer)
        try builder.add(NID_key_usage, "critical,digitalSignature", issuer: issuer)
        // Fixed order: the same template gives the same extension.
        let usages = [(CertificatePurpose.serverAuthentication, "serverAuth"), (.clientAuthentication, "clientAuth")]
        let usage = usages.filter { template.purposes.contains($0.0) }.map(\.1).joined(separator: ",")
        try builder.add(NID_ext_key_usage, usage, issuer: issuer)
        try builder.add(NID_subject_key_identifier, "hash", issuer: issuer)
        try builder.add(NID_authority_key_identifier, "keyid:always", issuer: issuer)
        try builder.add(template.names)
        return try builder.sign(with: key)
    }
}
