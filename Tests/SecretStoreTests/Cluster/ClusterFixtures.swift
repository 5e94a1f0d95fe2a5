import OpenSSL
import struct Raft.NodeID

@testable import SecretStore

/// Short forms for the registry of nodes.
extension StoreFixture {
    static let dayMilliseconds: Int64 = 86_400_000

    func cluster(_ command: ClusterCommand, at time: Timestamp? = nil) throws -> Outcome { try apply(.cluster(command), at: time) }

    /// A cluster whose first node has the key `first`.
    func createCluster() throws -> Outcome {
        try cluster(.createCluster(CreateCluster(authorityPEM: "CA", sealedAuthorityKey: [1, 2], firstNode: .of("first"))))
    }

    /// A token that is good for ten minutes from now.
    func createToken(_ token: String) throws -> Outcome {
        try cluster(.createJoinToken(hash: .of(token), expiresAt: now.adding(milliseconds: 600_000)))
    }

    func admit(_ key: String, token: String, at time: Timestamp? = nil) throws -> Outcome {
        try cluster(.admitNode(tokenHash: .of(token), .of(key)), at: time)
    }
}

extension Digest {
    static func of(_ text: String) -> Digest { SHA256.hash(text.utf8.span.bytes) }
}

extension NodeAddress {
    static func of(_ text: String) -> NodeAddress {
        guard let address = NodeAddress(text) else { preconditionFailure("the test names a valid address") }
        return address
    }
}

extension NewNode {
    static func of(_ key: String, name: String? = nil) -> NewNode {
        NewNode(
            name: name, peerAddress: .of("\(key).example:7000"), apiAddress: .of("\(key).example:8443"), publicKey: .of(key), version: "1.0")
    }
}
