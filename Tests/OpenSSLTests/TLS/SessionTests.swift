import COpenSSL
import NIOCore
import Testing

@testable import OpenSSL

/// A client and a server of the API listener's kind, not yet connected.
private func apiPair(
    server: Credential = TestCertificates.server, to name: PeerName = .host("localhost")
) throws -> (client: Endpoint, server: Endpoint) {
    (
        Endpoint(try TestCertificates.apiClientContext().makeClientSession(to: name)),
        Endpoint(try TestCertificates.apiContext(server).makeServerSession())
    )
}

@Suite("TLS session", .timeLimit(.minutes(1)))
struct SessionTests {
    static let versions: [CInt] = [TLS1_2_VERSION, TLS1_3_VERSION]
    static let splits: [Split] = [.whole, .bytes(1), .bytes(2), .bytes(3), .bytes(7), .bytes(1000)] + (1...20).map { .random(seed: $0) }

    @Test("the handshake and data in both directions arrive, however the stream is cut", arguments: splits, versions)
    func everySplit(split: Split, version: CInt) throws {
        let (client, server) = try apiPair()
        client.session.limitVersion(to: version)
        var random = SeededGenerator(state: 7)
        let request = random.bytes(5_000)
        let answer = random.bytes(40_000)
        client.send(request)
        server.send(answer)
        connect(client, server, split: split)
        #expect(client.failure == nil && server.failure == nil)
        #expect(server.received == request)
        #expect(client.received == answer)
        #expect(server.session.protocolVersion == (version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2"))
        #expect(server.session.cipherSuite?.contains("GCM") == true)
        #expect(client.session.negotiatedProtocol == "http/1.1" && server.session.negotiatedProtocol == "http/1.1")
    }

    @Test("megabytes arrive unchanged in both directions at once", arguments: [Split.whole, .random(seed: 3), .random(seed: 4)])
    func largeTransfers(split: Split) throws {
        let (client, server) = try apiPair()
        var random = SeededGenerator(state: 1)
        let block = random.bytes(1 << 20)
        let (forth, back) = (block + block.reversed(), block.reversed() + block + [1])
        client.send(forth)
        server.send(back)
        connect(client, server, split: split)
        #expect(server.received == forth)
        #expect(client.received == back)
    }

    @Test("a delivered buffer is no larger than what it came from needs", arguments: [1, 300, 1_000, 16_384])
    func exactBuffers(count: Int) throws {
        let (client, server) = try apiPair()
        connect(client, server)
        client.send([UInt8](repeating: 1, count: count))
        connect(client, server, split: .bytes(100))
        let delivery = try #require(server.deliveries.last)
        #expect(delivery.readableBytes == count)
        #expect(delivery.storageCapacity < 2 * count + 64)
    }

    @Test("records that arrive together are delivered in one buffer, no larger than their ciphertext")
    func oneBufferPerRead() throws {
        let (client, server) = try apiPair()
        connect(client, server)
        for _ in 0..<10 { client.send([UInt8](repeating: 2, count: 700)) }
        let ciphertext = try #require(client.session.takeCiphertext())
        server.advance(with: ciphertext)
        #expect(server.deliveries.map(\.readableBytes) == [7_000])
        #expect(server.deliveries[0].storageCapacity <= 8_192)
    }

