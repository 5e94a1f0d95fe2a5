internal import COpenSSL

/// Certificates, keys and policy shared by the connections made from it: an `SSL_CTX`.
///
/// Four kinds: ``api(credential:)`` for the listener of API clients, ``apiClient(trusting:)`` for our own clients of it,
/// ``peer(credential:trusting:applicationProtocol:openProtocols:accepts:)`` for both ends of the links between nodes, and
/// ``joinClient(authority:applicationProtocol:accepts:)`` for a new node.
/// Renegotiation, compression and early data are off everywhere.
///
/// Sendable: an `SSL_CTX` is not changed after its factory function returns, and `SSL_new` counts references atomically.
package final class TLSContext: @unchecked Sendable {
    /// The application protocol of API connections (RFC 7301 section 6).
    package static let httpProtocol = "http/1.1"
    /// How long a session ticket of the API listener is good, in seconds. The keys live as long as the context.
    package static let ticketLifetimeSeconds = 3600

    /// AEAD with forward secrecy only: crypto.md sections 7.1 and 7.4.
    private static let tls13Suites = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"
    private static let tls12Suites = """
        ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256
        """
    private static let groups = "X25519:P-256:P-384"
    private static let peerSignatureAlgorithms = "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ed25519:rsa_pss_rsae_sha256"
    /// The peer list and what SDKs that still speak TLS 1.2 know. SHA-1 is in neither.
    private static let apiSignatureAlgorithms = """
        \(peerSignatureAlgorithms):rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512
        """

    let pointer: OpaquePointer
    /// Our application protocols, the preferred one first, each length-prefixed as ALPN sends it. Callbacks read the list, so it stays
    /// in place as long as the context.
    let protocolList: UnsafeMutableBufferPointer<UInt8>
    /// The one protocol of this server for which a client must show a certificate, where others are served without.
    let certifiedProtocol: String?
    /// Whether a connection without an agreed application protocol is refused.
    let isProtocolRequired: Bool
    /// The last word on a certificate whose chain, time, purpose and name are already right.
    let accepts: @Sendable (Certificate) -> Bool
    /// SHA-256 of the only authority that a joining node trusts; set before the factory function returns, nil for the other kinds.
    var pinnedAuthority: Digest?

    private init(
        minimumVersion: CInt, applicationProtocol: String, openProtocols: [String] = [], isProtocolRequired: Bool,
        accepts: @escaping @Sendable (Certificate) -> Bool = { _ in true }
    ) throws(TLSError) {
        let protocols = [applicationProtocol] + openProtocols
        precondition(protocols.allSatisfy { (1...255).contains($0.utf8.count) }, "RFC 7301 section 3.1: 1 to 255 bytes")
        ErrorQueue.clear()
        guard let pointer = SSL_CTX_new(TLS_method()) else { throw .last(.configuration) }
        self.pointer = pointer
        self.isProtocolRequired = isProtocolRequired
        self.accepts = accepts
        certifiedProtocol = openProtocols.isEmpty ? nil : applicationProtocol
        let list = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        protocolList = .allocate(capacity: list.count)
        _ = protocolList.initialize(from: list)

        let isPeer = minimumVersion == TLS1_3_VERSION
        shim_ctx_set_common(pointer)
        shim_ctx_keep_no_sessions(pointer)
        try check(shim_ctx_set_versions(pointer, minimumVersion, TLS1_3_VERSION))
        try check(SSL_CTX_set_ciphersuites(pointer, Self.tls13Suites))
        try check(SSL_CTX_set_cipher_list(pointer, Self.tls12Suites))
        try check(shim_ctx_set_groups(pointer, Self.groups))
        try check(shim_ctx_set_signature_algorithms(pointer, isPeer ? Self.peerSignatureAlgorithms : Self.apiSignatureAlgorithms))
        try check(SSL_CTX_set_max_early_data(pointer, 0))
        SSL_CTX_set_verify_depth(pointer, Certificate.chainDepthMax)
        try check(SSL_CTX_set_alpn_protos(pointer, protocolList.baseAddress, UInt32(protocolList.count)) == 0 ? 1 : 0)
        installNegotiation()
    }

    deinit {
        SSL_CTX_free(pointer)
        protocolList.deallocate()
    }

    // MARK: The three kinds

    /// The listener for API clients: TLS 1.2 and 1.3, no client certificates, ALPN `http/1.1` (a client that offers only
    /// others gets the alert no_application_protocol; one that offers none is served), resumption by TLS 1.3 tickets under keys of this context.
    ///
    /// - Parameter credential: The certificate chain, leaf first, and its key.
    /// - Throws: ``TLSError`` with `configuration`.
    package static func api(credential: Credential) throws(TLSError) -> TLSContext {
        let context = try TLSContext(minimumVersion: TLS1_2_VERSION, applicationProtocol: httpProtocol, isProtocolRequired: false)
        try context.use(credential)
        // Sessions of this listener can be resumed on this listener only.
        let name = Array("conclave api".utf8)
        try context.check(SSL_CTX_set_session_id_context(context.pointer, name, UInt32(name.count)))
        SSL_CTX_set_timeout(context.pointer, ticketLifetimeSeconds)
        return context
    }

    /// A client of an API listener: TLS 1.2 and 1.3; the server must prove the name asked for.
    ///
    /// - Parameter authoritiesPEM: The only authorities to trust; `nil` for those of the system.
    /// - Throws: ``TLSError`` with `configuration`.
    package static func apiClient(trusting authoritiesPEM: String?) throws(TLSError) -> TLSContext {
        let context = try TLSContext(minimumVersion: TLS1_2_VERSION, applicationProtocol: httpProtocol, isProtocolRequired: false)
        if let authoritiesPEM {
            try context.trust(authoritiesPEM)
        } else {
            try context.check(SSL_CTX_set_default_verify_paths(context.pointer))
        }
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, verifyPeer)
        return context
    }

    /// Both ends of the links between nodes: TLS 1.3 only, both sides show a certificate of the cluster's own authority,
    /// the application protocol is required, no resumption: every link verifies anew (crypto.md section 7.1).
    ///
    /// - Parameters:
    ///   - authoritiesPEM: The cluster's authority; two while it is being replaced.
    ///   - applicationProtocol: 1 to 255 bytes, such as `conclave-raft/1`.
    ///   - openProtocols: For a listener: further protocols, for which a client may show a certificate (it must be right then) but need not.
    ///     A client that offers several gets the first of ours. A context of a caller has none.
    ///   - accepts: Asked during the handshake about every certificate that is right otherwise: node known, key pinned, not
    ///     removed. Called on the connection's event loop; must not block.
    /// - Throws: ``TLSError`` with `configuration`.
    package static func peer(
        credential: Credential, trusting authoritiesPEM: String, applicationProtocol: String, openProtocols: [String] = [],
        accepts: @escaping @Sendable (Certificate) -> Bool
    ) throws(TLSError) -> TLSContext {
        let context = try TLSContext(
            minimumVersion: TLS1_3_VERSION, applicationProtocol: applicationProtocol, openProtocols: openProtocols, isProtocolRequired: true,
            accepts: accepts)
        try context.use(credential)
        try context.trust(authoritiesPEM)
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context.pointer), UInt(X509_V_FLAG_X509_STRICT))
        // With open protocols a certificate is asked for; the choice of the protocol decides whether it must be shown.
        SSL_CTX_set_verify(context.pointer, openProtocols.isEmpty ? certificateRequired : SSL_VERIFY_PEER, verifyPeer)
        shim_ctx_forbid_tickets(context.pointer)
        try context.check(SSL_CTX_set_num_tickets(context.pointer, 0))
        return context
    }

    // MARK: Steps of construction

    /// Where ``joinClient(authority:applicationProtocol:accepts:)`` begins: TLS 1.3 only, the application protocol is required.
    static func joining(applicationProtocol: String, accepts: @escaping @Sendable (Certificate) -> Bool) throws(TLSError) -> TLSContext {
        try TLSContext(minimumVersion: TLS1_3_VERSION, applicationProtocol: applicationProtocol, isProtocolRequired: true, accepts: accepts)
    }

    func check(_ status: CInt) throws(TLSError) {
        guard status == 1 else { throw .last(.configuration) }
    }

    func use(_ credential: Credential) throws(TLSError) {
        let chain: [Certificate]
        let key: PrivateKey
        do throws(CertificateError) {
            chain = try Certificate.bundle(pem: credential.certificatePEM)
            key = try PrivateKey(pem: credential.privateKeyPEM)
        } catch { throw TLSError(code: .configuration, reason: error.description) }
        ErrorQueue.clear()
        try check(SSL_CTX_use_certificate(pointer, chain[0].pointer))
        for intermediate in chain.dropFirst() { try check(shim_ctx_add_chain_certificate(pointer, intermediate.pointer)) }
        try check(SSL_CTX_use_PrivateKey(pointer, key.pointer))
        try check(SSL_CTX_check_private_key(pointer))
    }

    func trust(_ authoritiesPEM: String) throws(TLSError) {
        let authorities: [Certificate]
        do throws(CertificateError) {
            authorities = try Certificate.bundle(pem: authoritiesPEM)
        } catch { throw TLSError(code: .configuration, reason: error.description) }
        for authority in authorities { try check(X509_STORE_add_cert(SSL_CTX_get_cert_store(pointer), authority.pointer)) }
    }
}
