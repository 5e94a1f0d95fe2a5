import NIOCore
import OpenSSL
import Raft
import Testing

@testable import PeerLinks

@Suite("The life of links", .timeLimit(.minutes(2)))
struct LifeTests {
    @Test("after the other side's restart on the same port both links come back, and messages flow")
    func restart() async throws {
        let first = try await TestNode.start(1)
        let second = try await TestNode.start(2)
        try await shuttingDown([first]) {
            try await first.setPeers([second])
            await eventually("up") { await first.isFullyUp(2) }
            await second.transport.shutdown()
            await eventually("down") { !first.recorder.isUp(2) }
            let again = try await TestNode.start(2, port: second.port)
            try await shuttingDown([again]) {
                await eventually("up again") { await first.isFullyUp(2) }
                #expect(first.recorder.changes(2) == [true, false, true])
                try await first.send(.retire(generation: 5), to: 2)
                await eventually("it arrives") { again.recorder.messages.count == 1 }
            }
        }
    }

    @Test("a removed peer is disconnected in both directions, and refused when it calls again")
    func removal() async throws {
        try await withNodes(2) { nodes in
            nodes[0].recorder.refuse(2)
            try await nodes[0].setPeers([TestNode]())
            await eventually("both see the end") { !nodes[0].recorder.isUp(2) && !nodes[1].recorder.isUp(1) }
            await eventually("it is refused, and told why") { nodes[1].log.count("detail=not a member of the cluster") > 0 }
            await eventually("and so are we") { nodes[0].log.count("cause=node not allowed") > 0 }
            #expect(!nodes[1].recorder.isUp(1))
            #expect(try await nodes[0].statistics(2)?.isUp != true)
        }
    }

    @Test("a peer whose address changes is called at the new one")
    func addressChange() async throws {
        let first = try await TestNode.start(1)
        let second = try await TestNode.start(2)
        let moved = try await TestNode.start(2)
        try await shuttingDown([first, second, moved]) {
            try await first.setPeers([second])
            await eventually("up") { await first.isFullyUp(2) }
            try await first.setPeers([moved])
            await eventually("up again") { await first.isFullyUp(2) }
            #expect(first.recorder.changes(2) == [true, false, true])
            try await first.send(.retire(generation: 5), to: 2)
            await eventually("it arrives there") { moved.recorder.messages.count == 1 }
            #expect(second.recorder.messages.isEmpty)
        }
    }

    @Test("a disconnected peer comes back while it is one")
    func disconnect() async throws {
        try await withNodes(2) { nodes in
            try await nodes[0].onLoop { $0.disconnect(NodeID(2)) }
            await eventually("both came back") {
                nodes[0].recorder.changes(2) == [true, false, true] && nodes[1].recorder.changes(1) == [true, false, true]
            }
        }
    }

    @Test("a renewed certificate is shown on new connections in both directions; the old ones go on")
    func renewal() async throws {
        try await withNodes(2) { nodes in
            let before = nodes[1].recorder.serial(of: 1)
            let renewed = TestCluster.credential(1)
            try nodes[0].transport.update(credential: renewed, authoritiesPEM: TestCluster.authority.certificatePEM)
            try await nodes[0].send(.retire(generation: 5), to: 2)
            await eventually("the old connection goes on") { nodes[1].recorder.messages.count == 1 }
            #expect(nodes[1].recorder.serial(of: 1) == before)
            try await nodes[0].onLoop { $0.disconnect(NodeID(2)) }
            let serial = try TestCluster.serial(renewed)
            // The called and the calling side of node 2 both ask who may be linked.
            await eventually("the new one is seen") { nodes[1].recorder.serial(of: 1) == serial }
            for node in nodes { await eventually("up again") { await node.isFullyUp(3 - node.id) } }
        }
    }

