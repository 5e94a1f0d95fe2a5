import NIOCore
import NIOTLS

/// What a connection reports to the link that owns it. On the event loop.
protocol LinkEvents: AnyObject {
    /// TLS is done.
    func secured(_ connection: LinkHandler, applicationProtocol: String?)
    func received(_ frame: Frame, on connection: LinkHandler)
    /// Told once; nothing follows.
    ///
    /// - Parameter framesLost: Frames that were queued and never left.
    func ended(_ connection: LinkHandler, _ failure: LinkFailure, framesLost: Int)
}

/// The end of a connection's pipeline, behind TLS: bytes to frames, and the connection's one end.
final class LinkHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    let channel: any Channel
    let startedAt = NIODeadline.now()
    /// When bytes last arrived.
    private(set) var heardAt = NIODeadline.now()
    /// Who the traffic is counted for, once that is known.
    var counting: PeerCounting?
    private(set) var sender: FrameSender?
    private var splitter = FrameSplitter(frameBytesMax: WireFormat.helloBytesMax)
    /// Nil once the connection has ended or was handed over: breaks the cycle with its link.
    private var events: (any LinkEvents)?

    init(channel: any Channel, events: any LinkEvents, queueBytesMax: Int, queueFramesMax: Int) {
        self.channel = channel
        self.events = events
        sender = FrameSender(channel: channel, bytesMax: queueBytesMax, framesMax: queueFramesMax) { [weak self] in self?.counting }
    }

    /// The two sides know each other: frames of full size are welcome from now on.
    func open() { splitter.frameBytesMax = WireFormat.frameBytesMax }

    /// Queues `frame`; see ``FrameSender/append(_:)``.
    func send(_ frame: Frame) -> Bool { sender?.append(frame) ?? false }

    /// Ends the connection: a last word, if the failure has one and the connection still takes it, and the report.
    func fail(_ failure: LinkFailure, lastWord: (LinkEnd) -> Frame = { .close($0) }) {
        guard let events else { return }
        if let end = failure.farewell, channel.isActive {
            _ = send(lastWord(end))
            sender?.flush()
        }
        self.events = nil
        let framesLost = sender?.end() ?? 0
        sender = nil
        channel.close(promise: nil)
        events.ended(self, failure, framesLost: framesLost)
    }

    /// Leaves the connection to others.
    func handOver(_ context: ChannelPipeline.SynchronousOperations) -> EventLoopFuture<Void> {
        events = nil
        _ = sender?.end()
        sender = nil
        return context.removeHandler(self)
    }

    // MARK: The channel's events

    func handlerAdded(context: ChannelHandlerContext) {
        // A connection that we made may already be gone.
        if context.channel.isActive { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        heardAt = .now()
        counting?.counters.bytesReceived += UInt64(bytes.readableBytes)
        splitter.append(bytes)
        do throws(WireError) {
            while let events, let bytes = try splitter.next() {
                let frame = try Frame(decoding: bytes)
                counting?.counters.framesReceived += 1
                events.received(frame, on: self)
            }
        } catch {
            fail(.malformed(error))
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { sender?.flush() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let name)? = event as? TLSUserEvent {
            events?.secured(self, applicationProtocol: name)
        } else if case .inputClosed? = event as? ChannelEvent {
            fail(.closed)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(LinkFailure(error)) }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.closed)
        context.fireChannelInactive()
    }
}

@available(*, unavailable)
extension LinkHandler: Sendable {}