    @Test("an incomplete record delivers nothing and fails nothing")
    func incompleteRecord() throws {
        let (client, server) = try apiPair()
        connect(client, server)
        client.send([1, 2, 3])
        var ciphertext = try #require(client.session.takeCiphertext())
        let last = ciphertext.readableBytes - 1
        let begin = ciphertext.readSlice(length: last)
        server.advance(with: try #require(begin))
        #expect(server.deliveries.isEmpty && server.failure == nil)
        server.advance(with: ciphertext)
        #expect(server.received == [1, 2, 3])
    }

    @Test(
        "the application protocol is http/1.1 or none; others alone are refused with the alert no_application_protocol",
        arguments: [
            (["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), (["http/1.1", "h2"], "http/1.1"), ([], nil), (["h2"], "refused"),
            (["http/1.0", "spdy/3"], "refused"), (["http/1.11"], "refused"), (["HTTP/1.1"], "refused"),
        ] as [([String], String?)], versions)
    func applicationProtocol(offer: ([String], String?), version: CInt) throws {
        let (client, server) = try apiPair()
        client.session.limitVersion(to: version)
        client.session.offer(offer.0)
        connect(client, server)
        if offer.1 == "refused" {
            #expect(server.failure?.code == .handshakeFailed)
            #expect(client.failure?.alertReceived == 120)
        } else {
            #expect(server.isOpen && server.session.negotiatedProtocol == offer.1)
        }
    }

    @Test("the server can read the name that the client asked for, and an address is never one", arguments: [
        (.host("localhost"), "localhost"), (.host("127.0.0.1"), nil),
    ] as [(PeerName, String?)])
    func serverName(name: PeerName, expected: String?) throws {
        let (client, server) = try apiPair(to: name)
        connect(client, server)
        #expect(client.isOpen && server.isOpen)
        #expect(server.session.serverName == expected)
    }

    @Test("a server that proves another name, time, purpose or authority is refused", arguments: [
        (TestCertificates.server, .host("example.com"), 62, 42), (TestCertificates.server, .host("127.0.0.2"), 64, 42),
        (TestCertificates.server, .uri("spiffe://x"), 62, 42),
        (TestCertificates.issue(names: [.dns("localhost")], [.clientAuthentication]), .host("localhost"), 26, 43),
        (
            TestCertificates.issue(names: [.dns("localhost")], [.serverAuthentication], at: TestCertificates.now - 86_400, validitySeconds: 3600),
            .host("localhost"), 10, 45
        ),
        (TestCertificates.issue(names: [.dns("localhost")], [.serverAuthentication], at: TestCertificates.now + 86_400), .host("localhost"), 9, 42),
        (TestCertificates.issue(names: [.dns("localhost")], [.serverAuthentication], by: TestCertificates.stranger), .host("localhost"), 20, 48),
    ] as [(Credential, PeerName, Int, UInt8)])
    func wrongServer(credential: Credential, name: PeerName, verifyResult: Int, alert: UInt8) throws {
        let (client, server) = try apiPair(server: credential, to: name)
        client.send([1])
        connect(client, server)
        #expect(client.failure?.code == .peerCertificateRejected(verifyResult: verifyResult))
        #expect(server.failure?.alertReceived == alert)
        #expect(server.received.isEmpty)
    }

    @Test("close_notify ends one direction; the other still carries the answer", arguments: versions)
    func closeNotify(version: CInt) throws {
        let (client, server) = try apiPair()
        client.session.limitVersion(to: version)
        connect(client, server)
        client.send([1, 2])
        client.session.sendCloseNotify()
        connect(client, server, split: .bytes(1))
        #expect(server.received == [1, 2])
        #expect(server.isPeerClosed && !client.isPeerClosed)
        server.send([3, 4])
        server.session.sendCloseNotify()
        connect(client, server)
        #expect(client.received == [3, 4])
        #expect(client.isPeerClosed && client.failure == nil && server.failure == nil)
    }

    @Test("a certificate chain is sent whole, and broken credentials make no context")
    func credentials() throws {
        let (server, other) = (TestCertificates.server, TestCertificates.node1)
        let chain = Credential(certificatePEM: server.certificatePEM + TestCertificates.authority.certificatePEM, privateKeyPEM: server.privateKeyPEM)
        let (client, listener) = try apiPair(server: chain)
        connect(client, listener)
        #expect(client.isOpen)
        let bad = [
            Credential(certificatePEM: server.certificatePEM, privateKeyPEM: other.privateKeyPEM),
            Credential(certificatePEM: "nonsense", privateKeyPEM: server.privateKeyPEM),
            Credential(certificatePEM: server.certificatePEM, privateKeyPEM: SecretBytes(copying: "nonsense".utf8.span.bytes)),
            Credential(certificatePEM: "", privateKeyPEM: SecretBytes(count: 0) { _ in }),
        ]
        for credential in bad {
            let error = #expect(throws: TLSError.self) { try TLSContext.api(credential: credential) }
            #expect(error?.code == .configuration)
        }
        #expect(throws: TLSError.self) { try TLSContext.apiClient(trusting: "nonsense") }
        #expect(throws: TLSError.self) { try TestCertificates.apiClientContext().makeClientSession(to: .host("")) }
    }
}

@Suite("TLS resumption", .timeLimit(.minutes(1)))
struct ResumptionTests {
    private func ticket(client: TLSContext, server: TLSContext, version: CInt = TLS1_3_VERSION) throws -> TLSTicket? {
        let first = Endpoint(try client.makeClientSession(to: .host("localhost")))
        let listener = Endpoint(try server.makeServerSession())
        first.session.limitVersion(to: version)
        first.send([1])
        listener.send([2])
        connect(first, listener)
        #expect(!first.session.isResumed && first.received == [2])
        return first.session.ticket
    }

    private func resume(_ ticket: TLSTicket, client: TLSContext, server: TLSContext) throws -> (client: Endpoint, server: Endpoint) {
        let pair = (
            client: Endpoint(try client.makeClientSession(to: .host("localhost"), resuming: ticket)), server: Endpoint(try server.makeServerSession())
        )
        pair.client.send([3])
        pair.server.send([4])
        connect(pair.client, pair.server)
        #expect(pair.server.received == [3] && pair.client.received == [4])
        return pair
    }

    @Test("a TLS 1.3 ticket resumes a session on the context that gave it, and again with the next ticket")
    func resumes() throws {
        let (client, server) = (try TestCertificates.apiClientContext(), try TestCertificates.apiContext())
        let first = try #require(try ticket(client: client, server: server))
        let second = try resume(first, client: client, server: server)
        #expect(second.server.session.isResumed && second.client.session.isResumed)
        #expect(second.server.session.negotiatedProtocol == "http/1.1")
        let third = try resume(try #require(second.client.session.ticket), client: client, server: server)
        #expect(third.server.session.isResumed)
    }

    @Test("a ticket of another listener gives a full handshake, not a failure")
    func foreignTicket() throws {
        let client = try TestCertificates.apiClientContext()
        let first = try #require(try ticket(client: client, server: try TestCertificates.apiContext()))
        let pair = try resume(first, client: client, server: try TestCertificates.apiContext())
        #expect(!pair.server.session.isResumed && pair.server.failure == nil)
    }

    @Test("TLS 1.2 gives no ticket: it would carry the session's secret")
    func noOldTickets() throws {
        let (client, server) = (try TestCertificates.apiClientContext(), try TestCertificates.apiContext())
        #expect(try ticket(client: client, server: server, version: TLS1_2_VERSION) == nil)
    }

    @Test("no ticket allows early data")
    func noEarlyData() throws {
        let (client, server) = (try TestCertificates.apiClientContext(), try TestCertificates.apiContext())
        let ticket = try #require(try ticket(client: client, server: server))
        #expect(SSL_SESSION_get_max_early_data(ticket.pointer) == 0)
    }

    @Test("nodes give no tickets")
    func noPeerTickets() throws {
        let client = Endpoint(
            try TestCertificates.peerContext(TestCertificates.node1).makeClientSession(to: .uri(TestCertificates.uri("2"))))
        let server = Endpoint(try TestCertificates.peerContext(TestCertificates.node2).makeServerSession())
        client.send([1])
        server.send([2])
        connect(client, server)
        #expect(client.received == [2] && server.received == [1])
        #expect(client.session.ticket == nil)
    }
}
