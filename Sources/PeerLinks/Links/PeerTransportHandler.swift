package import NIOCore
package import OpenSSL
package import Raft

/// What a transport tells and asks the node that it belongs to. Called on the transport's event loop, and not after its shutdown began.
package protocol PeerTransportHandler: AnyObject {
    /// A message of the core arrived. Its two ends are those of the link: the authenticated sender, and this node.
    func received(_ message: Message)

    /// The control connection that this node made to `node` is there, or is gone.
    func connectionChanged(_ node: NodeID, isUp: Bool)

    /// A peer asks something. The future may complete on any event loop; its failure is answered with ``PeerReply/noAnswer``.
    func answer(kind: UInt16, body: ByteBuffer, from node: NodeID) -> EventLoopFuture<PeerReply>

    /// Whether a node with a certificate of this cluster may be linked: known, not removed, its key or serial number not revoked.
    /// Asked once for each connection, in both directions.
    func isAllowed(_ node: NodeID, certificate: Certificate) -> Bool
}

/// Why a transport cannot be.
package enum PeerTransportError: Error, Hashable, Sendable {
    /// The certificate does not name this node of this cluster as its only identity.
    case credentialNamesAnotherNode
    case tls(TLSError)
    /// Started twice, or after its end.
    case notStartable
}

/// Why a request has no answer.
package enum PeerRequestError: Error, Hashable, Sendable {
    /// There is no connection to the node now. The request was not sent.
    case notConnected
    /// Too much waits for this node. The request was not sent.
    case queueFull
    /// The body does not fit into a frame. The request was not sent.
    case tooLarge
    /// No answer in time; it may have been acted on.
    case timedOut
    /// The connection ended before the answer; it may have been acted on.
    case connectionLost
    /// The other node says that it has no answer.
    case notAnswered
}
