internal import COpenSSL
internal import Glibc

/// The new node's end of the connection by which it joins: TLS 1.3 only, the application protocol is required, no resumption.
///
/// The new node has no certificate yet. It knows the cluster by the hash of the authority's certificate alone. The member's end is a
/// ``peer(credential:trusting:applicationProtocol:openProtocols:accepts:)`` that has the join as an open protocol and the authority at
/// the end of its chain; the client trusts that certificate when the hash is right.
extension TLSContext {
    /// Nothing of the application is sent before the member has proved to hold a certificate of that authority.
    ///
    /// - Parameters:
    ///   - authority: SHA-256 of the authority's certificate in DER.
    ///   - accepts: The last word on the member's certificate.
    /// - Throws: ``TLSError`` with `configuration`.
    package static func joinClient(
        authority: Digest, applicationProtocol: String, accepts: @escaping @Sendable (Certificate) -> Bool
    ) throws(TLSError) -> TLSContext {
        let context = try joining(applicationProtocol: applicationProtocol, accepts: accepts)
        context.pinnedAuthority = authority
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        SSL_CTX_set_cert_verify_callback(context.pointer, verifyPinned, Unmanaged.passUnretained(context).toOpaque())
        shim_ctx_forbid_tickets(context.pointer)
        return context
    }

    /// A session of ``joinClient(authority:applicationProtocol:accepts:)``: the server is known by its authority, not by a name.
    package func makeJoinSession() throws(TLSError) -> TLSSession {
        precondition(pinnedAuthority != nil, "only a context with a pinned authority knows a server without its name")
        let session = try TLSSession(context: self)
        SSL_set_connect_state(session.ssl)
        return session
    }
}

/// Verifies a server's chain in libssl's stead: one of the certificates sent is the pinned authority, and it vouches for the first.
private let verifyPinned: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> CInt = { store, argument in
    guard let store, let argument else { return 0 }
    let context = Unmanaged<TLSContext>.fromOpaque(argument).takeUnretainedValue()
    func refuse(_ reason: CInt) -> CInt {
        X509_STORE_CTX_set_error(store, reason)
        return 0
    }
    guard let leafPointer = X509_STORE_CTX_get0_cert(store), X509_up_ref(leafPointer) == 1 else { return refuse(X509_V_ERR_UNSPECIFIED) }
    let leaf = Certificate(owning: leafPointer)
    let sent = X509_STORE_CTX_get0_untrusted(store)
    let authority = (0..<shim_certificates_count(sent)).lazy.compactMap { index -> Certificate? in
        guard let pointer = shim_certificates_get(sent, index), X509_up_ref(pointer) == 1 else { return nil }
        return Certificate(owning: pointer)
    }.first { $0.sha256 == context.pinnedAuthority }
    guard let authority else { return refuse(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY) }
    do throws(CertificateError) {
        try leaf.verify(against: [authority], for: .serverAuthentication, now: Int64(time(nil)))
    } catch {
        guard case .rejected(let result) = error.code else { return refuse(X509_V_ERR_UNSPECIFIED) }
        return refuse(CInt(result))
    }
    guard context.accepts(leaf) else { return refuse(X509_V_ERR_HOSTNAME_MISMATCH) }
    X509_STORE_CTX_set_error(store, X509_V_OK)
    return 1
}
