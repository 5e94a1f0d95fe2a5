import Foundation
import Keyring
import NIOCore
import NIOPosix
import OpenSSL
import PeerLinks
import Raft
import SecretStore
import Synchronization
import Testing

@testable import ClusterIdentity

@Suite("Joining over TLS on loopback", .timeLimit(.minutes(3)))
struct JoinTests {
    let cluster: TestCluster
    let key: PrivateKey

    init() throws {
        cluster = try TestCluster()
        key = try PrivateKey.generateP256()
    }

    private func join(
        _ addresses: [NodeAddress], _ token: JoinToken, key: PrivateKey? = nil, now: Timestamp = TestCluster.now
    ) async throws(JoinError) -> JoinGrant {
        let node = JoiningNode(name: "second", peerAddress: .of("127.0.0.1:7001"), apiAddress: .of("127.0.0.1:8444"), version: "1.1")
        let client = JoinClient(token: token, key: key ?? self.key, node: node, group: MultiThreadedEventLoopGroup.singleton, logger: cluster.logs.logger)
        return try await client.join(addresses, now: now)
    }

    private func refusal(_ addresses: [NodeAddress], _ token: JoinToken, key: PrivateKey? = nil, now: Timestamp = TestCluster.now) async -> JoinError? {
        do throws(JoinError) {
            _ = try await join(addresses, token, key: key, now: now)
            return nil
        } catch {
            return error
        }
    }

    // MARK: Let in

