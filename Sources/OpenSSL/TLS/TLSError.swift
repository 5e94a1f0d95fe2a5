/// Why a TLS connection could not be made or had to end.
package struct TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of failure that a caller can tell apart.
    package enum Code: Hashable, Sendable {
        /// Certificate, key or settings that make no context.
        case configuration
        /// The two sides did not agree, one sent garbage, or the other side refused (see ``TLSError/alertReceived``).
        case handshakeFailed
        /// We refused the other side's certificate; the number is OpenSSL's `X509_V_ERR_…`
        /// (10 expired, 20 unknown issuer, 26 wrong purpose, 62 wrong name).
        case peerCertificateRejected(verifyResult: Int)
        /// The other side negotiated no application protocol where one is required.
        case noApplicationProtocol
        /// No handshake within the deadline.
        case handshakeTimedOut
        /// The connection ended before the handshake did.
        case closedInHandshake
        /// The connection ended without close_notify: what came last may be cut off (RFC 8446 section 6.1).
        /// Many HTTP clients end idle connections in this way, so it is worth a word only inside a message.
        case truncated
        /// A record that does not decrypt, a message out of place, or an alert from the other side after the handshake.
        case protocolViolation
    }

    /// What kind of failure it is.
    package var code: Code
    /// OpenSSL's own text for it; never data of the connection.
    package var reason: String
    /// The alert that the other side sent, where that is what ended the connection (RFC 8446 section 6.2).
    package var alertReceived: UInt8?

    /// An error of the handler's own making; what libssl reports goes through `last`.
    package init(code: Code, reason: String = "", alertReceived: UInt8? = nil) {
        self.code = code
        self.reason = reason
        self.alertReceived = alertReceived
    }

    /// For a log line: the code and OpenSSL's text.
    package var description: String { reason.isEmpty ? "TLS: \(code)" : "TLS: \(code): \(reason)" }

    /// Drains the thread's error queue, so it must be made right after the call that failed.
    static func last(_ code: Code) -> TLSError {
        let queue = ErrorQueue.drain()
        return TLSError(code: code, reason: queue.reason, alertReceived: queue.alertReceived)
    }
}
