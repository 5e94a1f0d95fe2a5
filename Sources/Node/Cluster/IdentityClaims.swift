internal import NIOCore
internal import Raft

/// Which process speaks for each other node, as this node has heard: two processes must never act for one node, nor one whose disk went back in
/// time, or votes and acknowledgements could be given twice.
///
/// A node claims its identity from every peer before it takes part, and again every second.
struct IdentityClaims {
    struct Claim: Hashable {
        /// Of the node's life, from a counter on its disk.
        let incarnation: UInt64
        /// Of the process alone.
        let nonce: UInt64
    }

    enum Refusal: UInt16, Error {
        /// Another process speaks for this node right now: a copied data directory, most likely.
        case otherProcess = 1
        /// A later life of this node was seen: an old backup of its disk, most likely.
        case olderLife = 2

        var sentence: String {
            switch self {
            case .otherProcess:
                "another process runs with the identity of this node; a data directory must never be copied: stop one of them, remove the node and join anew"
            case .olderLife:
                "this data directory is older than what the other nodes have seen of this node; it was restored from a backup: remove the node and join anew"
            }
        }
    }

    private var claims: [NodeID: (claim: Claim, at: NIODeadline)] = [:]
    /// After this without a word the process that made a claim may be gone.
    private static let silence = TimeAmount.seconds(3)

    /// The link to a node broke: the process that spoke for it may be gone, and a restarted one need not wait.
    mutating func release(_ node: NodeID) {
        if let known = claims[node] { claims[node] = (known.claim, known.at - Self.silence) }
    }

    /// A node says who speaks for it. The first process keeps its place as long as it goes on saying so.
    mutating func note(_ claim: Claim, of node: NodeID, at now: NIODeadline) throws(Refusal) {
        if let known = claims[node], known.claim != claim {
            if now - known.at < Self.silence, known.claim.nonce != claim.nonce { throw .otherProcess }
            guard claim.incarnation > known.claim.incarnation else { throw .olderLife }
        }
        claims[node] = (claim, now)
    }
}
