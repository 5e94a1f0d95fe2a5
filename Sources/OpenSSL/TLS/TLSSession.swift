internal import COpenSSL
package import NIOCore

/// One TLS connection as a machine without I/O: ciphertext and plaintext in, plaintext and ciphertext out.
///
/// Belongs to one thread at a time (an event loop). Nothing here blocks or allocates per record beyond the buffers it hands out.
/// After a throw, or an ``Inbound/End/failed(_:)``, send what ``takeCiphertext()`` holds (the alert) and drop the session.
package final class TLSSession {
    /// What came out of the ciphertext received so far.
    package struct Inbound {
        /// Why no more came out.
        package enum End {
            /// More may follow once more ciphertext is there.
            case needsInput
            /// The other side sent close_notify: nothing follows.
            case peerClosed
            /// The connection is broken.
            case failed(TLSError)
        }

        /// Decrypted bytes in fresh storage that nobody else refers to; `nil` when there are none. The receiver wipes it.
        package var plaintext: ByteBuffer?
        /// What to expect after ``plaintext``.
        package var end: End
    }

    /// Most plaintext in one record, in bytes (RFC 8446 section 5.1).
    static let recordPlaintextBytesMax = 16_384
    /// Most bytes that a record is longer than its plaintext with our suites: header 5, TLS 1.2 nonce 8, tag 16, TLS 1.3 content type 1.
    static let recordOverheadBytesMax = 30

    let ssl: OpaquePointer
    /// Kept alive here because its callbacks get it unretained.
    private let context: TLSContext
    private let wire: UnsafeMutablePointer<Wire>
    /// Ciphertext inside libssl, a part of a record: at most that many bytes.
    private var heldBytesMax = 0
    /// The URI that the other side's certificate must hold.
    private var expectedURI: String?

    init(context: TLSContext) throws(TLSError) {
        ErrorQueue.clear()
        guard let ssl = SSL_new(context.pointer) else { throw .last(.configuration) }
        let wire = UnsafeMutablePointer<Wire>.allocate(capacity: 1)
        wire.initialize(to: Wire())
        guard let bio = CiphertextBIO.make(over: wire) else { preconditionFailure("the system has no memory left") }
        SSL_set_bio(ssl, bio, bio)  // `ssl` now owns the one reference
        (self.ssl, self.context, self.wire) = (ssl, context, wire)
        SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        // Else libssl takes the session for a broken one and marks it as not resumable. A fatal alert does so by itself.
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        SSL_free(ssl)
        wire.deinitialize(count: 1)
        wire.deallocate()
    }

    // MARK: Ciphertext

    /// Takes in bytes from the network; ``handshake()`` or ``read(allocator:)`` must follow.
    package func feed(_ ciphertext: ByteBuffer) {
        if wire.pointee.inbound.readableBytes == 0 {
            wire.pointee.inbound = ciphertext
        } else {
            wire.pointee.inbound.writeImmutableBuffer(ciphertext)
        }
    }

    /// How many bytes ``takeCiphertext()`` has to send.
    package var ciphertextBytes: Int { wire.pointee.outbound.readableBytes }

    /// Everything to be sent, in order; `nil` when there is nothing.
    package func takeCiphertext() -> ByteBuffer? {
        guard ciphertextBytes > 0 else { return nil }
        let ciphertext = wire.pointee.outbound
        wire.pointee.outbound = ByteBuffer()
        return ciphertext
    }

    // MARK: Handshake

    /// Goes on with the handshake as far as the bytes received allow.
    ///
    /// - Returns: Whether it is done. A client of TLS 1.3 is done before the server has judged the client's certificate:
    ///   a refusal arrives with the first ``read(allocator:)`` (crypto.md section 7.5).
    package func handshake() throws(TLSError) -> Bool {
        ErrorQueue.clear()
        let status = SSL_do_handshake(ssl)
        guard status == 1 else {
            guard SSL_get_error(ssl, status) == SSL_ERROR_WANT_READ else { throw handshakeError() }
            releaseInbound()
            return false
        }
        if context.isProtocolRequired, negotiatedProtocol == nil { throw TLSError(code: .noApplicationProtocol) }
        return true
    }

    private func handshakeError() -> TLSError {
        let verifyResult = SSL_get_verify_result(ssl)
        var error = TLSError.last(.handshakeFailed)
        guard error.alertReceived == nil, verifyResult != X509_V_OK else { return error }
        error.code = .peerCertificateRejected(verifyResult: verifyResult)
        error.reason = String(cString: X509_verify_cert_error_string(verifyResult))
        return error
    }

    // MARK: Plaintext

    /// Decrypts everything that was fed: one buffer, no larger than the ciphertext it came from (rounded up by the allocator).
    package func read(allocator: ByteBufferAllocator) -> Inbound {
        // A record is longer than its plaintext: this buffer never has to grow (and leave a copy behind).
        let fed = wire.pointee.inbound.readableBytes
        var plaintext = allocator.buffer(capacity: min(heldBytesMax, Self.recordPlaintextBytesMax) + fed)
        defer {
            // What it holds now came with these bytes, or with these and the ones before.
            heldBytesMax = SSL_has_pending(ssl) == 1 ? (plaintext.readableBytes > 0 ? fed : heldBytesMax + fed) : 0
        }
        ErrorQueue.clear()
        repeat {
            var status: CInt = 0
            plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: 0) { space in
                var count = 0
                status = SSL_read_ex(ssl, space.baseAddress, space.count, &count)
                return count
            }
            guard status == 1 else { return Inbound(plaintext: plaintext.readableBytes > 0 ? plaintext : nil, end: end()) }
        } while wire.pointee.inbound.readableBytes > 0 || SSL_pending(ssl) > 0
        releaseInbound()
        return Inbound(plaintext: plaintext, end: .needsInput)
    }

    /// Gives libssl's buffers of one record in each direction back, about 34 KiB, as far as nothing is in them. They come back by themselves.
    package func releaseBuffers() {
        ErrorQueue.clear()
        _ = SSL_free_buffers(ssl)
    }

    /// Why the read that has just returned nothing did so.
    private func end() -> Inbound.End {
        switch SSL_get_error(ssl, 0) {
        case SSL_ERROR_WANT_READ:
            releaseInbound()
            return .needsInput
        case SSL_ERROR_ZERO_RETURN:
            wire.pointee.inbound = ByteBuffer()
            return .peerClosed
        default:
            return .failed(.last(.protocolViolation))
        }
    }

    /// Gives the channel its receive buffer back.
    private func releaseInbound() {
        if wire.pointee.inbound.readableBytes == 0 { wire.pointee.inbound = ByteBuffer() }
    }

    /// Makes room once for the records of `plaintextBytes` that are about to be written in `writes` pieces.
    package func reserveCapacity(plaintextBytes: Int, writes: Int) {
        let records = plaintextBytes / Self.recordPlaintextBytesMax + writes
        wire.pointee.outbound.reserveCapacity(minimumWritableBytes: plaintextBytes + records * Self.recordOverheadBytesMax)
    }

    /// Encrypts `plaintext`, all of it or nothing. The caller still owns (and wipes) the buffer.
    ///
    /// - Returns: `false` when nothing was taken because libssl first needs more from the other side (it is in the middle of a
    ///   message after the handshake): repeat the same write after the next ``read(allocator:)``.
    package func write(_ plaintext: ByteBuffer) throws(TLSError) -> Bool {
        guard plaintext.readableBytes > 0 else { return true }
        ErrorQueue.clear()
        var count = 0
        let status = plaintext.withUnsafeReadableBytes { SSL_write_ex(ssl, $0.baseAddress, $0.count, &count) }
        guard status == 1 else {
            guard SSL_get_error(ssl, status) == SSL_ERROR_WANT_READ else { throw .last(.protocolViolation) }
            return false
        }
        return true
    }

    /// Says that we shall send nothing more (close_notify). Not after a failure, and not before the handshake is done.
    package func sendCloseNotify() {
        ErrorQueue.clear()
        // 0 and 1 tell whether the other side has closed as well. A failure leaves nothing to send, which the other side sees as truncation.
        _ = SSL_shutdown(ssl)
    }

    // MARK: Identity of the other side

    /// Sets what the other side must prove. Before the handshake only.
    func expect(_ name: PeerName) throws(TLSError) {
        switch name {
        case .uri(let uri): expectedURI = uri
        case .host(let host):
            ErrorQueue.clear()
            SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
            // An address is compared with the IP names of the certificate and never sent as server name (RFC 6066 section 3).
            if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 { return }
            guard !host.isEmpty, SSL_set1_host(ssl, host) == 1, shim_set_server_name(ssl, host) == 1 else { throw .last(.configuration) }
        }
    }

    /// Whether a certificate that is right otherwise is the one we want; called by libssl inside the handshake.
    func accepts(_ certificate: Certificate) -> Bool {
        if let expectedURI, !certificate.isNamed(uri: expectedURI) { return false }
        return context.accepts(certificate)
    }
}

@available(*, unavailable)
extension TLSSession: Sendable {}
