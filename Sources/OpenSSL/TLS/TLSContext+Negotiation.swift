internal import COpenSSL

/// What libssl asks us in the middle of a handshake. Runs on the thread that drives the session.
extension TLSContext {
    /// Installs the callbacks for the server's side. They get this context unretained: each session keeps its context alive.
    func installNegotiation() {
        let itself = Unmanaged.passUnretained(self).toOpaque()
        SSL_CTX_set_alpn_select_cb(pointer, selectProtocol, itself)
        SSL_CTX_set_client_hello_cb(pointer, examineClientHello, itself)
    }
}

/// How a server verifies a client that must show a certificate.
let certificateRequired = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT | SSL_VERIFY_CLIENT_ONCE

/// Picks our protocol from those that the client offers, or ends the handshake (RFC 7301 section 3.2).
///
/// Runs before the server writes its CertificateRequest, so this is where a connection learns whether it insists on a certificate.
private let selectProtocol: SSL_CTX_alpn_select_cb_func = { ssl, selected, selectedCount, offered, offeredCount, argument in
    guard let ssl, let argument else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    let context = Unmanaged<TLSContext>.fromOpaque(argument).takeUnretainedValue()
    var choice: UnsafeMutablePointer<UInt8>?
    let status = SSL_select_next_proto(
        &choice, selectedCount, context.protocolList.baseAddress, UInt32(context.protocolList.count), offered, offeredCount)
    guard status == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    if let certified = context.certifiedProtocol, let choice, let count = selectedCount?.pointee,
        certified.utf8.elementsEqual(UnsafeBufferPointer(start: choice, count: Int(count)))
    {
        SSL_set_verify(ssl, certificateRequired, verifyPeer)
    }
    selected?.pointee = UnsafePointer(choice)
    return SSL_TLSEXT_ERR_OK
}

/// Looks at a ClientHello before libssl acts on it.
private let examineClientHello: SSL_client_hello_cb_fn = { ssl, alert, argument in
    guard let ssl, let argument else { return SSL_CLIENT_HELLO_ERROR }
    let context = Unmanaged<TLSContext>.fromOpaque(argument).takeUnretainedValue()
    func offers(_ extensionType: CInt) -> Bool {
        var bytes: UnsafePointer<UInt8>?
        var count = 0
        return SSL_client_hello_get0_ext(ssl, UInt32(extensionType), &bytes, &count) == 1
    }
    // Without ALPN libssl would not ask us at all.
    if context.isProtocolRequired, !offers(TLSEXT_TYPE_application_layer_protocol_negotiation) {
        alert?.pointee = SSL_AD_NO_APPLICATION_PROTOCOL
        return SSL_CLIENT_HELLO_ERROR
    }
    // A TLS 1.2 ticket carries the session's own secret: whoever gets the ticket key reads recorded traffic. TLS 1.3 adds fresh key shares.
    if !offers(TLSEXT_TYPE_supported_versions) { shim_forbid_tickets(ssl) }
    return SSL_CLIENT_HELLO_SUCCESS
}

/// The last step of certificate verification: the name where it is a URI, then the context's own rule.
///
/// Refusing here, inside the handshake, lets libssl send the alert bad_certificate.
let verifyPeer: @convention(c) (CInt, OpaquePointer?) -> CInt = { isRightSoFar, store in
    guard isRightSoFar == 1, X509_STORE_CTX_get_error_depth(store) == 0 else { return isRightSoFar }
    guard let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
        let session = SSL_get_ex_data(OpaquePointer(ssl), 0), let pointer = X509_STORE_CTX_get_current_cert(store), X509_up_ref(pointer) == 1
    else { return 0 }
    guard Unmanaged<TLSSession>.fromOpaque(session).takeUnretainedValue().accepts(Certificate(owning: pointer)) else {
        X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH)
        return 0
    }
    return 1
}
