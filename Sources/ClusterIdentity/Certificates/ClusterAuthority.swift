package import Keyring
package import OpenSSL
internal import PeerLinks
package import Raft
package import SecretStore

/// The certificate authority of a cluster. Every node can use it: its key is replicated, sealed by the keyring.
///
/// Names and ids in what it issues come from the registry, never from a request. Safe from any thread; reads no clock.
package struct ClusterAuthority: Sendable {
    /// How long the authority holds, in days. Clients keep its certificate, so it outlives the hardware.
    package static let validityDays = 3_650
    /// How long a node certificate holds, in seconds: 30 days (crypto.md section 7.2).
    package static let nodeValiditySeconds: Int64 = 30 * 86_400
    /// How long a certificate of the API listener holds, in seconds: 90 days.
    package static let apiValiditySeconds: Int64 = 90 * 86_400
    // Where the sealed key belongs: it opens nowhere else.
    private static let sealTable = "tls"
    private static let sealKey = Array("authority-key".utf8)

    private let authority: CertificateAuthority
    private let clusterID: String

    /// Makes the authority of a new cluster.
    ///
    /// - Parameter now: Seconds since 1970.
    /// - Returns: Its certificate, and its key sealed by the keyring: for ``CreateCluster``.
    package static func make(keyring: Keyring, now: Int64) throws -> (authorityPEM: String, sealedKey: [UInt8]) {
        let made = try CertificateAuthority.make(commonName: "Conclave \(keyring.clusterID.prefix(8))", validityDays: validityDays, now: now)
        let key = try made.privateKeyPEM()
        let sealed = try keyring.sealRecord(key.bytes, table: sealTable, key: sealKey.span.bytes, revision: 1, term: keyring.currentTerm)
        return (made.certificatePEM, sealed)
    }

    /// Opens the authority of a cluster.
    ///
    /// - Throws: `KeyringError` for a key that this keyring did not seal; `CertificateError` when key and certificate do not match.
    package init(_ record: ClusterRecord, keyring: Keyring) throws {
        var opened = try keyring.openRecord(record.sealedAuthorityKey.span.bytes, table: Self.sealTable, key: Self.sealKey.span.bytes)
        let key = SecretBytes(copying: opened.span.bytes)
        opened.withUnsafeMutableBytes { wipe($0) }
        authority = try CertificateAuthority(certificatePEM: record.authorityPEM, privateKeyPEM: key)
        clusterID = keyring.clusterID
    }

    /// The authority's certificate: what others trust.
    package var certificate: Certificate { authority.certificate }

    /// A certificate for both ends of the links between nodes, for a key whose owner has proved that it is that node.
    ///
    /// - Parameter now: Seconds since 1970.
    package func nodeCertificate(for node: NodeID, request: CertificateRequest, now: Int64) throws(CertificateError) -> Certificate {
        guard let identity = PeerIdentity(cluster: clusterID, node: node) else {
            preconditionFailure("a keyring's cluster id is hexadecimal digits")
        }
        let template = CertificateTemplate(
            commonName: "conclave node \(node)", names: [.uri(identity.uri)], purposes: [.serverAuthentication, .clientAuthentication],
            validitySeconds: Self.nodeValiditySeconds)
        return try authority.issue(template, publicKeyPEM: request.publicKeyPEM, now: now)
    }

    /// A certificate with a new key for the API listener, so that one file of authorities trusts all nodes. No node certificate: it
    /// has no URI and is for servers only.
    ///
    /// - Parameters:
    ///   - names: DNS names and IP addresses that clients use.
    ///   - now: Seconds since 1970.
    package func apiCredential(names: [SubjectAlternativeName], now: Int64) throws(CertificateError) -> Credential {
        let template = CertificateTemplate(
            commonName: "conclave", names: names, purposes: [.serverAuthentication], validitySeconds: Self.apiValiditySeconds)
        return try authority.issue(template, now: now)
    }
}
