import Foundation
import Keyring
import OpenSSL
import PeerLinks
import Raft
import SecretStore
import Testing

@testable import ClusterIdentity

private let clusterID = "0123456789abcdef0123456789abcdef"

@Suite("Admission of peers, and renewal of their certificates")
struct AdmissionTests {
    let cluster: TestCluster
    let admission: PeerAdmission

    init() throws {
        cluster = try TestCluster()
        admission = PeerAdmission(clusterID: cluster.keyring.clusterID)
    }

    private var certificate: Certificate { get throws { try Certificate(pem: cluster.first.certificatePEM) } }

    /// A node that has joined, with its certificate.
    private func join() async throws -> (grant: JoinGrant, key: PrivateKey) {
        let key = try PrivateKey.generateP256()
        let request = JoinRequest(
            secret: try cluster.makeToken().secret, certificateRequest: try CertificateRequest.make(for: key), name: nil,
            peerAddress: .of("a:1"), apiAddress: .of("b:2"), version: "1", sentAt: TestCluster.now)
        return (try await cluster.joinService.admit(request), key)
    }

    @Test("nobody before the first refresh; then active nodes, by their own keys, of this cluster only")
    func admitted() async throws {
        let first = try certificate
        #expect(admission.node(of: first) == nil)
        try admission.refresh(from: cluster.store)
        #expect(admission.node(of: first) == NodeID(1))
        let second = try await join()
        let certificate = try Certificate(pem: second.grant.certificatePEM)
        #expect(admission.node(of: certificate) == nil, "the copy is older than the join")
        try admission.refresh(from: cluster.store)
        #expect(admission.node(of: certificate) == NodeID(2))
        #expect(!admission.isAllowed(NodeID(1), publicKey: certificate.publicKeySHA256), "one node's key is not another's")
        #expect(!admission.isAllowed(NodeID(9), publicKey: certificate.publicKeySHA256))
        let elsewhere = PeerAdmission(clusterID: clusterID)
        try elsewhere.refresh(from: cluster.store)
        #expect(elsewhere.node(of: certificate) == nil)
    }

    @Test("a removed node is refused from the next refresh on, and an old copy does not bring it back")
    func removed() async throws {
        let certificate = try Certificate(pem: try await join().grant.certificatePEM)
        let before = try #require(try cluster.store.clusterRegistry())
        admission.refresh(from: before)
        try cluster.apply(.removeNode(NodeID(2)))
        #expect(admission.node(of: certificate) == NodeID(2))
        try admission.refresh(from: cluster.store)
        let first = try self.certificate
        #expect(admission.node(of: certificate) == nil && admission.node(of: first) == NodeID(1))
        admission.refresh(from: before)
        #expect(admission.node(of: certificate) == nil && admission.generation == before.cluster.generation + 1)
    }

    @Test("renewal is due when two thirds of the time are over")
    func due() throws {
        let certificate = try certificate
        let (start, end) = (certificate.notBefore, certificate.notAfter)
        let time = CertificateRenewal.time(for: certificate)
        #expect(abs((time - start) * 3 - (end - start) * 2) < 3)
        #expect(!CertificateRenewal.isDue(certificate, now: time - 1) && CertificateRenewal.isDue(certificate, now: time))
    }

    @Test("a renewed certificate is for the same node and a new key; old and new are admitted")
    func renewal() async throws {
        let key = try PrivateKey.generateP256()
        let old = try certificate
        let message = RenewalRequest(certificateRequest: try CertificateRequest.make(for: key)).encode()
        let request = try #require(RenewalRequest(decoding: message))
        let answer = await cluster.renewalService.renew(request, node: NodeID(1), shownKey: old.publicKeySHA256)
        guard case .granted(let pem, let authorityPEM)? = RenewalAnswer(decoding: answer.encode()) else {
            Issue.record("refused: \(answer)")
            return
        }
        let new = try Certificate(pem: pem)
        #expect(PeerIdentity(certificate: new) == PeerIdentity(certificate: old) && authorityPEM == cluster.first.authorityPEM)
        #expect(try new.publicKeySHA256 == key.publicKeySHA256())
        try new.verify(against: [try Certificate(pem: authorityPEM)], for: .clientAuthentication, now: TestCluster.nowSeconds)
        try admission.refresh(from: cluster.store)
        #expect(admission.node(of: old) == NodeID(1) && admission.node(of: new) == NodeID(1))
        // The next renewal is asked for with the new key; then the old one is over.
        let next = RenewalRequest(certificateRequest: try CertificateRequest.make(for: PrivateKey.generateP256()))
        _ = await cluster.renewalService.renew(next, node: NodeID(1), shownKey: new.publicKeySHA256)
        try admission.refresh(from: cluster.store)
        #expect(admission.node(of: old) == nil && admission.node(of: new) == NodeID(1))
    }

