import OpenSSL

/// Why a connection ended.
enum LinkFailure: Sendable {
    /// TLS or the hello said no, by us.
    case noIdentity
    case wrongCluster
    case wrongIdentity
    case notAllowed
    case noCommonVersion
    case handshakeTimedOut
    case crowdedOut
    /// The other side said no, or goodbye.
    case refused(LinkEnd)
    case closedByPeer(LinkEnd)
    /// The connection ended without a word.
    case closed
    /// We wanted it to end.
    case closedHere(LinkEnd)
    case malformed(WireError)
    case unexpectedFrame(FrameKind)
    /// The other side does not read the answers that it asks for.
    case answersPileUp
    case tls(TLSError)
    case transport(String)

    init(_ error: any Error) {
        self = (error as? TLSError).map { .tls($0) } ?? .transport("\(error)")
    }

    /// The kind of failure, from a closed set.
    var label: String {
        switch self {
        case .noIdentity: "certificate without node identity"
        case .wrongCluster: "certificate of another cluster"
        case .wrongIdentity: "hello contradicts certificate"
        case .notAllowed: "node not allowed"
        case .noCommonVersion: "no common protocol version"
        case .handshakeTimedOut: "handshake timed out"
        case .crowdedOut: "too many unauthenticated connections"
        case .refused: "refused by peer"
        case .closedByPeer: "closed by peer"
        case .closed: "connection ended"
        case .closedHere: "closed"
        case .malformed: "malformed frame"
        case .unexpectedFrame: "unexpected frame"
        case .answersPileUp: "answers are not read"
        case .tls(let error): Self.label(error.code)
        case .transport: "connection failed"
        }
    }

    private static func label(_ code: TLSError.Code) -> String {
        switch code {
        case .configuration: "TLS is not configured"
        case .handshakeFailed: "TLS handshake failed"
        case .peerCertificateRejected: "certificate rejected"
        case .noApplicationProtocol: "no application protocol"
        case .handshakeTimedOut: "handshake timed out"
        case .closedInHandshake: "ended in the handshake"
        case .truncated: "connection ended"
        case .protocolViolation: "TLS alert or broken record"
        }
    }

    /// What there is to say beyond the label; never bytes of the connection.
    var detail: String? {
        switch self {
        case .noIdentity, .wrongCluster, .wrongIdentity, .notAllowed, .noCommonVersion, .handshakeTimedOut, .crowdedOut, .closed, .answersPileUp:
            nil
        case .refused(let end), .closedByPeer(let end), .closedHere(let end): end.description
        case .malformed(let error): "\(error)"
        case .unexpectedFrame(let kind): "\(kind)"
        case .tls(let error): error.description
        case .transport(let text): text
        }
    }

    /// What to tell the other side, where it is worth a frame; garbage gets no answer.
    var farewell: LinkEnd? {
        switch self {
        case .noCommonVersion: .noCommonVersion
        case .wrongCluster: .wrongCluster
        case .wrongIdentity: .wrongIdentity
        case .notAllowed: .notAllowed
        case .closedHere(let end): end
        case .malformed, .unexpectedFrame, .answersPileUp: .protocolError
        case .noIdentity, .handshakeTimedOut, .crowdedOut, .refused, .closedByPeer, .closed, .tls, .transport: nil
        }
    }
}
