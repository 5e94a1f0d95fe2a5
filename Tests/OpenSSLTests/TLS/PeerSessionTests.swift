import COpenSSL
import NIOCore
import Synchronization
import Testing

@testable import OpenSSL

@Suite("TLS between nodes", .timeLimit(.minutes(1)))
struct PeerSessionTests {
    static let toNode2 = PeerName.uri(TestCertificates.uri("2"))

    private func join(_ client: TLSSession, _ server: TLSSession) -> (client: Endpoint, server: Endpoint) {
        let pair = (client: Endpoint(client), server: Endpoint(server))
        pair.client.send(Array("hello".utf8))
        connect(pair.client, pair.server)
        return pair
    }

    @Test("both sides know who the other is")
    func identities() throws {
        let (client, server) = join(
            try TestCertificates.peerContext(TestCertificates.node1).makeClientSession(to: Self.toNode2),
            try TestCertificates.peerContext(TestCertificates.node2).makeServerSession())
        #expect(server.received == Array("hello".utf8))
        #expect(server.session.protocolVersion == "TLSv1.3" && server.session.negotiatedProtocol == TestCertificates.clusterProtocol)
        let (seenByServer, seenByClient) = (try #require(server.session.peerCertificate), try #require(client.session.peerCertificate))
        #expect(seenByServer.uris == [TestCertificates.uri("1")])
        #expect(seenByClient.uris == [TestCertificates.uri("2")])
        #expect(seenByServer.publicKeySHA256 == (try Certificate(pem: TestCertificates.node1.certificatePEM).publicKeySHA256))
        #expect(seenByServer.publicKeySHA256 != seenByClient.publicKeySHA256)
    }

    @Test("a node may also be called by its host name")
    func hostName() throws {
        let (client, server) = join(
            try TestCertificates.peerContext(TestCertificates.node1).makeClientSession(to: .host("node-2.test")),
            try TestCertificates.peerContext(TestCertificates.node2).makeServerSession())
        #expect(client.failure == nil && server.received.count == 5)
    }

    /// crypto.md section 7.5: what is wrong with the client's certificate, OpenSSL's number for it, and the alert that the client gets.
    static let refusedClients: [(String, Credential, Int, UInt8)] = [
        ("server only", TestCertificates.issue(names: [.uri(TestCertificates.uri("1"))], [.serverAuthentication]), 26, 43),
        (
            "expired",
            TestCertificates.issue(
                names: [.uri(TestCertificates.uri("1"))], [.clientAuthentication], at: TestCertificates.now - 86_400, validitySeconds: 3600), 10, 45
        ),
        (
            "unknown authority",
            TestCertificates.issue(names: [.uri(TestCertificates.uri("1"))], [.clientAuthentication], by: TestCertificates.stranger), 20, 48
        ),
        (
            "not yet valid",
            TestCertificates.issue(names: [.uri(TestCertificates.uri("1"))], [.clientAuthentication], at: TestCertificates.now + 86_400), 9, 42
        ),
    ]

    @Test(
        "a client with a wrong certificate is refused: it believes itself connected, and sees the alert at its first read",
        arguments: refusedClients)
    func refusedClient(name: String, credential: Credential, verifyResult: Int, alert: UInt8) throws {
        let client = Endpoint(try TestCertificates.peerContext(credential).makeClientSession(to: Self.toNode2))
        let server = Endpoint(try TestCertificates.peerContext(TestCertificates.node2).makeServerSession())
        client.send(Array("hello".utf8))
        client.advance()
        server.advance(with: try #require(client.session.takeCiphertext()))
        client.advance(with: try #require(server.session.takeCiphertext()))
        #expect(client.isOpen && client.failure == nil)
        connect(client, server)
        #expect(client.failure?.alertReceived == alert)
        #expect(client.failure?.code == .protocolViolation)
        #expect(server.failure?.code == .peerCertificateRejected(verifyResult: verifyResult))
        #expect(server.received.isEmpty)
    }

    @Test("a client without a certificate gets the alert certificate_required")
    func noClientCertificate() throws {
        let anonymous = try TestCertificates.apiClientContext().makeClientSession(to: .host("node-2.test"))
        anonymous.offer([TestCertificates.clusterProtocol])
        let (client, server) = join(anonymous, try TestCertificates.peerContext(TestCertificates.node2).makeServerSession())
        #expect(client.failure?.alertReceived == 116)
        #expect(server.failure?.code == .handshakeFailed)
        #expect(server.received.isEmpty)
    }

    @Test("TLS 1.2 is refused with the alert protocol_version")
    func oldVersion() throws {
        let old = try TestCertificates.apiClientContext().makeClientSession(to: .host("node-2.test"))
        old.offer([TestCertificates.clusterProtocol])
        old.limitVersion(to: TLS1_2_VERSION)
        let (client, server) = join(old, try TestCertificates.peerContext(TestCertificates.node2).makeServerSession())
        #expect(client.failure?.alertReceived == 70)
        #expect(server.failure?.code == .handshakeFailed)
    }

    @Test("another application protocol, or none, is refused with the alert no_application_protocol", arguments: [["http/1.1"], ["h2"], []])
    func wrongProtocol(offer: [String]) throws {
        let other = try TestCertificates.peerContext(TestCertificates.node1).makeClientSession(to: Self.toNode2)
        other.offer(offer)
        let (client, server) = join(other, try TestCertificates.peerContext(TestCertificates.node2).makeServerSession())
        #expect(client.failure?.alertReceived == 120)
        #expect(server.failure?.code == .handshakeFailed)
    }

    /// A listener for nodes that also serves `join/1`, and a caller that offers `offer`.
    private func joinOpen(_ client: TLSSession, offering offer: [String]) throws -> (client: Endpoint, server: Endpoint) {
        let listener = try TLSContext.peer(
            credential: TestCertificates.node2, trusting: TestCertificates.authority.certificatePEM,
            applicationProtocol: TestCertificates.clusterProtocol, openProtocols: ["join/1"]
        ) { _ in true }
        client.offer(offer)
        return join(client, try listener.makeServerSession())
    }

    @Test("a listener with an open protocol serves it without a client certificate, and insists on one for the links")
    func openProtocol() throws {
        func stranger() throws -> TLSSession { try TestCertificates.apiClientContext().makeClientSession(to: .host("node-2.test")) }
        let joining = try joinOpen(try stranger(), offering: ["join/1"])
        #expect(joining.server.received.count == 5 && joining.server.session.negotiatedProtocol == "join/1")
        #expect(joining.server.session.peerCertificate == nil)
        // Who offers both gets the protocol of the links, and what that asks for.
        for offer in [[TestCertificates.clusterProtocol], ["join/1", TestCertificates.clusterProtocol]] {
            let refused = try joinOpen(try stranger(), offering: offer)
            #expect(refused.client.failure?.alertReceived == 116)
            #expect(refused.server.received.isEmpty && refused.server.failure != nil)
        }
        let other = try joinOpen(try stranger(), offering: ["http/1.1"])
        #expect(other.client.failure?.alertReceived == 120)
    }

    @Test("a certificate shown on an open protocol must be right all the same, and is known then")
    func openProtocolWithCertificate() throws {
        let node = try TestCertificates.peerContext(TestCertificates.node1).makeClientSession(to: Self.toNode2)
        let known = try joinOpen(node, offering: ["join/1"])
        #expect(known.server.session.peerCertificate?.uris == [TestCertificates.uri("1")])
        let foreign = TestCertificates.issue(names: [.uri(TestCertificates.uri("1"))], [.clientAuthentication], by: TestCertificates.stranger)
        let refused = try joinOpen(try TestCertificates.peerContext(foreign).makeClientSession(to: Self.toNode2), offering: ["join/1"])
        #expect(refused.client.failure?.alertReceived == 48 && refused.server.received.isEmpty)
        let linked = try joinOpen(
            try TestCertificates.peerContext(TestCertificates.node1).makeClientSession(to: Self.toNode2), offering: [TestCertificates.clusterProtocol])
        #expect(linked.server.received.count == 5 && linked.server.session.peerCertificate?.uris == [TestCertificates.uri("1")])
    }

    @Test("a server that agrees on no application protocol is refused by the node that called it")
    func serverWithoutProtocol() throws {
        let client = try TestCertificates.peerContext(TestCertificates.node1).makeClientSession(to: .host("localhost"))
        client.offer([])
        let (caller, _) = join(client, try TestCertificates.apiContext().makeServerSession())
        #expect(caller.failure?.code == .noApplicationProtocol)
    }

    @Test("a node that answers for another node is refused, and so is one with two identities", arguments: [
        TestCertificates.node("3"),
        TestCertificates.issue(
            names: [.uri(TestCertificates.uri("2")), .uri(TestCertificates.uri("3"))], [.serverAuthentication, .clientAuthentication]),
        TestCertificates.issue(names: [.dns("node-2.test")], [.serverAuthentication, .clientAuthentication]),
    ])
    func wrongNode(credential: Credential) throws {
        let (client, server) = join(
            try TestCertificates.peerContext(TestCertificates.node1).makeClientSession(to: Self.toNode2),
            try TestCertificates.peerContext(credential).makeServerSession())
        #expect(client.failure?.code == .peerCertificateRejected(verifyResult: 62))
        #expect(server.failure?.alertReceived == 42)
    }

    @Test("the context's own rule is asked once about each side's certificate and has the last word", arguments: [true, false])
    func ownRule(isAccepted: Bool) throws {
        let asked = Mutex<[[String]]>([])
        let context = try TestCertificates.peerContext(TestCertificates.node2) { certificate in
            asked.withLock { $0.append(certificate.uris) }
            return isAccepted
        }
        let (client, server) = join(
            try TestCertificates.peerContext(TestCertificates.node1).makeClientSession(to: Self.toNode2), try context.makeServerSession())
        #expect(asked.withLock { $0 } == [[TestCertificates.uri("1")]])
        #expect((server.received.count == 5) == isAccepted)
        #expect(client.failure?.alertReceived == (isAccepted ? nil : 42))
    }

    @Test("the rule is not asked about a certificate that is wrong anyway")
    func ruleComesLast() throws {
        let asked = Mutex(0)
        let context = try TestCertificates.peerContext(TestCertificates.node2) { _ in
            asked.withLock { $0 += 1 }
            return true
        }
        _ = join(
            try TestCertificates.peerContext(Self.refusedClients[2].1).makeClientSession(to: Self.toNode2), try context.makeServerSession())
        #expect(asked.withLock { $0 } == 0)
    }

    @Test("while an authority is replaced, both are trusted")
    func twoAuthorities() throws {
        let both = TestCertificates.authority.certificatePEM + TestCertificates.stranger.certificatePEM
        let renewed = TestCertificates.issue(
            names: [.uri(TestCertificates.uri("2"))], [.serverAuthentication, .clientAuthentication], by: TestCertificates.stranger)
        let (_, server) = join(
            try TestCertificates.peerContext(TestCertificates.node1, trusting: both).makeClientSession(to: Self.toNode2),
            try TestCertificates.peerContext(renewed, trusting: both).makeServerSession())
        #expect(server.received.count == 5)
    }
}
