internal import ClusterIdentity
internal import Logging
internal import NIOCore
internal import OpenSSL
internal import PeerLinks
internal import Raft
internal import SecretStore

/// Node certificates renew by themselves: the new key is published in the registry, where the others look it up, before it is used.
extension PeerDesk {
    func renewIfDue() {
        guard !isRenewing, let certificate = try? Certificate(pem: identity.certificatePEM),
            CertificateRenewal.isDue(certificate, now: WallClock.seconds)
        else { return }
        isRenewing = true
        let (node, store, identity, path) = (node, store, identity, identityFile)
        let promise = node.eventLoop.makePromise(of: NodeIdentity.self)
        promise.completeWithTask {
            let key = try PrivateKey.generateP256()
            let service = RenewalService(store: store, now: { WallClock.now }) { try await node.change($0, store: store) }
            let request = RenewalRequest(certificateRequest: try CertificateRequest.make(for: key))
            switch await service.renew(request, node: identity.node, shownKey: certificate.publicKeySHA256) {
            case .refused(let refusal): throw refusal
            case .granted(let certificatePEM, let authorityPEM):
                let renewed = NodeIdentity(
                    clusterID: identity.clusterID, node: identity.node, certificatePEM: certificatePEM, authorityPEM: authorityPEM,
                    privateKeyPEM: try key.pem())
                try renewed.write(to: path, keyring: store.keyring)
                return renewed
            }
        }
        promise.futureResult.assumeIsolated().whenComplete { [self] result in
            isRenewing = false
            do {
                let renewed = try result.get()
                self.identity = renewed
                try transport.update(credential: renewed.credential, authoritiesPEM: renewed.authorityPEM)
                logger.notice("the node certificate is renewed")
            } catch {
                logger.warning("the node certificate cannot be renewed; it is tried again", metadata: ["error": "\(error)"])
            }
        }
    }
}
