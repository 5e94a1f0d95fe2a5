import NIOCore
import NIOPosix
import OpenSSL
import SecretStore
import Synchronization

@testable import ClusterIdentity

/// A listener on loopback that counts the plaintext it gets.
final class TestListener: Sendable {
    private let channel: any Channel
    private let counter: ByteCounter
    private let connections: Connections

    /// How many bytes came out of TLS.
    var plaintextBytes: Int { counter.count.withLock { $0 } }

    /// Where it listens, or did.
    let address: NodeAddress

    private init(channel: any Channel, counter: ByteCounter, connections: Connections) {
        self.channel = channel
        address = .of("127.0.0.1:\(channel.localAddress?.port ?? 0)")
        self.counter = counter
        self.connections = connections
    }

    /// Listens with TLS, if given, and the handler that `makeHandler` makes for each connection.
    static func start(tls: TLSContext?, makeHandler: @escaping @Sendable () -> any ChannelHandler) async throws -> TestListener {
        let (counter, connections) = (ByteCounter(), Connections())
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    connections.channels.withLock { $0.append(channel) }
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(TLSHandler(session: tls.makeServerSession(), handshakeTimeout: .seconds(60))) }
                    try pipeline.addHandler(CountingHandler(counter: counter))
                    try pipeline.addHandler(makeHandler())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TestListener(channel: channel, counter: counter, connections: connections)
    }

    /// A member of the cluster that lets nodes join.
    static func member(
        _ cluster: TestCluster, service: (any JoinService)? = nil, credential: Credential? = nil, throttle: JoinThrottle = JoinThrottle(),
        requestTimeout: TimeAmount = .seconds(10)
    ) async throws -> TestListener {
        // As in a cluster: the listener of the links, which serves the join without a client certificate.
        let tls = try TLSContext.peer(
            credential: credential ?? cluster.first.credential, trusting: cluster.first.authorityPEM, applicationProtocol: "conclave-test/1",
            openProtocols: [JoinProtocol.name]
        ) { _ in true }
        return try await start(tls: tls) {
            JoinServerHandler(
                service: service ?? cluster.joinService, throttle: throttle, logger: cluster.logs.logger, requestTimeout: requestTimeout)
        }
    }

    /// Ends every connection in the middle of whatever it does.
    func dropConnections() {
        for channel in connections.channels.withLock({ $0 }) { channel.close(promise: nil) }
    }

    func stop() async throws {
        dropConnections()
        try await channel.close()
    }
}

final class ByteCounter: Sendable {
    let count = Mutex(0)
}

private final class Connections: Sendable {
    let channels = Mutex<[any Channel]>([])
}

private final class CountingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    let counter: ByteCounter

    init(counter: ByteCounter) { self.counter = counter }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let count = unwrapInboundIn(data).readableBytes
        counter.count.withLock { $0 += count }
        context.fireChannelRead(data)
    }
}

/// Says something to whoever connects, or hangs up.
final class BabblingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    let words: [UInt8]

    init(_ words: [UInt8]) { self.words = words }

    func channelActive(context: ChannelHandlerContext) {
        guard !words.isEmpty else { return context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: words)), promise: nil)
    }
}

/// A service that does what a test says.
struct ScriptedService: JoinService {
    let script: @Sendable (JoinRequest) async throws(JoinRefusal) -> JoinGrant

    func admit(_ request: JoinRequest) async throws(JoinRefusal) -> JoinGrant { try await script(request) }
}
