package import Keyring
internal import NIOCore
package import OpenSSL
internal import PeerLinks
package import Raft

/// What a node keeps on disk about itself: which node of which cluster it is, and the certificate and key that prove it.
///
/// The key lies sealed by the keyring for this cluster and node: the file is worth nothing without the keyring, and no other node's
/// keyring entry opens it under another id.
package struct NodeIdentity: Sendable {
    private static let magic = "conclave-identity-1"
    private static let sealTable = "identity"
    private static let textBytesMax = 16_384

    package var clusterID: String
    package var node: NodeID
    /// The node certificate.
    package var certificatePEM: String
    /// The cluster's authority.
    package var authorityPEM: String
    /// PKCS #8 in PEM.
    package var privateKeyPEM: SecretBytes

    package init(clusterID: String, node: NodeID, certificatePEM: String, authorityPEM: String, privateKeyPEM: SecretBytes) {
        self.clusterID = clusterID
        self.node = node
        self.certificatePEM = certificatePEM
        self.authorityPEM = authorityPEM
        self.privateKeyPEM = privateKeyPEM
    }

    /// The identity that a join gave.
    package init(_ grant: JoinGrant, key: PrivateKey) throws(CertificateError) {
        self.init(
            clusterID: grant.clusterID, node: grant.node, certificatePEM: grant.certificatePEM, authorityPEM: grant.authorityPEM,
            privateKeyPEM: try key.pem())
    }

    /// Certificate chain (the authority included, for nodes that join) and key, for TLS.
    package var credential: Credential { Credential(certificatePEM: certificatePEM + authorityPEM, privateKeyPEM: privateKeyPEM) }

    /// Writes the file, durably and as a whole.
    ///
    /// - Throws: ``KeyringError/file(_:)``.
    package func write(to path: String, keyring: Keyring) throws(KeyringError) {
        let sealed = try keyring.sealRecord(
            privateKeyPEM.bytes, table: Self.sealTable, key: Self.sealKey(node).span.bytes, revision: 1, term: keyring.currentTerm)
        var buffer = ByteBuffer()
        for text in [Self.magic, clusterID] { buffer.writeField(text) }
        buffer.writeInteger(node.raw)
        for text in [certificatePEM, authorityPEM] { buffer.writeField(text) }
        buffer.writeField(sealed)
        let content = Array(buffer.readableBytesView)
        try PrivateFile.write(content.span.bytes, to: path)
    }

    /// Reads the file of a node, and checks that it is of this cluster and that its parts belong together.
    ///
    /// - Throws: ``KeyringError/file(_:)`` with a sentence; ``KeyringError/notAuthentic`` for a key that another keyring sealed.
    package static func read(from path: String, keyring: Keyring) throws(KeyringError) -> NodeIdentity {
        let bytes = try PrivateFile.read(path).withUnsafeBytes { ByteBuffer(bytes: $0) }
        var reader = FieldReader(bytes)
        let (clusterID, node, certificatePEM, authorityPEM, sealed): (String, NodeID, String, String, [UInt8])
        do throws(MalformedMessage) {
            guard try reader.text(max: textBytesMax) == magic else { throw MalformedMessage() }
            clusterID = try reader.text(max: textBytesMax)
            node = NodeID(try reader.number())
            certificatePEM = try reader.text(max: textBytesMax)
            authorityPEM = try reader.text(max: textBytesMax)
            sealed = try reader.field(max: textBytesMax)
            try reader.finish()
        } catch {
            throw .file("'\(path)' is not an identity of this version of conclave")
        }
        guard clusterID == keyring.clusterID else { throw .file("'\(path)' is of cluster '\(clusterID)', and the keyring beside it of '\(keyring.clusterID)'") }
        var opened = try keyring.openRecord(sealed.span.bytes, table: sealTable, key: sealKey(node).span.bytes)
        let key = SecretBytes(copying: opened.span.bytes)
        opened.withUnsafeMutableBytes { wipe($0) }
        let identity = NodeIdentity(
            clusterID: clusterID, node: node, certificatePEM: certificatePEM, authorityPEM: authorityPEM, privateKeyPEM: key)
        guard identity.isConsistent else { throw .file("'\(path)' holds a certificate that is not for its node and key; restore it, or join anew") }
        return identity
    }

    /// Whether the certificate is for this node of this cluster and for this key.
    private var isConsistent: Bool {
        do throws(CertificateError) {
            let certificate = try Certificate(pem: certificatePEM)
            let publicKey = try PrivateKey(pem: privateKeyPEM).publicKeySHA256()
            guard let named = PeerIdentity(certificate: certificate), certificate.publicKeySHA256 == publicKey else { return false }
            return named == PeerIdentity(cluster: clusterID, node: node)
        } catch {
            return false
        }
    }

    private static func sealKey(_ node: NodeID) -> [UInt8] { Array("node/\(node)".utf8) }
}
