import NIOCore
import NIOPosix
import OpenSSL
import SecretStore
import Synchronization
import Testing

@testable import ClusterIdentity

/// Sends bytes once the handshake is done and keeps what comes back until the end.
private final class RawClient: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let words: [[UInt8]]
    private let end: EventLoopPromise<[UInt8]>
    private var received: [UInt8] = []

    init(_ words: [[UInt8]], end: EventLoopPromise<[UInt8]>) {
        self.words = words
        self.end = end
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        for word in words { context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: word)), promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { received += unwrapInboundIn(data).readableBytesView }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) { end.succeed(received) }
}

@Suite("The protocol of joining", .timeLimit(.minutes(3)))
struct JoinProtocolTests {
    let cluster: TestCluster

    init() throws { cluster = try TestCluster() }

    /// What a member answers to bytes of anybody, until it hangs up.
    private func talk(_ words: [[UInt8]], to member: TestListener) async throws -> [UInt8] {
        let authority = try Certificate(pem: cluster.first.authorityPEM).sha256
        let tls = try TLSContext.joinClient(authority: authority, applicationProtocol: JoinProtocol.name) { _ in true }
        let end = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: [UInt8].self)
        _ = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TLSHandler(session: tls.makeJoinSession()))
                    try channel.pipeline.syncOperations.addHandler(RawClient(words, end: end))
                }
            }
            .connect(host: member.address.host, port: Int(member.address.port)).get()
        return try await end.futureResult.get()
    }

    private func request() throws -> [UInt8] {
        let request = JoinRequest(
            secret: .random(count: 32), certificateRequest: try CertificateRequest.make(for: PrivateKey.generateP256()), name: "n",
            peerAddress: .of("a:1"), apiAddress: .of("b:2"), version: "1", sentAt: TestCluster.now)
        return Array(JoinFrame.make(.request, body: request.encode()).readableBytesView)
    }

    private static let malformed: [UInt8] = [0, 0, 0, 2, 3, JoinRefusal.malformed.rawValue]

    @Test("bytes that are no request are refused as such, and nobody is asked")
    func garbage() async throws {
        let asked = Mutex(0)
        let member = try await TestListener.member(cluster, service: ScriptedService { _ throws(JoinRefusal) in
            asked.withLock { $0 += 1 }
            throw .unavailable
        })
        let good = try request()
        var long = good
        long.replaceSubrange(0..<4, with: [0, 0, 0x40, 0])
        for words in [[0, 0, 0, 0, 1], [0xFF, 0xFF, 0xFF, 0xFF, 1], [0, 0, 0, 1, 9], [0, 0, 0, 1, 2], [0, 0, 0, 1, 1], good + [0], Array("GET / HTTP/1.1\r\n\r\n".utf8), long] as [[UInt8]] {
            #expect(try await talk([words], to: member) == Self.malformed)
        }
        #expect(asked.withLock { $0 } == 0)
        // The same in one-byte pieces is one request, and is answered once.
        #expect(try await talk(good.map { [$0] }, to: member) == [0, 0, 0, 2, 3, JoinRefusal.unavailable.rawValue])
        #expect(asked.withLock { $0 } == 1)
        try await member.stop()
    }

    @Test("a request that does not come in time ends the connection without an answer", arguments: [0, 3, 40])
    func slow(count: Int) async throws {
        let member = try await TestListener.member(cluster, requestTimeout: .milliseconds(150))
        #expect(try await talk(count == 0 ? [] : [Array(try request().prefix(count))], to: member).isEmpty)
        try await member.stop()
    }

    @Test("every cut and every altered byte of a request is a request or malformed; none traps")
    func requests() throws {
        let frame = try request()
        let body = Array(frame.dropFirst(JoinFrame.headerByteCount))
        #expect(throws: Never.self) { try JoinRequest(decoding: ByteBuffer(bytes: body)) }
        for count in 0..<body.count { #expect(throws: MalformedMessage.self) { try JoinRequest(decoding: ByteBuffer(bytes: body.prefix(count))) } }
        for index in body.indices {
            var altered = body
            altered[index] ^= 0x80
            if let read = try? JoinRequest(decoding: ByteBuffer(bytes: altered)) { #expect(read.secret.count == 32) }
        }
    }

    @Test("a grant comes back as it was; no cut of it is one")
    func grants() async throws {
        let key = try PrivateKey.generateP256()
        let token = try cluster.makeToken()
        let request = JoinRequest(
            secret: token.secret, certificateRequest: try CertificateRequest.make(for: key), name: nil, peerAddress: .of("a:1"),
            apiAddress: .of("b:2"), version: "1", sentAt: TestCluster.now)
        let grant = try await cluster.joinService.admit(request)
        let body = Array(grant.encode().readableBytesView)
        let read = try JoinGrant(decoding: ByteBuffer(bytes: body))
        #expect(read.node == grant.node && read.nodes == grant.nodes && read.clusterID == grant.clusterID && read.region == grant.region)
        #expect(read.certificatePEM == grant.certificatePEM && read.authorityPEM == grant.authorityPEM && read.generation == grant.generation)
        let (readKeys, grantedKeys) = (read.keyring, grant.keyring)
        let isEqual = isEqualInConstantTime(readKeys.bytes, grantedKeys.bytes)
        #expect(isEqual)
        for count in 0..<body.count { #expect(throws: MalformedMessage.self) { try JoinGrant(decoding: ByteBuffer(bytes: body.prefix(count))) } }
        #expect(throws: MalformedMessage.self) { try JoinGrant(decoding: ByteBuffer(bytes: body + [0])) }
    }

    @Test("what was put together is wiped, and so is what it was put together from")
    func wiped() throws {
        let frame = JoinFrame.make(.request, body: ByteBuffer(string: "canary canary"))
        let part = ByteBuffer(bytes: frame.readableBytesView)
        var body: ByteBuffer?
        do {
            var assembler = JoinFrameAssembler(byteCountMax: 100)
            body = try assembler.append(part)?.body
            #expect(body.map { String(buffer: $0) } == "canary canary")
            #expect(part.readableBytesView.allSatisfy { $0 == 0 })
        }
        #expect(body?.readableBytes == 13 && body?.readableBytesView.allSatisfy { $0 == 0 } == true)
    }

    @Test("waits begin after a few wrong tokens, double, end at a minute, and are forgotten")
    func throttle() {
        let throttle = JoinThrottle()
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        for _ in 0..<JoinThrottle.freeAttempts {
            throttle.noteFailure("a", now: now)
            #expect(throttle.admits("a", now: now))
        }
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] as [Int64] {
            throttle.noteFailure("a", now: now)
            #expect(!throttle.admits("a", now: now + .seconds(seconds) - .nanoseconds(1)))
            #expect(throttle.admits("b", now: now), "another address does not wait")
            now = now + .seconds(seconds)
            #expect(throttle.admits("a", now: now))
        }
        throttle.noteFailure("a", now: now + JoinThrottle.delayMax + .seconds(1))
        #expect(throttle.admits("a", now: now + JoinThrottle.delayMax + .seconds(1)), "quiet for a while: begins anew")
        for _ in 0..<9 { throttle.noteFailure("c", now: now) }
        #expect(!throttle.admits("c", now: now))
        throttle.noteSuccess("c")
        #expect(throttle.admits("c", now: now))
        for _ in 0..<9 { throttle.noteFailure("d", now: now) }
        for number in 0..<(2 * JoinThrottle.addressesMax) { throttle.noteFailure("x\(number)", now: now) }
        #expect(!throttle.admits("d", now: now), "who waits is not forgotten for strangers who do not")
    }
}
