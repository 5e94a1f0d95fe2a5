internal import COpenSSL

extension TLSContext {
    /// A session that waits for a client.
    package func makeServerSession() throws(TLSError) -> TLSSession {
        let session = try TLSSession(context: self)
        SSL_set_accept_state(session.ssl)
        return session
    }

    /// A session that calls a server.
    ///
    /// - Parameters:
    ///   - name: What the server's certificate must prove. A DNS name is also sent as server name.
    ///   - ticket: From an earlier session with this context and the same server; the server may still want a full handshake.
    package func makeClientSession(to name: PeerName, resuming ticket: TLSTicket? = nil) throws(TLSError) -> TLSSession {
        let session = try TLSSession(context: self)
        try session.expect(name)
        if let ticket {
            guard SSL_set_session(session.ssl, ticket.pointer) == 1 else { throw .last(.configuration) }
        }
        SSL_set_connect_state(session.ssl)
        return session
    }
}

/// What a client keeps in order to resume a session (RFC 8446 section 2.2).
///
/// Sendable: an `SSL_SESSION` is not changed once the session that made it has handed it out; OpenSSL counts references atomically.
package final class TLSTicket: @unchecked Sendable {
    let pointer: OpaquePointer
    init(owning pointer: OpaquePointer) { self.pointer = pointer }
    deinit { SSL_SESSION_free(pointer) }
}

/// What is known of a connection once its handshake is done.
extension TLSSession {
    /// The application protocol that both sides agreed on.
    package var negotiatedProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &count)
        return count == 0 ? nil : String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }

    /// The name that the client asked for (SNI, RFC 6066 section 3). Text from an unknown client: check it before use.
    package var serverName: String? { SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) } }

    /// `TLSv1.3` or `TLSv1.2`.
    package var protocolVersion: String { String(cString: SSL_get_version(ssl)) }

    /// OpenSSL's name of the cipher suite.
    package var cipherSuite: String? { SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { String(cString: $0) } }

    /// Whether an earlier session was resumed, so that no certificate was sent.
    package var isResumed: Bool { SSL_session_reused(ssl) == 1 }

    /// The other side's verified certificate: always there between nodes, never on a server without client certificates.
    package var peerCertificate: Certificate? { SSL_get1_peer_certificate(ssl).map { Certificate(owning: $0) } }

    /// What a later client session may resume; `nil` until the server has sent a ticket (with TLS 1.3 after the handshake).
    package var ticket: TLSTicket? {
        guard let session = SSL_get1_session(ssl) else { return nil }
        guard SSL_SESSION_is_resumable(session) == 1 else {
            SSL_SESSION_free(session)
            return nil
        }
        return TLSTicket(owning: session)
    }
}
