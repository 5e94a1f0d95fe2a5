internal import NIOCore
internal import NIOTLS

/// One HTTP/1.1 connection: requests in, answers out in the order of the requests (RFC 9112, section 9.3.2).
///
/// Below it in the pipeline lies TLS, or nothing. Inbound buffers must be fresh and used by nobody else: they are changed and wiped where
/// they lie. Confined to the channel's event loop. The files `HTTPConnectionHandler+….swift` hold the ways in, out, and of time.
final class HTTPConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// How far the life of the connection has come; it only moves forward.
    enum Phase: Int, Comparable {
        /// Requests are taken.
        case open
        /// No further request is taken; the answers that are owed go out.
        case lastAnswers
        /// Everything is handed to the channel; waiting until the peer has taken it.
        case flushing
        /// Our direction is closed; what still arrives is discarded, so that no reset destroys the answer on its way.
        case lingering
        case closed

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    /// A request whose answer is not written yet.
    struct Slot {
        let id: RequestID
        let closes: Bool
        let isHead: Bool
        var response: HTTPResponse?
    }

    /// How many bytes are discarded while lingering before the peer is cut off.
    static let lingerByteCountMax = 4 * HTTPLimits.bodyBytesMax
    /// How many bytes of answers are collected before they are handed to the channel in the middle of a read.
    static let unflushedByteCountMax = 65_536

    let configuration: HTTPConnectionConfiguration
    let responder: any Responder
    private let handshakeCompleted: () -> Void
    var context: ChannelHandlerContext?
    var remoteAddress: SocketAddress?
    var phase = Phase.open
    var isDraining = false
    var isInputEnded = false
    var isHandshaking: Bool

    var input: InputBuffer
    var parser = HTTPRequestParser()
    var isParsing = false
    var isReadSuppressed = false
    var requestCount: UInt64 = 0
    var ids = RequestIDGenerator()
    var isContinueSent = false
    var discardedByteCount = 0

    var strangersInARow = 0
    /// Runs while no further request is taken from a connection that brought too many of strangers.
    var brake: Scheduled<Void>?

    var slots = CircularBuffer<Slot>()
    var firstSlotNumber: UInt64 = 0

    var encoder: HTTPResponseEncoder
    var pendingOutput: ByteBuffer?
    var isMoreOutputLikely = false
    var unflushedByteCount = 0
    var outstandingFlushCount = 0
    /// Whether the last flush that was followed was taken by the system at once.
    var isPeerPrompt = false
    var isFlushing = false
    /// Flushes since then whose end nobody waits for.
    var unfollowedFlushCount = 0

    var wait = Wait.nothing
    var waitingSince = NIODeadline.uptimeNanoseconds(0)
    var flushingSince: NIODeadline?
    var timer: Scheduled<Void>?
    var timerDeadline: NIODeadline?

    /// - Parameters:
    ///   - budget: Shared by all connections of the server.
    ///   - isSecured: Whether a TLS handler lies below; time is counted from the end of its handshake then.
    ///   - handshakeCompleted: Called once at the end of that handshake.
    init(
        configuration: HTTPConnectionConfiguration, responder: any Responder, budget: InputBudget, isSecured: Bool,
        handshakeCompleted: @escaping () -> Void = {}
    ) {
        self.configuration = configuration
        self.responder = responder
        self.handshakeCompleted = handshakeCompleted
        input = InputBuffer(budget: budget)
        isHandshaking = isSecured
        encoder = HTTPResponseEncoder(secondsSince1970: configuration.secondsSince1970)
    }

    // MARK: Events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        release()
        self.context = nil
    }

    private func begin(_ context: ChannelHandlerContext) {
        remoteAddress = context.channel.remoteAddress
        updateDeadline()
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        release()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        receive(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        settle()
        context.fireChannelReadComplete()
    }

    /// A read that the channel wants, or that a handler above asks for, waits while there is no room for more requests.
    func read(context: ChannelHandlerContext) {
        if wantsBytes { context.read() } else { isReadSuppressed = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        resume()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            isInputEnded = true
            if phase == .lingering { close() } else { resume() }
        case is ChannelShouldQuiesceEvent:
            isDraining = true
            settle()
        case TLSUserEvent.handshakeCompleted:
            isHandshaking = false
            handshakeCompleted()
            updateDeadline()
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// The channel is broken (a reset, a TLS alert, a truncated stream): nothing more can be said on it.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close()
    }
}
