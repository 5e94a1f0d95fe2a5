import NIOCore
import NIOEmbedded
import NIOTLS

@testable import OpenSSL

/// Stands where the socket is: counts what the TLS handler asks of the transport. A half-close is noted, since an embedded channel knows none.
final class TransportProbe: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    private(set) var reads = 0
    private(set) var flushes = 0
    private(set) var halfCloses = 0

    func read(context: ChannelHandlerContext) {
        reads += 1
        context.read()
    }
    func flush(context: ChannelHandlerContext) {
        flushes += 1
        context.flush()
    }
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        halfCloses += 1
        promise?.succeed()
    }
}

/// Stands where the application is: keeps what the TLS handler tells.
final class ApplicationProbe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private(set) var received: [UInt8] = []
    private(set) var handshakes: [String?] = []
    private(set) var errors: [TLSError] = []
    private(set) var otherErrors = 0
    private(set) var inputCloses = 0
    private(set) var readCompletes = 0
    private(set) var isInactive = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { received += unwrapInboundIn(data).readableBytesView }
    func channelReadComplete(context: ChannelHandlerContext) { readCompletes += 1 }
    func channelInactive(context: ChannelHandlerContext) { isInactive = true }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError { errors.append(error) } else { otherErrors += 1 }
    }
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let name)? = event as? TLSUserEvent { handshakes.append(name) }
        if case .inputClosed? = event as? ChannelEvent { inputCloses += 1 }
    }
}

/// One channel with TLS between two probes.
final class EmbeddedSide {
    let channel = EmbeddedChannel()
    let transport = TransportProbe()
    let application = ApplicationProbe()
    let handler: TLSHandler

    init(_ session: TLSSession, handshakeTimeout: TimeAmount = TLSHandler.handshakeTimeoutDefault) throws {
        handler = TLSHandler(session: session, handshakeTimeout: handshakeTimeout)
        try channel.pipeline.syncOperations.addHandlers(transport, handler, application)
    }

    func activate() throws { channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil) }

    /// Everything that the handler has sent so far, buffer by buffer.
    func takeOutbound() throws -> [ByteBuffer] {
        var buffers: [ByteBuffer] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { buffers.append(buffer) }
        return buffers
    }

    func receive(_ buffer: ByteBuffer) throws {
        guard channel.isActive else { return }
        try channel.writeInbound(buffer)
    }

    func write(_ bytes: [UInt8]) { channel.write(ByteBuffer(bytes: bytes), promise: nil) }
    func send(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
}

/// A client and a server, both channels, and the wire between them.
struct EmbeddedPair {
    let client: EmbeddedSide
    let server: EmbeddedSide

    init() throws {
        client = try EmbeddedSide(TestCertificates.apiClientContext().makeClientSession(to: .host("localhost")))
        server = try EmbeddedSide(TestCertificates.apiContext().makeServerSession())
    }

    /// A pair whose handshake is done.
    static func open() throws -> EmbeddedPair {
        let pair = try EmbeddedPair()
        try pair.activate()
        try pair.exchange()
        return pair
    }

    func activate() throws {
        try server.activate()
        try client.activate()
    }

    /// Carries bytes until both sides are quiet.
    func exchange() throws {
        var isBusy = true
        while isBusy {
            let (forth, back) = (try client.takeOutbound(), try server.takeOutbound())
            for buffer in forth { try server.receive(buffer) }
            for buffer in back { try client.receive(buffer) }
            isBusy = !forth.isEmpty || !back.isEmpty
        }
    }
}
