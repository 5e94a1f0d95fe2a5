package import OpenSSL
package import Raft

/// What changes the registry of nodes. Times are the mutation's `at`.
package enum ClusterCommand: Equatable, Sendable {
    /// Makes the one cluster record, and its first node. The answer is that node's id.
    case createCluster(CreateCluster)
    /// Lets one node join until then. `hash` is the SHA-256 of the token's secret.
    case createJoinToken(hash: Digest, expiresAt: Timestamp)
    /// Uses up a token for a new node. The answer is the node's id; the same key with the same token gets the same answer again.
    case admitNode(tokenHash: Digest, NewNode)
    case updateNode(UpdateNode)
    /// For ever. A node that was removed already stays removed.
    case removeNode(NodeID)
}

package struct CreateCluster: Equatable, Sendable {
    package var authorityPEM: String
    /// The authority's private key, sealed by the keyring.
    package var sealedAuthorityKey: [UInt8]
    package var firstNode: NewNode

    package init(authorityPEM: String, sealedAuthorityKey: [UInt8], firstNode: NewNode) {
        self.authorityPEM = authorityPEM
        self.sealedAuthorityKey = sealedAuthorityKey
        self.firstNode = firstNode
    }
}

/// What a node says of itself when it comes. Its id is not among it.
package struct NewNode: Equatable, Sendable {
    package var name: String?
    package var peerAddress: NodeAddress
    package var apiAddress: NodeAddress
    /// SHA-256 of its public key; it has proved that it holds the private one.
    package var publicKey: Digest
    package var version: String

    package init(name: String? = nil, peerAddress: NodeAddress, apiAddress: NodeAddress, publicKey: Digest, version: String) {
        self.name = name
        self.peerAddress = peerAddress
        self.apiAddress = apiAddress
        self.publicKey = publicKey
        self.version = version
    }
}

/// Changes what is said of an active node. Members that are nil stay as they are.
package struct UpdateNode: Equatable, Sendable {
    /// A node may show `next` from now on, and goes on showing `current`, the key that it proved to hold when it asked. Any third
    /// key is forgotten. Both the same: only that one from now on.
    package struct KeyChange: Equatable, Sendable {
        package var current: Digest
        package var next: Digest

        package init(current: Digest, next: Digest) {
            self.current = current
            self.next = next
        }
    }

    package var id: NodeID
    package var peerAddress: NodeAddress?
    package var apiAddress: NodeAddress?
    package var keys: KeyChange?
    package var version: String?

    package init(
        id: NodeID, peerAddress: NodeAddress? = nil, apiAddress: NodeAddress? = nil, keys: KeyChange? = nil, version: String? = nil
    ) {
        self.id = id
        self.peerAddress = peerAddress
        self.apiAddress = apiAddress
        self.keys = keys
        self.version = version
    }
}

/// Why a ``ClusterCommand`` is refused.
package enum ClusterFailure: Error, Hashable, Sendable {
    case clusterAlreadyExists
    /// No ``ClusterCommand/createCluster(_:)`` was applied yet.
    case clusterNotFound
    /// Never made, or forgotten since.
    case joinTokenUnknown
    case joinTokenExpired
    /// Another key has joined with it.
    case joinTokenUsed
    case joinTokenAlreadyExists
    /// ``Limits/joinTokensMax`` are there.
    case tooManyJoinTokens
    case nodeNotFound(NodeID)
    /// The node of this id, or of this key, was removed.
    case nodeRemoved(NodeID)
    /// The key belongs to that node.
    case nodeKeyTaken(NodeID)
    /// The key that the node showed is not one of its own.
    case nodeKeyUnknown
    /// The only active node cannot be removed.
    case lastNode
}
