import NIOCore
import OpenSSL
import Raft
import Testing

@testable import PeerLinks

@Suite("Who is not let in", .timeLimit(.minutes(2)))
struct StrangerTests {
    /// One node, and afterwards the proof that it still serves a good peer and has heard nothing from the stranger.
    private func withNode(
        limits: PeerLinkLimits = .patient, versions: ClosedRange<UInt16> = WireFormat.versions, _ body: (TestNode) async throws -> Void
    ) async throws {
        let node = try await TestNode.start(2, versions: versions, limits: limits)
        try await shuttingDown([node]) {
            try await body(node)
            #expect(node.recorder.messages.isEmpty)
            let good = try await TestNode.start(1, versions: versions)
            try await shuttingDown([good]) {
                try await good.setPeers([node])
                await eventually("a good peer is served") { await good.isFullyUp(2) }
            }
        }
    }

    /// Starts a caller that must not get through to `node`, and waits until both have said why.
    private func isRefused(_ caller: TestNode, by node: TestNode, asNode id: UInt64 = 2, callerSays: String, nodeSays: String?) async throws {
        try await shuttingDown([caller]) {
            try await caller.setPeers([NodeID(id): node.address])
            await eventually("the caller says: \(callerSays)") { caller.log.count(callerSays) > 0 }
            if let nodeSays { await eventually("the node says: \(nodeSays)") { node.log.count(nodeSays) > 0 } }
            #expect(caller.recorder.changes(id).isEmpty)
        }
    }

    @Test("a node with a certificate of another authority learns only an alert")
    func wrongAuthority() async throws {
        try await withNode { node in
            let caller = try await TestNode.start(1, credential: TestCluster.credential(1, by: TestCluster.stranger))
            try await isRefused(caller, by: node, callerSays: "cause=TLS alert", nodeSays: "cause=certificate rejected")
        }
    }

    @Test("a node that does not trust the called one's authority hangs up")
    func wrongServerAuthority() async throws {
        try await withNode { node in
            let caller = try await TestNode.start(1, authoritiesPEM: TestCluster.stranger.certificatePEM)
            try await isRefused(caller, by: node, callerSays: "cause=certificate rejected", nodeSays: "cause=TLS handshake failed")
        }
    }

    @Test("a node of another cluster under the same authority is refused by both sides")
    func otherCluster() async throws {
        try await withNode { node in
            let caller = try await TestNode.start(1, cluster: "cluster-other")
            try await isRefused(caller, by: node, callerSays: "cause=certificate rejected", nodeSays: nil)
            let raw = try await RawPeer.call(node, as: 1, credential: TestCluster.credential(1, cluster: "cluster-other"))
            await raw.send(RawPeer.hello(1))
            await eventually("it is closed") { raw.isClosed }
            #expect(raw.frames == [.refusal(.wrongCluster)])
            await eventually("it is told") { node.log.count("cause=certificate of another cluster") == 1 }
        }
    }

    @Test("a node that answers for another is not the one that was called")
    func wrongNode() async throws {
        try await withNode { node in
            let caller = try await TestNode.start(1)
            try await isRefused(caller, by: node, asNode: 3, callerSays: "cause=certificate rejected", nodeSays: "cause=TLS handshake failed")
        }
    }

    @Test(
        "a hello that says other than the certificate is refused",
        arguments: [RawPeer.hello(4), RawPeer.hello(3, cluster: "cluster-other")])
    func wrongHello(hello: Frame) async throws {
        try await withNode { node in
            let raw = try await RawPeer.call(node, as: 3)
            await raw.send(hello)
            await eventually("it is closed") { raw.isClosed }
            #expect(raw.frames == [.refusal(.wrongIdentity)])
            await eventually("it is told") { node.log.count("cause=hello contradicts certificate") == 1 }
        }
    }

    @Test("a node cannot be its own peer")
    func itself() async throws {
        try await withNode { node in
            let raw = try await RawPeer.call(node, as: 2)
            await raw.send(RawPeer.hello(2))
            await eventually("it is closed") { raw.isClosed }
            #expect(raw.frames == [.refusal(.notAllowed)])
        }
    }

    @Test("a certificate that names no node, or two, has no identity", arguments: [
        ["https://example.test/"], [TestCluster.identity(1).uri, TestCluster.identity(3).uri], ["spiffe://cluster-test/node/1"],
    ])
    func noIdentity(uris: [String]) async throws {
        try await withNode { node in
            let raw = try await RawPeer.call(node, as: 1, credential: TestCluster.credential(uris: uris))
            await eventually("it is closed") { raw.isClosed }
            #expect(raw.bytes.isEmpty)
            await eventually("it is told") { node.log.count("cause=certificate without node identity") == 1 }
        }
    }

    @Test("without a certificate there is only the alert, also where another protocol would need none", arguments: [false, true])
    func noCertificate(hasOpenProtocol: Bool) async throws {
        let open: [String: @Sendable (any Channel) -> EventLoopFuture<Void>] =
            hasOpenProtocol ? ["conclave-join/1": { $0.eventLoop.makeSucceededVoidFuture() }] : [:]
        let node = try await TestNode.start(2, additionalProtocols: open)
        try await shuttingDown([node]) {
            let context = try TLSContext.apiClient(trusting: TestCluster.authority.certificatePEM)
            let raw = try await RawPeer.call(node.port, context: context, offer: [WireFormat.applicationProtocol])
            await raw.send(RawPeer.hello(1))
            await eventually("it is closed") { raw.isClosed }
            #expect(raw.bytes.isEmpty)
            await eventually("it is told") { node.log.count("incoming connection failed cause=TLS handshake failed") == 1 }
        }
    }