    @Test("a node with a token gets its id, its certificate, the keys and the members")
    func whole() async throws {
        let token = try cluster.makeToken()
        let member = try await TestListener.member(cluster)
        let grant = try await join([member.address], token)
        #expect(grant.node == NodeID(2) && grant.region == "eu-north-1" && grant.clusterID == cluster.keyring.clusterID)
        #expect(try grant.nodes == cluster.store.nodes() && grant.generation == cluster.store.clusterRecord()?.generation)
        let record = try #require(try cluster.store.node(NodeID(2)))
        #expect(record.name == "second" && record.peerAddress == .of("127.0.0.1:7001") && record.version == "1.1")
        #expect(try record.publicKeys == [key.publicKeySHA256()])
        let certificate = try Certificate(pem: grant.certificatePEM)
        #expect(PeerIdentity(certificate: certificate) == PeerIdentity(cluster: grant.clusterID, node: NodeID(2)))
        #expect(certificate.notAfter - TestCluster.nowSeconds <= 30 * 86_400)
        let keyring = try Keyring.importFromJoin(grant.keyring, seal: try seal(), path: cluster.directory.path + "/keyring")
        let entry = cluster.keyring.sealLogEntry("entry".utf8.span.bytes)
        #expect(try keyring.openLogEntry(entry.span.bytes) == Array("entry".utf8))
        // With what it got, the node can open the registry, and lets the next one in.
        let authority = try ClusterAuthority(try #require(try cluster.store.clusterRecord()), keyring: keyring)
        #expect(authority.certificate.sha256 == token.authority)
        try await member.stop()
    }

    private func seal() throws -> FileSeal {
        let path = cluster.directory.path + "/seal.key"
        try FileSeal.createKeyFile(at: path)
        return try FileSeal(keyFile: path)
    }

    @Test("the next member is asked when one cannot be reached or is no member")
    func severalAddresses() async throws {
        let token = try cluster.makeToken()
        let closed = try await TestListener.member(cluster)
        let (unreachable, babbler) = (closed.address, try await TestListener.start(tls: nil) { BabblingHandler(Array("hello\r\n".utf8)) })
        try await closed.stop()
        let member = try await TestListener.member(cluster)
        #expect(try await join([unreachable, babbler.address, member.address], token).node == NodeID(2))
        try await babbler.stop()
        try await member.stop()
    }

    @Test("a node whose answer was lost asks again with its key and gets the same id; another key does not")
    func lostAnswer() async throws {
        let token = try cluster.makeToken()
        let listener = Mutex<TestListener?>(nil)
        let real = cluster.joinService
        let isFirst = Mutex(true)
        let member = try await TestListener.member(cluster, service: ScriptedService { request throws(JoinRefusal) in
            let grant = try await real.admit(request)
            let isLost = isFirst.withLock { isFirst in
                defer { isFirst = false }
                return isFirst
            }
            if isLost { listener.withLock { $0?.dropConnections() } }
            return grant
        })
        listener.withLock { $0 = member }
        #expect(await refusal([member.address], token) == .answerLost(member.address))
        #expect(try cluster.store.nodes().count == 2, "the node was let in all the same")
        #expect(try await join([member.address], token).node == NodeID(2))
        #expect(try cluster.store.nodes().count == 2)
        #expect(await refusal([member.address], token, key: try PrivateKey.generateP256()) == .refused(.tokenUnknown))
        try await member.stop()
    }

    @Test("two nodes that race with one token: one is let in")
    func race() async throws {
        let token = try cluster.makeToken()
        let member = try await TestListener.member(cluster)
        let keys = try (0..<8).map { _ in try PrivateKey.generateP256() }
        let nodes = try await withThrowingTaskGroup(of: NodeID?.self) { group in
            for key in keys { group.addTask { (try? await join([member.address], token, key: key))?.node } }
            return try await group.reduce(into: []) { $0.append($1) }.compactMap { $0 }
        }
        #expect(nodes == [NodeID(2)])
        try await member.stop()
    }

    // MARK: Not let in

    @Test("tokens that are unknown, used up or expired let nobody in, each with its sentence")
    func badTokens() async throws {
        let member = try await TestListener.member(cluster)
        let unknown = JoinToken.make(authority: try Certificate(pem: cluster.first.authorityPEM))
        #expect(await refusal([member.address], unknown) == .refused(.tokenUnknown))
        #expect(await refusal([member.address], try cluster.makeToken(seconds: -1)) == .refused(.tokenExpired))
        let used = try cluster.makeToken()
        _ = try await join([member.address], used)
        #expect(await refusal([member.address], used, key: try PrivateKey.generateP256()) == .refused(.tokenUnknown))
        #expect(try cluster.store.nodes().count == 2)
        try await member.stop()
    }

    @Test("a removed node does not come back, neither with its old token nor with a new one and its old key")
    func removed() async throws {
        let member = try await TestListener.member(cluster)
        let token = try cluster.makeToken()
        _ = try await join([member.address], token)
        try cluster.apply(.removeNode(NodeID(2)))
        #expect(await refusal([member.address], token) == .refused(.keyRefused))
        let fresh = try cluster.makeToken()
        #expect(await refusal([member.address], fresh) == .refused(.keyRefused))
        #expect(try await join([member.address], fresh, key: try PrivateKey.generateP256()).node == NodeID(3))
        try await member.stop()
    }

    @Test("a node whose clock is wrong is told so, and its token stays good")
    func clock() async throws {
        let member = try await TestListener.member(cluster)
        let token = try cluster.makeToken()
        for difference in [-301_000, 301_000] as [Int64] {
            let now = Timestamp(millisecondsSince1970: TestCluster.now.millisecondsSince1970 + difference)
            #expect(await refusal([member.address], token, now: now) == .refused(.clocksDiffer))
        }
        #expect(try await join([member.address], token).node == NodeID(2))
        try await member.stop()
    }

    @Test("a member of another cluster is not told the secret: not one byte of plaintext reaches it")
    func wrongCluster() async throws {
        let other = try TestCluster()
        let member = try await TestListener.member(other)
        // It shows the right authority's certificate as well, which did not sign its own.
        let liar = try await TestListener.member(
            other, credential: Credential(certificatePEM: other.first.certificatePEM + cluster.first.authorityPEM, privateKeyPEM: other.first.privateKeyPEM))
        let token = try cluster.makeToken()
        #expect(await refusal([member.address], token) == .wrongCluster(member.address))
        #expect(await refusal([liar.address], token).map { $0 == .wrongCluster(liar.address) || $0 == .notAMember(liar.address) } == true)
        #expect(member.plaintextBytes == 0 && liar.plaintextBytes == 0)
        let good = try await TestListener.member(cluster)
        #expect(try await join([good.address], token).node == NodeID(2))
        #expect(good.plaintextBytes > JoinToken.secretByteCount, "the count sees a request that was sent")
        for listener in [member, liar, good] { try await listener.stop() }
    }

    @Test("neither a certificate of the API listener nor one that has expired is a member's; both get no byte")
    func wrongCertificates() async throws {
        let token = try cluster.makeToken()
        let authority = try ClusterAuthority(try #require(try cluster.store.clusterRecord()), keyring: cluster.keyring)
        var credential = try authority.apiCredential(names: [.ip("127.0.0.1")], now: TestCluster.nowSeconds)
        credential.certificatePEM += cluster.first.authorityPEM
        let api = try await TestListener.member(cluster, credential: credential)
        #expect(await refusal([api.address], token) == .notAMember(api.address))
        let old = try TestCluster(ageSeconds: 31 * 86_400)
        let expired = try await TestListener.member(old)
        #expect(await refusal([expired.address], try old.makeToken()) == .clock(expired.address))
        #expect(api.plaintextBytes == 0 && expired.plaintextBytes == 0)
        try await api.stop()
        try await expired.stop()
    }

    @Test("whatever else listens is told apart from a member", arguments: [[], Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), [UInt8](repeating: 0x16, count: 5_000)] as [[UInt8]])
    func garbage(words: [UInt8]) async throws {
        let token = try cluster.makeToken()
        let listener = try await TestListener.start(tls: nil) { BabblingHandler(words) }
        #expect(await refusal([listener.address], token) == .notAMember(listener.address))
        try await listener.stop()
        #expect(await refusal([listener.address], token) == .unreachable(listener.address))
        #expect(await refusal([], token) == .noAddress)
    }

    @Test("a TLS server of another protocol is no member")
    func otherProtocol() async throws {
        let token = try cluster.makeToken()
        let tls = try TLSContext.api(credential: cluster.first.credential)
        let listener = try await TestListener.start(tls: tls) { BabblingHandler([1]) }
        #expect(await refusal([listener.address], token) == .notAMember(listener.address))
        #expect(listener.plaintextBytes == 0)
        try await listener.stop()
    }

    @Test("an answer that is not for this node's key or this token's cluster is not taken")
    func badAnswers() async throws {
        let real = cluster.joinService
        let changes: [@Sendable (inout JoinGrant) -> Void] = [
            { $0.node = NodeID(1) }, { $0.clusterID = Keyring.randomIdentifier() }, { $0.nodes = [] }, { $0.authorityPEM = $0.certificatePEM },
            { $0.certificatePEM = $0.authorityPEM }, { $0.certificatePEM = "" },
        ]
        for change in changes {
            let token = try cluster.makeToken()
            let member = try await TestListener.member(cluster, service: ScriptedService { request throws(JoinRefusal) in
                var grant = try await real.admit(request)
                change(&grant)
                return grant
            })
            #expect(await refusal([member.address], token, key: try PrivateKey.generateP256()) == .badAnswer(member.address))
            try await member.stop()
        }
    }

    // MARK: Trying

    @Test("an address that tried too many wrong tokens is not looked at for a while, and the log says so without the token")
    func throttled() async throws {
        let throttle = JoinThrottle()
        let member = try await TestListener.member(cluster, throttle: throttle)
        for _ in 0..<JoinThrottle.freeAttempts { throttle.noteFailure("127.0.0.1", now: .now()) }
        let before = NIODeadline.now()
        #expect(throttle.admits("127.0.0.1", now: before))
        let wrong = JoinToken.make(authority: try Certificate(pem: cluster.first.authorityPEM))
        #expect(await refusal([member.address], wrong) == .refused(.tokenUnknown))
        #expect(!throttle.admits("127.0.0.1", now: before), "a wrong token over the wire counts")
        for _ in 0..<10 { throttle.noteFailure("127.0.0.1", now: .now()) }
        let token = try cluster.makeToken()
        #expect(await refusal([member.address], token) == .refused(.tooManyAttempts))
        #expect(try cluster.store.nodes().count == 1)
        #expect(cluster.logs.text.contains("a node was not let in"))
        try await member.stop()
    }

    // MARK: Secrets

    @Test("neither the token's secret nor the root key gets into a log or a file, in whatever form")
    func canaries() async throws {
        let token = try cluster.makeToken()
        let member = try await TestListener.member(cluster)
        let here = try TemporaryDirectory()
        try FileSeal.createKeyFile(at: cluster.directory.path + "/seal.key")
        let seal = try FileSeal(keyFile: cluster.directory.path + "/seal.key")
        let key = try PendingJoinKey.loadOrMake(path: here.path + "/joining", seal: seal)
        #expect(await refusal([member.address], try cluster.makeToken(seconds: -1), key: key) == .refused(.tokenExpired))
        let grant = try await join([member.address], token, key: key)
        let keyring = try Keyring.importFromJoin(grant.keyring, seal: seal, path: here.path + "/keyring")
        try NodeIdentity(grant, key: key).write(to: here.path + "/identity", keyring: keyring)
        try await member.stop()
        // The root key is the 32 bytes behind the first line of what was exported.
        let rootStart = "conclave-join-keys-1\n".utf8.count
        let root = grant.keyring.withUnsafeBytes { [UInt8]($0[rootStart..<(rootStart + 32)]) }
        let secrets = [token.secret.withUnsafeBytes { [UInt8]($0) }, root, token.text().withUnsafeBytes { [UInt8]($0) }]
        let written = try cluster.directory.content() + here.content() + Data((cluster.logs.text + "\(token) \(grant) \(key)").utf8)
        for secret in secrets {
            let data = Data(secret)
            let hex = secret.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            // Without the last digits, which depend on what follows.
            let base64 = String(data.base64EncodedString().prefix(40))
            let base64URL = base64.replacing("+", with: "-").replacing("/", with: "_")
            for form in [data] + [hex, base64, base64URL].map({ Data($0.utf8) }) { #expect(written.range(of: form) == nil) }
        }
        #expect(written.range(of: Data(token.secretHash.bytes)) != nil, "the search finds what is there: the hash is the key of a row")
        let pem = Data(try key.pem().withUnsafeBytes { [UInt8]($0) }.dropFirst(40).prefix(60))
        #expect(written.range(of: pem) == nil)
    }
}
