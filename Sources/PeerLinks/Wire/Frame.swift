package import NIOCore
package import Raft

/// One unit of what nodes say to each other on a link.
package enum Frame: Hashable, Sendable {
    /// First from the caller.
    case hello(Hello)
    /// First from the called: who it is, and the version both speak from now on.
    case helloReply(version: UInt16, Hello)
    /// In place of a ``helloReply(version:_:)``; the connection ends.
    case refusal(LinkEnd)
    /// Last word of a link.
    case close(LinkEnd)
    /// Asks for a ``pong(_:)`` with the same number.
    case ping(UInt64)
    /// Number 0 answers nobody: it only says that bytes are arriving.
    case pong(UInt64)
    /// A question of the node's own; the link does not look into `body`.
    case request(id: UInt64, kind: UInt16, body: ByteBuffer)
    /// Answers the request with the same id on the same connection.
    case reply(id: UInt64, PeerReply)
    /// A message of the core, without the two ends: those are the link's.
    case raft(Term, Message.Payload)
}

/// What the two sides of a connection tell each other first. The certificate has said the same, and decides.
package struct Hello: Hashable, Sendable {
    package var versions: ClosedRange<UInt16>
    package var cluster: String
    package var node: NodeID
    package var role: LinkRole
    /// For people only.
    package var buildVersion: String

    package init(versions: ClosedRange<UInt16>, cluster: String, node: NodeID, role: LinkRole, buildVersion: String) {
        self.versions = versions
        self.cluster = cluster
        self.node = node
        self.role = role
        self.buildVersion = buildVersion
    }
}

/// What a connection is for. The numbers are part of the protocol.
package enum LinkRole: UInt8, CaseIterable, Sendable {
    /// Everything that is small or urgent, and the requests.
    case control = 1
    /// Snapshot chunks: a megabyte under way must not delay a heartbeat.
    case bulk = 2
}

/// An answer to a request.
package struct PeerReply: Hashable, Sendable {
    /// The node's own code, except for the ones defined here.
    package var status: UInt16
    package var body: ByteBuffer

    /// The asked node has no answer: it failed, is overloaded, or the answer does not fit into a frame.
    package static let noAnswer: UInt16 = .max

    package init(status: UInt16, body: ByteBuffer) {
        self.status = status
        self.body = body
    }
}

/// Why one side ends a link or does not begin it. Numbers that this program does not know are possible and mean only the end.
package struct LinkEnd: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let noCommonVersion = LinkEnd(rawValue: 1)
    /// Of another cluster.
    package static let wrongCluster = LinkEnd(rawValue: 2)
    /// What the hello says is not what the certificate says.
    package static let wrongIdentity = LinkEnd(rawValue: 3)
    /// Not a member, or not any more.
    package static let notAllowed = LinkEnd(rawValue: 4)
    /// Something that is not in the protocol was received.
    package static let protocolError = LinkEnd(rawValue: 5)
    package static let shuttingDown = LinkEnd(rawValue: 6)
    /// A newer connection of the same node took the place of this one.
    package static let replaced = LinkEnd(rawValue: 7)
    /// Nothing was heard for too long.
    package static let silent = LinkEnd(rawValue: 8)
    /// The link is not wanted at the moment: the peer's address changed, or the node asked for its end.
    package static let notWanted = LinkEnd(rawValue: 9)

    package var description: String {
        switch self {
        case .noCommonVersion: "no protocol version in common"
        case .wrongCluster: "another cluster"
        case .wrongIdentity: "the hello contradicts the certificate"
        case .notAllowed: "not a member of the cluster"
        case .protocolError: "protocol error"
        case .shuttingDown: "shutting down"
        case .replaced: "replaced by a newer connection"
        case .silent: "silent for too long"
        case .notWanted: "not wanted"
        default: "reason \(rawValue)"
        }
    }
}