    @Test("versions without overlap: a refusal that says so, on both sides")
    func noCommonVersion() async throws {
        try await withNode(versions: 2...3) { node in
            let caller = try await TestNode.start(1, versions: 1...1)
            try await isRefused(caller, by: node, callerSays: "detail=no protocol version in common", nodeSays: "cause=no common protocol version")
        }
    }

    @Test("a node of version N and one of N and N+1 speak N, whoever calls; two of N+1 speak N+1")
    func versions() async throws {
        let old = try await TestNode.start(1, versions: 1...1)
        let new = try await TestNode.start(2, versions: 1...2)
        let newest = try await TestNode.start(3, versions: 2...2)
        try await shuttingDown([old, new, newest]) {
            for node in [old, new, newest] { try await node.setPeers([old, new, newest]) }
            for (node, other) in [(old, new), (new, old), (new, newest), (newest, new)] {
                await eventually("\(node.id) reaches \(other.id)") { await node.isFullyUp(other.id) }
                #expect(try await node.statistics(other.id)?.version == (node.id == 3 || other.id == 3 ? 2 : 1))
            }
            #expect(try await old.statistics(3)?.version == nil)
        }
    }

    @Test("garbage behind a good certificate ends the connection without a word", arguments: 1...4 as ClosedRange<UInt64>)
    func garbageAfterTLS(seed: UInt64) async throws {
        try await withNode { node in
            var random = SeededGenerator(seed: seed)
            let raw = try await RawPeer.call(node, as: 1)
            await raw.send([0, 0, 0, 60] + (0..<60).map { _ in UInt8(truncatingIfNeeded: random.next()) })
            await eventually("it is closed") { raw.isClosed }
            await eventually("it is told") { node.log.count("incoming connection failed") == 1 }
            #expect(node.log.count("cause=malformed frame") + node.log.count("cause=unexpected frame") == 1)
            #expect(raw.frames.allSatisfy { $0 == .close(.protocolError) })
        }
    }

    @Test("what is not TLS gets no further")
    func garbageBeforeTLS() async throws {
        try await withNode { node in
            let raw = try await RawPeer.call(node.port, context: nil)
            await raw.send(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            await eventually("it is closed") { raw.isClosed }
            await eventually("it is told") { node.log.count("incoming connection failed cause=TLS handshake failed") == 1 }
        }
    }

    @Test("a long frame is refused by its length: a short limit before the hello, the large one after it")
    func oversizedFrames() async throws {
        try await withNode { node in
            let stranger = try await RawPeer.call(node, as: 1)
            await stranger.send([0, 0, 4, 1])
            await eventually("it is closed") { stranger.isClosed }
            await eventually("it is told") { node.log.count("frameTooLong(byteCount: 1025)") == 1 }

            let peer = try await RawPeer.call(node, as: 3)
            await peer.send(RawPeer.hello(3))
            await eventually("it is greeted") { !peer.frames.isEmpty }
            await peer.send([0, 0x40, 0, 1])
            await eventually("it is closed") { peer.isClosed }
            await eventually("it is told") { node.log.count("frameTooLong(byteCount: 4194305)") == 1 }
            #expect(peer.frames.last == .close(.protocolError))
        }
    }

    @Test("a frame that has no place on an incoming connection ends it", arguments: [
        Frame.helloReply(version: 1, Hello(versions: 1...1, cluster: "x", node: NodeID(1), role: .control, buildVersion: "")),
        .refusal(.notAllowed), .pong(1),
        .reply(id: 1, PeerReply(status: 0, body: ByteBuffer())), RawPeer.hello(3),
    ])
    func unexpectedFrame(frame: Frame) async throws {
        try await withNode { node in
            let peer = try await RawPeer.call(node, as: 3)
            await peer.send(RawPeer.hello(3))
            await eventually("it is greeted") { !peer.frames.isEmpty }
            await peer.send(frame)
            await eventually("it is closed") { peer.isClosed }
            await eventually("it is told") { node.log.count("cause=unexpected frame") == 1 }
        }
    }

    @Test("a message before the hello is not heard")
    func messageBeforeHello() async throws {
        try await withNode { node in
            let peer = try await RawPeer.call(node, as: 3)
            await peer.send(.raft(Term(1), .retire(generation: 1)))
            await eventually("it is closed") { peer.isClosed }
            await eventually("it is told") { node.log.count("cause=unexpected frame") == 1 }
        }
    }

    @Test("who connects and says nothing gives way at the deadline", arguments: [false, true])
    func silentStranger(isSecured: Bool) async throws {
        var limits = PeerLinkLimits.patient
        limits.handshakeTimeout = .milliseconds(200)
        limits.pingInterval = .milliseconds(20)
        let node = try await TestNode.start(2, limits: limits)
        try await shuttingDown([node]) {
            let raw = try await RawPeer.call(node.port, context: isSecured ? RawPeer.context(TestCluster.credential(1)) : nil)
            await eventually("it is closed") { raw.isClosed }
            await eventually("it is told") { node.log.count("cause=handshake timed out") == 1 }
        }
    }

    @Test("a crowd of silent strangers does not keep a peer out: the oldest gives way")
    func crowd() async throws {
        var limits = PeerLinkLimits.patient
        limits.unauthenticatedMax = 4
        try await withNode(limits: limits) { node in
            var crowd: [RawPeer] = []
            for _ in 0..<10 { crowd.append(try await RawPeer.call(node.port, context: nil)) }
            await eventually("all but four are closed") { crowd.count(where: \.isClosed) == 6 }
            #expect(crowd.prefix(6).allSatisfy { $0.isClosed })
            await eventually("it is told") { node.log.count("cause=too many unauthenticated connections") > 0 }
        }
    }
}
