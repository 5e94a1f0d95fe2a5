package import OpenSSL
internal import PeerLinks
package import Raft
package import SecretStore
internal import Synchronization

/// Which peers may speak: active nodes of this cluster, by the keys that the registry holds of them.
///
/// Answers from a copy of the registry, so it can be asked inside a handshake; whoever applies entries calls
/// ``refresh(from:)`` after a commit that changed a node. Safe from any thread.
package final class PeerAdmission: Sendable {
    private struct Members {
        var generation: UInt64 = 0
        var nodes: [NodeID: NodeRecord] = [:]
    }

    private let clusterID: String
    private let members = Mutex(Members())

    /// Admits nobody before the first refresh.
    package init(clusterID: String) { self.clusterID = clusterID }

    /// Takes over the registry as it is committed now. Does nothing for one that is older than what was taken over before.
    package func refresh(from store: SecretStore) throws {
        if let registry = try store.clusterRegistry() { refresh(from: registry) }
    }

    package func refresh(from registry: ClusterRegistry) {
        members.withLock { members in
            guard registry.cluster.generation > members.generation else { return }
            members.generation = registry.cluster.generation
            members.nodes = Dictionary(uniqueKeysWithValues: registry.nodes.map { ($0.id, $0) })
        }
    }

    /// Generation of the copy; 0 before the first refresh.
    package var generation: UInt64 { members.withLock { $0.generation } }

    /// Whether the node is active and may show that key (SHA-256 of its SubjectPublicKeyInfo).
    package func isAllowed(_ node: NodeID, publicKey: Digest) -> Bool {
        members.withLock { $0.nodes[node]?.admits(publicKey) ?? false }
    }

    /// The node that a certificate is for, when it may speak; nil for another cluster's, an unknown or removed node, or a key that
    /// is not its own. The certificate's chain, time and purpose are the handshake's to verify.
    package func node(of certificate: Certificate) -> NodeID? {
        guard let identity = PeerIdentity(certificate: certificate), identity.cluster == clusterID else { return nil }
        return isAllowed(identity.node, publicKey: certificate.publicKeySHA256) ? identity.node : nil
    }
}