    @Test("whoever is no member, shows a key that is not its own, or wants another node's key, gets no certificate")
    func refusedRenewals() async throws {
        let (grant, key) = try await join()
        let service = cluster.renewalService
        let own = try Certificate(pem: grant.certificatePEM).publicKeySHA256
        let request = RenewalRequest(certificateRequest: try CertificateRequest.make(for: PrivateKey.generateP256()))
        #expect(await service.renew(request, node: NodeID(9), shownKey: own) == .refused(.notAMember))
        #expect(await service.renew(request, node: NodeID(1), shownKey: own) == .refused(.notAMember))
        let taken = RenewalRequest(certificateRequest: try CertificateRequest.make(for: key))
        #expect(await service.renew(taken, node: NodeID(1), shownKey: try certificate.publicKeySHA256) == .refused(.keyInUse))
        #expect(await service.renew(RenewalRequest(certificateRequest: [1, 2]), node: NodeID(2), shownKey: own) == .refused(.malformed))
        try cluster.apply(.removeNode(NodeID(2)))
        #expect(await service.renew(request, node: NodeID(2), shownKey: own) == .refused(.notAMember))
        struct NoLeader: Error {}
        let cut = RenewalService(store: cluster.store, now: { TestCluster.now }) { _ in throw NoLeader() }
        #expect(await cut.renew(request, node: NodeID(1), shownKey: try certificate.publicKeySHA256) == .refused(.unavailable))
        for refusal in [RenewalRefusal.malformed, .notAMember, .keyInUse, .unavailable] {
            #expect(RenewalAnswer(decoding: RenewalAnswer.refused(refusal).encode()) == .refused(refusal))
        }
        for bytes in [[], [9], [1, 1], [0], [0, 0, 0, 0, 1]] as [[UInt8]] { #expect(RenewalAnswer(decoding: bytes) == nil) }
        #expect(RenewalRequest(decoding: [UInt8](repeating: 0, count: 10_000)) == nil)
    }
}

@Suite("What a node keeps about itself")
struct NodeFilesTests {
    let cluster: TestCluster
    let directory: TemporaryDirectory
    var path: String { directory.path + "/file" }

    init() throws {
        cluster = try TestCluster()
        directory = try TemporaryDirectory()
    }

    @Test("an identity comes back, with its key, for the keyring of its cluster")
    func identity() throws {
        try cluster.first.write(to: path, keyring: cluster.keyring)
        let read = try NodeIdentity.read(from: path, keyring: cluster.keyring)
        #expect(read.node == NodeID(1) && read.clusterID == cluster.keyring.clusterID)
        #expect(read.certificatePEM == cluster.first.certificatePEM && read.authorityPEM == cluster.first.authorityPEM)
        let (readKey, writtenKey) = (read.privateKeyPEM, cluster.first.privateKeyPEM)
        let isEqual = isEqualInConstantTime(readKey.bytes, writtenKey.bytes)
        #expect(isEqual)
        #expect(throws: Never.self) {
            try TLSContext.peer(credential: read.credential, trusting: read.authorityPEM, applicationProtocol: "p") { _ in true }
        }
        #expect(try directory.content().range(of: Data("PRIVATE KEY".utf8)) == nil && !directory.content().isEmpty)
    }

    @Test("an identity of another cluster, under another keyring, with another's certificate or damaged is refused")
    func foreignIdentity() throws {
        try cluster.first.write(to: path, keyring: cluster.keyring)
        #expect(throws: KeyringError.self) { try NodeIdentity.read(from: path, keyring: .forTesting()) }
        #expect(throws: KeyringError.self) { try NodeIdentity.read(from: path, keyring: .forTesting(clusterID: cluster.keyring.clusterID)) }
        var other = cluster.first
        other.node = NodeID(2)
        try other.write(to: path, keyring: cluster.keyring)
        #expect(throws: KeyringError.self) { try NodeIdentity.read(from: path, keyring: cluster.keyring) }
        other = cluster.first
        other.privateKeyPEM = try PrivateKey.generateP256().pem()
        try other.write(to: path, keyring: cluster.keyring)
        #expect(throws: KeyringError.self) { try NodeIdentity.read(from: path, keyring: cluster.keyring) }
        try cluster.first.write(to: path, keyring: cluster.keyring)
        let whole = try directory.content()
        for count in stride(from: 0, to: whole.count, by: 13) {
            let cut = [UInt8](whole.prefix(count))
            try PrivateFile.write(cut.span.bytes, to: path)
            #expect(throws: KeyringError.self) { try NodeIdentity.read(from: path, keyring: cluster.keyring) }
        }
        #expect(throws: KeyringError.self) { try NodeIdentity.read(from: path + "-missing", keyring: cluster.keyring) }
    }

    @Test("lives are numbered from 1, each once, and the number is on disk before it is used")
    func incarnations() throws {
        for number in 1...5 as ClosedRange<UInt64> {
            #expect(try IncarnationCounter.next(path: path) == Incarnation(number))
            #expect(try directory.content().range(of: Data(withUnsafeBytes(of: number.bigEndian) { [UInt8]($0) })) != nil)
        }
        let whole = [UInt8](try directory.content())
        for index in whole.indices {
            var altered = whole
            altered[index] ^= 1
            try PrivateFile.write(altered.span.bytes, to: path)
            #expect(throws: KeyringError.self) { try IncarnationCounter.next(path: path) }
        }
        let cut = Array(whole.dropLast())
        try PrivateFile.write(cut.span.bytes, to: path)
        #expect(throws: KeyringError.self) { try IncarnationCounter.next(path: path) }
        try PrivateFile.write(whole.span.bytes, to: path)
        #expect(try IncarnationCounter.next(path: path) == Incarnation(6))
    }

    @Test("the key of a node that joins is the same until it is removed, and opens under its own seal only")
    func pendingKey() throws {
        func seal(_ name: String) throws -> FileSeal {
            try FileSeal.createKeyFile(at: directory.path + "/" + name)
            return try FileSeal(keyFile: directory.path + "/" + name)
        }
        let (own, foreign) = (try seal("a"), try seal("b"))
        let key = try PendingJoinKey.loadOrMake(path: path, seal: own)
        #expect(try PendingJoinKey.loadOrMake(path: path, seal: own).publicKeySHA256() == key.publicKeySHA256())
        #expect(throws: KeyringError.wrongSeal) { try PendingJoinKey.loadOrMake(path: path, seal: foreign) }
        try PendingJoinKey.remove(path: path)
        try PendingJoinKey.remove(path: path)
        #expect(try PendingJoinKey.loadOrMake(path: path, seal: own).publicKeySHA256() != key.publicKeySHA256())
    }
}
