import Foundation
import OpenSSL
import PeerLinks
import Raft
import Testing

/// Authorities and credentials, made once per run.
enum TestCluster {
    static let id = "cluster-test"
    static let authority = makeAuthority("Test Cluster")
    /// An authority that the cluster does not trust.
    static let stranger = makeAuthority("Another Cluster")

    static func identity(_ node: UInt64, cluster: String = id) -> PeerIdentity {
        guard let identity = PeerIdentity(cluster: cluster, node: NodeID(node)) else { preconditionFailure("a good cluster id") }
        return identity
    }

    static func credential(
        _ node: UInt64, cluster: String = id, by issuer: CertificateAuthority = authority, validitySeconds: Int64 = 86_400
    ) -> Credential {
        credential(uris: [identity(node, cluster: cluster).uri], by: issuer, validitySeconds: validitySeconds)
    }

    static func credential(uris: [String], by issuer: CertificateAuthority = authority, validitySeconds: Int64 = 86_400) -> Credential {
        let names = uris.map { SubjectAlternativeName.uri($0) } + [.dns("localhost")]
        let template = CertificateTemplate(
            commonName: "node", names: names, purposes: [.serverAuthentication, .clientAuthentication], validitySeconds: validitySeconds)
        do { return try issuer.issue(template, now: now) } catch { preconditionFailure("test certificate: \(error)") }
    }

    static func serial(_ credential: Credential) throws -> [UInt8] { try Certificate(pem: credential.certificatePEM).serialNumber }

    private static let now = Int64(Date.now.timeIntervalSince1970)

    private static func makeAuthority(_ name: String) -> CertificateAuthority {
        do { return try .make(commonName: name, validityDays: 365, now: now - 86_400) } catch { preconditionFailure("test authority: \(error)") }
    }
}
