import Foundation
import Keyring
import LMDB
import OpenSSL
import Raft
import SecretStore
import Synchronization

@testable import ClusterIdentity

/// A cluster of one node whose log is a counter: proposals are applied directly to a real store.
final class TestCluster: Sendable {
    static let version = "1.0"

    let directory: TemporaryDirectory
    let store: SecretStore
    let logs = LogCapture()
    /// The certificate and key of the first node.
    let first: NodeIdentity
    private let index = Mutex<UInt64>(0)

    var keyring: Keyring { store.keyring }

    static var now: Timestamp { Timestamp(millisecondsSince1970: Int64(Date().timeIntervalSince1970 * 1_000)) }
    static var nowSeconds: Int64 { now.millisecondsSince1970 / 1_000 }

    /// - Parameter ageSeconds: How long ago the authority and the first node's certificate were issued.
    init(ageSeconds: Int64 = 0) throws {
        directory = try TemporaryDirectory()
        let keyring = Keyring.forTesting(clusterID: Keyring.randomIdentifier())
        var configuration = Environment.Configuration(path: directory.path + "/state")
        configuration.durability = .noMetaSync
        store = try SecretStore(environment: try Environment(configuration), keyring: keyring, scope: ARNScope(region: "eu-north-1"))
        let issued = Self.nowSeconds - ageSeconds
        let (authorityPEM, sealedKey) = try ClusterAuthority.make(keyring: keyring, now: issued)
        let key = try PrivateKey.generateP256()
        let node = NewNode(peerAddress: .of("127.0.0.1:7000"), apiAddress: .of("127.0.0.1:8443"), publicKey: try key.publicKeySHA256(), version: Self.version)
        let create = ClusterCommand.createCluster(CreateCluster(authorityPEM: authorityPEM, sealedAuthorityKey: sealedKey, firstNode: node))
        _ = try Self.apply(create, store: store, index: index)
        guard let record = try store.clusterRecord() else { preconditionFailure("the cluster was made a line above") }
        let authority = try ClusterAuthority(record, keyring: keyring)
        let request = try CertificateRequest(verifying: CertificateRequest.make(for: key))
        let certificate = try authority.nodeCertificate(for: NodeID(1), request: request, now: issued)
        first = NodeIdentity(
            clusterID: keyring.clusterID, node: NodeID(1), certificatePEM: certificate.pem, authorityPEM: authorityPEM, privateKeyPEM: try key.pem())
    }

    @discardableResult
    func apply(_ command: ClusterCommand) throws -> Outcome { try Self.apply(command, store: store, index: index) }

    private static func apply(_ command: ClusterCommand, store: SecretStore, index: borrowing Mutex<UInt64>) throws -> Outcome {
        guard let account = AccountID("123456789012") else { preconditionFailure("twelve digits are an account") }
        return try index.withLock { index in
            index += 1
            let mutation = Mutation(account: account, at: now, keyTerm: store.keyring.currentTerm, command: .cluster(command))
            return try store.environment.write { txn in try store.apply(mutation, at: index, in: &txn) }
        }
    }

    /// A token that is good for `seconds` from now; negative: that ended so long ago.
    func makeToken(seconds: Int64 = 600) throws -> JoinToken {
        let token = JoinToken.make(authority: try Certificate(pem: first.authorityPEM))
        let end = Timestamp(millisecondsSince1970: Self.now.millisecondsSince1970 + seconds * 1_000)
        try apply(.createJoinToken(hash: token.secretHash, expiresAt: end))
        return token
    }

    var joinService: ClusterJoinService {
        ClusterJoinService(store: store, logger: logs.logger, now: { Self.now }) { [self] in try apply($0) }
    }

    var renewalService: RenewalService { RenewalService(store: store, now: { Self.now }) { [self] in try apply($0) } }
}

extension NodeAddress {
    static func of(_ text: String) -> NodeAddress {
        guard let address = NodeAddress(text) else { preconditionFailure("the test names a valid address") }
        return address
    }
}
