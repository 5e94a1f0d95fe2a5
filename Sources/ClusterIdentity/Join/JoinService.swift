internal import Keyring
package import Logging
internal import OpenSSL
internal import Raft
package import SecretStore

/// Decides on a request to join. Called on any thread.
package protocol JoinService: Sendable {
    /// Lets the node in, or says why not. The same key with the same token gets the same node id again.
    func admit(_ request: JoinRequest) async throws(JoinRefusal) -> JoinGrant
}

/// The service of a member: the token is used up and the node registered by one entry of the log, then the certificate is issued.
package struct ClusterJoinService: JoinService {
    private let store: SecretStore
    private let now: @Sendable () -> Timestamp
    private let propose: ClusterProposer
    private let logger: Logger

    package init(store: SecretStore, logger: Logger, now: @escaping @Sendable () -> Timestamp, propose: @escaping ClusterProposer) {
        self.store = store
        self.logger = logger
        self.now = now
        self.propose = propose
    }

    package func admit(_ request: JoinRequest) async throws(JoinRefusal) -> JoinGrant {
        let verified: CertificateRequest
        do throws(CertificateError) {
            verified = try CertificateRequest(verifying: request.certificateRequest)
        } catch {
            throw .malformed
        }
        let now = now()
        // Neither time can be so far from 1970 that the difference overflows.
        guard abs(now.millisecondsSince1970 - request.sentAt.millisecondsSince1970) <= JoinProtocol.clockDifferenceMax else { throw .clocksDiffer }
        let node = NewNode(
            name: request.name, peerAddress: request.peerAddress, apiAddress: request.apiAddress, publicKey: verified.publicKeySHA256,
            version: request.version)
        let outcome: Outcome
        do {
            outcome = try await propose(.admitNode(tokenHash: SHA256.hash(request.secret.bytes), node))
        } catch {
            logger.warning("a node cannot be let in now", metadata: ["reason": "\(error)"])
            throw .unavailable
        }
        guard case .node(let id) = outcome else { throw Self.refusal(outcome) }
        do {
            return try grant(id, verified, now: now)
        } catch {
            logger.error("a node was let in and cannot be given its certificate", metadata: ["node": "\(id)", "reason": "\(error)"])
            throw .unavailable
        }
    }

    private func grant(_ id: NodeID, _ request: CertificateRequest, now: Timestamp) throws -> JoinGrant {
        guard let registry = try store.clusterRegistry(), registry.nodes.contains(where: { $0.id == id }) else { throw JoinRefusal.unavailable }
        let authority = try ClusterAuthority(registry.cluster, keyring: store.keyring)
        let certificate = try authority.nodeCertificate(for: id, request: request, now: now.millisecondsSince1970 / 1_000)
        return JoinGrant(
            clusterID: store.keyring.clusterID, region: registry.cluster.region, node: id, authorityPEM: registry.cluster.authorityPEM,
            certificatePEM: certificate.pem, keyring: store.keyring.exportForJoin(), nodes: registry.nodes,
            generation: registry.cluster.generation)
    }

    private static func refusal(_ outcome: Outcome) -> JoinRefusal {
        switch outcome {
        case .failed(.cluster(.joinTokenUnknown)), .failed(.cluster(.joinTokenUsed)): .tokenUnknown
        case .failed(.cluster(.joinTokenExpired)): .tokenExpired
        case .failed(.cluster(.nodeRemoved)), .failed(.cluster(.nodeKeyTaken)): .keyRefused
        default: .unavailable
        }
    }
}
