import COpenSSL
import NIOCore
import NIOPosix
import NIOTLS
import Synchronization

@testable import OpenSSL
@testable import PeerLinks

/// One end of a connection in a test's own hands: below the frames, above TLS or TCP.
struct RawPeer: Sendable {
    struct State {
        var bytes: [UInt8] = []
        var isSecured = false
        var isClosed = false
    }

    final class Inbox: Sendable {
        let state = Mutex(State())
    }

    let channel: any Channel
    let inbox: Inbox

    /// Calls `port`.
    ///
    /// - Parameters:
    ///   - context: Nil for bytes without TLS.
    ///   - name: What the other side's certificate must say.
    ///   - offer: Application protocols in place of the context's.
    static func call(_ port: Int, context: TLSContext?, name: PeerName = .host("localhost"), offer: [String]? = nil) async throws -> RawPeer {
        let inbox = Inbox()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        let session = try context.makeClientSession(to: name)
                        if let offer {
                            let list = offer.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
                            SSL_set_alpn_protos(session.ssl, list, UInt32(list.count))
                        }
                        try channel.pipeline.syncOperations.addHandler(TLSHandler(session: session))
                    }
                    try channel.pipeline.syncOperations.addHandler(Collector(inbox))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawPeer(channel: channel, inbox: inbox)
    }

    /// Calls as node `id`, with its certificate.
    static func call(_ node: TestNode, as id: UInt64, credential: Credential? = nil) async throws -> RawPeer {
        try await call(node.port, context: try context(credential ?? TestCluster.credential(id)))
    }

    static func context(_ credential: Credential) throws -> TLSContext {
        try .peer(
            credential: credential, trusting: TestCluster.authority.certificatePEM, applicationProtocol: WireFormat.applicationProtocol
        ) { _ in true }
    }

    static func hello(_ node: UInt64, cluster: String = TestCluster.id, versions: ClosedRange<UInt16> = 1...1, role: LinkRole = .control) -> Frame {
        .hello(Hello(versions: versions, cluster: cluster, node: TestCluster.identity(node).node, role: role, buildVersion: "raw"))
    }

    // The other side may have closed already: what matters is what it says and that it closes.
    func send(_ bytes: [UInt8]) async { try? await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }
    func send(_ frame: Frame) async { await send(frame.bytes) }

    var isClosed: Bool { inbox.state.withLock { $0.isClosed } }
    var isSecured: Bool { inbox.state.withLock { $0.isSecured } }
    var bytes: [UInt8] { inbox.state.withLock { $0.bytes } }

    /// The whole frames that have arrived.
    var frames: [Frame] {
        var splitter = FrameSplitter(frameBytesMax: WireFormat.frameBytesMax)
        splitter.append(ByteBuffer(bytes: bytes))
        var frames: [Frame] = []
        while let bytes = try? splitter.next(), let frame = try? Frame(decoding: bytes) { frames.append(frame) }
        return frames
    }

    final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let inbox: Inbox

        init(_ inbox: Inbox) { self.inbox = inbox }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Array(unwrapInboundIn(data).readableBytesView)
            inbox.state.withLock { $0.bytes += bytes }
        }
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is TLSUserEvent { inbox.state.withLock { $0.isSecured = true } }
            if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
        }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
        func channelInactive(context: ChannelHandlerContext) { inbox.state.withLock { $0.isClosed = true } }
    }
}

/// A listener with a node's certificate that greets every caller and then says nothing more; it may stop reading, too.
final class MutePeer: Sendable {
    let port: Int
    private let channel: any Channel

    private init(channel: any Channel, port: Int) { (self.channel, self.port) = (channel, port) }

    static func listen(as id: UInt64, reads: Bool) async throws -> MutePeer {
        let context = try RawPeer.context(TestCluster.credential(id))
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(TLSHandler(session: context.makeServerSession()), Greeter(id: id, reads: reads))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = channel.localAddress?.port else { preconditionFailure("a bound socket has a port") }
        return MutePeer(channel: channel, port: port)
    }

    func close() async throws { try await channel.close() }

    private final class Greeter: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let id: UInt64
        private let reads: Bool
        private var hasGreeted = false
        private var splitter = FrameSplitter(frameBytesMax: WireFormat.frameBytesMax)

        init(id: UInt64, reads: Bool) { (self.id, self.reads) = (id, reads) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !hasGreeted else { return }
            splitter.append(unwrapInboundIn(data))
            guard let bytes = try? splitter.next(), case .hello(var hello)? = try? Frame(decoding: bytes) else { return }
            hasGreeted = true
            hello.node = TestCluster.identity(id).node
            if !reads { context.channel.setOption(.autoRead, value: false).whenFailure { _ in } }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: Frame.helloReply(version: 1, hello).bytes)), promise: nil)
        }
    }
}