    @Test("the authority is replaced while the cluster runs: trust both, reissue, drop the old")
    func authorityReplacement() async throws {
        try await withNodes(2) { nodes in
            let old = TestCluster.authority.certificatePEM
            let new = TestCluster.stranger.certificatePEM
            func step(_ issuer: CertificateAuthority, _ trusted: String, changes count: Int) async throws {
                for node in nodes {
                    try node.transport.update(credential: TestCluster.credential(node.id, by: issuer), authoritiesPEM: trusted)
                }
                for node in nodes { try await node.onLoop { $0.disconnect(NodeID(3 - node.id)) } }
                for node in nodes {
                    await eventually("up again") { node.recorder.changes(3 - node.id).count >= count && node.recorder.isUp(3 - node.id) }
                }
            }
            try await step(TestCluster.authority, old + new, changes: 3)
            try await step(TestCluster.stranger, old + new, changes: 5)
            try await step(TestCluster.stranger, new, changes: 7)
        }
    }

    @Test("a certificate that names somebody else, or nobody, changes nothing")
    func wrongRenewal() async throws {
        let node = try await TestNode.start(1)
        try await shuttingDown([node]) {
            let authority = TestCluster.authority.certificatePEM
            #expect(throws: PeerTransportError.credentialNamesAnotherNode) {
                try node.transport.update(credential: TestCluster.credential(2), authoritiesPEM: authority)
            }
            #expect(throws: PeerTransportError.self) {
                try node.transport.update(credential: TestCluster.credential(1), authoritiesPEM: "not a certificate")
            }
            await #expect(throws: PeerTransportError.self) {
                _ = try await TestNode.start(1, credential: TestCluster.credential(1, cluster: "cluster-other"))
            }
        }
    }

    @Test("a peer that does not read: what it is owed is bounded, and the rest is dropped and counted")
    func queueFull() async throws {
        var limits = PeerLinkLimits.patient
        limits.controlQueueBytesMax = 1 << 20
        // A ping would count among the frames.
        limits.pingInterval = .minutes(2)
        let node = try await TestNode.start(1, limits: limits)
        let mute = try await MutePeer.listen(as: 2, reads: false)
        try await shuttingDown([node]) {
            try await node.setPeers([NodeID(2): PeerAddress(host: "127.0.0.1", port: mute.port)])
            await eventually("up") { node.recorder.isUp(2) }
            let entry = Entry(id: .zero, body: .command(Command([UInt8](repeating: 1, count: 200_000))))
            let count = 400
            for _ in 0..<count {
                try await node.send(.append(Append(previous: .zero, entries: [entry], commit: .zero, epoch: 0)), to: 2)
            }
            let counters = try #require(await node.statistics(2)?.counters)
            // The sockets of both sides hold some megabytes, the queue one, and nothing the other 80 that were offered.
            #expect(counters.framesDropped > UInt64(count) / 2)
            #expect(counters.bytesSent < 40 << 20)
            let held = UInt64(count) + counters.connectionsMade - counters.framesSent - counters.framesDropped
            #expect(held <= 5)
        }
        try await mute.close()
    }

    @Test("more frames than may wait are dropped, however small they are")
    func queueFullOfFrames() async throws {
        var limits = PeerLinkLimits.patient
        limits.controlQueueFramesMax = 10
        // A ping would take a place in the queue.
        limits.pingInterval = .minutes(2)
        let node = try await TestNode.start(1, limits: limits)
        let other = try await TestNode.start(2)
        try await shuttingDown([node, other]) {
            try await node.setPeers([other])
            await eventually("up") { await node.isFullyUp(2) }
            // One turn of the loop: nothing leaves before its end.
            try await node.send((0..<100).map { .retire(generation: $0) }, to: 2)
            await eventually("the first ten arrive") { other.recorder.messages.count == 10 }
            #expect(try await node.statistics(2)?.counters.framesDropped == 90)
            #expect(other.recorder.messages.map(\.payload) == (0..<10).map { .retire(generation: $0) })
        }
    }

    @Test("a peer that falls silent is given up soon, and what waited is lost")
    func silence() async throws {
        var limits = PeerLinkLimits.patient
        limits.pingInterval = .milliseconds(20)
        limits.silenceMax = .milliseconds(150)
        let node = try await TestNode.start(1, limits: limits)
        let mute = try await MutePeer.listen(as: 2, reads: true)
        try await shuttingDown([node]) {
            try await node.setPeers([NodeID(2): PeerAddress(host: "127.0.0.1", port: mute.port)])
            await eventually("up, and given up") { node.recorder.changes(2).starts(with: [true, false]) }
            await eventually("it is told") { node.log.count("detail=silent for too long") > 0 }
        }
        try await mute.close()
    }

    @Test("a caller that falls silent is closed, too")
    func silentCaller() async throws {
        var limits = PeerLinkLimits.patient
        limits.pingInterval = .milliseconds(20)
        limits.silenceMax = .milliseconds(150)
        let node = try await TestNode.start(2, limits: limits)
        try await shuttingDown([node]) {
            let raw = try await RawPeer.call(node, as: 1)
            await raw.send(RawPeer.hello(1))
            await eventually("it is closed") { raw.isClosed }
            #expect(raw.frames.last == .close(.silent))
        }
    }

    @Test("a newer connection of a peer takes the place of the older one for the same use, and of no other")
    func replaced() async throws {
        let node = try await TestNode.start(2)
        try await shuttingDown([node]) {
            func open(_ role: LinkRole) async throws -> RawPeer {
                let raw = try await RawPeer.call(node, as: 1)
                await raw.send(RawPeer.hello(1, role: role))
                await eventually("it is greeted") { !raw.frames.isEmpty }
                return raw
            }
            let first = try await open(.control)
            let bulk = try await open(.bulk)
            let second = try await open(.control)
            await eventually("the first is closed") { first.isClosed }
            #expect(first.frames.last == .close(.replaced))
            for raw in [bulk, second] {
                await raw.send(.ping(77))
                await eventually("it is answered") { raw.frames.contains(.pong(77)) }
            }
        }
    }

    @Test("another protocol on the same listener gets its channel, with or without a certificate, and no peer's rights")
    func additionalProtocol() async throws {
        let joinProtocol = "conclave-join/1"
        let node = try await TestNode.start(2, additionalProtocols: [joinProtocol: { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(EchoHandler()) }
        }])
        try await shuttingDown([node]) {
            let anonymous = try TLSContext.apiClient(trusting: TestCluster.authority.certificatePEM)
            for context in [anonymous, try RawPeer.context(TestCluster.credential(1))] {
                let raw = try await RawPeer.call(node.port, context: context, offer: [joinProtocol])
                let text = RawPeer.hello(1).bytes
                await raw.send(text)
                await eventually("it comes back") { raw.bytes == text }
                #expect(!raw.isClosed)
            }
            #expect(try await node.statistics(1) == nil)
        }
    }

    @Test("after the shutdown the port is free, and nobody is called any more")
    func shutdown() async throws {
        let first = try await TestNode.start(1)
        let second = try await TestNode.start(2)
        try await shuttingDown([first]) {
            try await first.setPeers([second])
            await eventually("up") { await first.isFullyUp(2) }
            try await second.setPeers([first])
            await eventually("up") { await second.isFullyUp(1) }
            await second.transport.shutdown()
            #expect(second.recorder.changes(1) == [true])
            await second.transport.shutdown()
            await #expect(throws: PeerTransportError.notStartable) { _ = try await second.transport.start() }
            let again = try await TestNode.start(2, port: second.port)
            await again.transport.shutdown()
        }
    }

    private final class EchoHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            // TLS wipes what is written, so it must be a copy of its own.
            let bytes = Array(unwrapInboundIn(data).readableBytesView)
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        }
    }
}
