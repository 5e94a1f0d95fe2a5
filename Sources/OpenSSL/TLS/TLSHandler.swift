package import NIOCore
internal import NIOTLS

/// TLS for a channel: decrypts what comes in, encrypts what goes out. Belongs to the channel's event loop.
///
/// **Secrets.** Every inbound buffer is fresh storage that the handler keeps no reference to: the receiver is its last user and wipes
/// it. Every *outbound* buffer is wiped in place, its whole storage, as soon as it is encrypted (or can no longer be): write only
/// buffers whose storage nothing else uses. Not a slice of something else, not a constant, not the same buffer twice.
///
/// **Events.** `TLSUserEvent.handshakeCompleted` once the handshake is done; nothing is read or encrypted before.
/// `ChannelEvent.inputClosed` when the other side has sent close_notify: it gets answers still (set `allowRemoteHalfClosure` on the
/// channel, else the transport closes as soon as the other side's FIN comes). Any failure: one ``TLSError`` through `errorCaught`,
/// with the alert already sent, and the channel closes by itself. A connection that ends without close_notify is such a failure,
/// ``TLSError/Code-swift.enum/truncated``.
///
/// **Back-pressure.** Reads deliver what one read of the transport gave, so a receiver that stops reading stops the other side.
/// Ciphertext waits in the channel's own queue and counts for its writability; only writes made before the handshake is done wait here.
///
/// **Closing.** `close(.all)` sends close_notify and closes at once; writes that the transport has not taken are lost, as on any
/// channel, so wait for the last write's promise. `close(.output)` sends close_notify behind everything flushed and goes on reading.
/// `close(.input)` is not supported.
package final class TLSHandler: ChannelDuplexHandler {
    /// Ciphertext from the transport.
    package typealias InboundIn = ByteBuffer
    /// Plaintext for the application, which wipes it.
    package typealias InboundOut = ByteBuffer
    /// Plaintext from the application, wiped here.
    package typealias OutboundIn = ByteBuffer
    /// Ciphertext for the transport.
    package typealias OutboundOut = ByteBuffer

    /// How long a handshake may take, counted from the connection's start (crypto.md section 7.4).
    package static let handshakeTimeoutDefault: TimeAmount = .seconds(5)

    /// Most that libssl may answer by itself (key updates, refusals to renegotiate) between two pieces of data, in bytes. A client that
    /// asks and never reads would fill the outbound queue without sending a request; no honest one comes near.
    static let ownAnswersBytesMax = 16_384

    /// How long a connection is silent before it gives libssl's buffers back; between once and twice that. To give them back after every
    /// record, as `SSL_MODE_RELEASE_BUFFERS` does, costs a busy connection more than the decryption of a short record.
    static let idleTime: TimeAmount = .seconds(5)

    private enum State { case idle, handshaking, open, outputClosed, closed }

    private var state = State.idle
    /// The connection's session; its certificate, names and protocol are known once the handshake is done.
    package let session: TLSSession
    private let handshakeTimeout: TimeAmount
    private var handshakeDeadline: Scheduled<Void>?
    private var allocator = ByteBufferAllocator()

    /// Plaintext not yet encrypted, and how many bytes it is.
    private var waiting = MarkedCircularBuffer<(plaintext: ByteBuffer, promise: EventLoopPromise<Void>?)>(initialCapacity: 2)
    private var waitingBytes = 0
    /// Set while a `close(.output)` waits for the handshake or for the writes before it; no write may follow it.
    private var isOutputClosing = false
    private var outputClosePromise: EventLoopPromise<Void>?

    /// Somebody asked for data and has not got any yet.
    private var isReadPending = false
    private var hasDelivered = false
    private var ownAnswersBytes = 0
    /// Looks now and then whether libssl's buffers may go; nil while they are gone.
    private var idleCheck: Scheduled<Void>?
    private var wasActive = false
    /// close_notify was received, or the transport has already said why it ends: no truncation to report.
    private var isInputClosed = false
    private var hasTransportFailed = false

    /// - Parameter session: A new session, from ``TLSContext/makeServerSession()`` or ``TLSContext/makeClientSession(to:resuming:)``.
    package init(session: TLSSession, handshakeTimeout: TimeAmount = TLSHandler.handshakeTimeoutDefault) {
        self.session = session
        self.handshakeTimeout = handshakeTimeout
    }

    // MARK: Life of the connection

    /// Begins the handshake where the channel is active already.
    package func handlerAdded(context: ChannelHandlerContext) {
        allocator = context.channel.allocator
        if context.channel.isActive { start(context) }
    }

    /// Wipes and fails what still waits.
    package func handlerRemoved(context: ChannelHandlerContext) {
        end(failingWritesWith: ChannelError.ioOnClosedChannel)
    }

    /// Begins the handshake and its deadline.
    package func channelActive(context: ChannelHandlerContext) {
        // First, so that nobody sees the end of a channel before its beginning.
        context.fireChannelActive()
        start(context)
    }

    /// Reports an end that no close_notify announced.
    package func channelInactive(context: ChannelHandlerContext) {
        let error: TLSError? =
            switch state {
            case .handshaking where !hasTransportFailed: TLSError(code: .closedInHandshake)
            case .open where !isInputClosed && !hasTransportFailed, .outputClosed where !isInputClosed && !hasTransportFailed:
                TLSError(code: .truncated)
            case .idle, .handshaking, .open, .outputClosed, .closed: nil
            }
        end(failingWritesWith: ChannelError.ioOnClosedChannel)
        if let error { context.fireErrorCaught(error) }
        context.fireChannelInactive()
    }

    /// Passes on an error of the transport: the end that follows has its reason already.
    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        hasTransportFailed = true
        context.fireErrorCaught(error)
    }

    /// Judges the end of the transport's input: after close_notify it is no news, before it is truncation.
    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            return context.fireUserInboundEventTriggered(event)
        }
        switch state {
        case .idle, .handshaking: fail(context, TLSError(code: .closedInHandshake))
        case .open where !isInputClosed, .outputClosed where !isInputClosed: fail(context, TLSError(code: .truncated))
        case .open, .outputClosed, .closed: break  // told already, at close_notify
        }
    }

    private func start(_ context: ChannelHandlerContext) {
        guard state == .idle else { return }
        state = .handshaking
        handshakeDeadline = context.eventLoop.assumeIsolated().scheduleTask(in: handshakeTimeout) {
            self.fail(context, TLSError(code: .handshakeTimedOut))
        }
        guard !continueHandshake(context), state == .handshaking else { return }
        context.read()  // a handshake needs bytes, whether or not somebody above wants any yet
    }

    /// Returns whether data may be read now.
    private func continueHandshake(_ context: ChannelHandlerContext) -> Bool {
        do throws(TLSError) {
            let isDone = try session.handshake()
            sendCiphertext(context)
            guard isDone, state == .handshaking else { return false }
        } catch {
            fail(context, error)
            return false
        }
        handshakeDeadline?.cancel()
        handshakeDeadline = nil
        state = .open
        context.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: session.negotiatedProtocol))
        encryptMarked(context)
        return state == .open || state == .outputClosed
    }

    // MARK: Inbound

    /// Decrypts, and delivers what that gives.
    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state != .closed, !isInputClosed else { return }
        session.feed(unwrapInboundIn(data))
        if state == .handshaking, !continueHandshake(context) { return }
        deliver(context)
    }

    /// Tells the application where it got data, and asks the transport for more where it did not.
    package func channelReadComplete(context: ChannelHandlerContext) {
        if hasDelivered {
            hasDelivered = false
            context.fireChannelReadComplete()
        } else if state == .handshaking || (isReadPending && state != .closed && !isInputClosed) {
            // The bytes were a part of a record or not data at all: whoever asked for data still waits.
            context.read()
        }
    }

    /// Remembers that somebody wants data.
    package func read(context: ChannelHandlerContext) {
        isReadPending = true
        context.read()
    }

    private func deliver(_ context: ChannelHandlerContext) {
        wasActive = true
        if idleCheck == nil { scheduleIdleCheck(context) }
        let inbound = session.read(allocator: allocator)
        if case .failed(let error) = inbound.end {
            // Nothing acts on the last words of a connection that turned out to be broken.
            inbound.plaintext?.wipe()
            return fail(context, error)
        }
        ownAnswersBytes += session.ciphertextBytes
        sendCiphertext(context)  // answers of libssl's own: key updates, the refusal to renegotiate
        if let plaintext = inbound.plaintext {
            ownAnswersBytes = 0
            isReadPending = false
            hasDelivered = true
            context.fireChannelRead(wrapInboundOut(plaintext))
        }
        guard state != .closed else { return }
        if ownAnswersBytes > Self.ownAnswersBytesMax {
            fail(context, TLSError(code: .protocolViolation, reason: "too many key updates or renegotiations"))
        } else if case .peerClosed = inbound.end {
            isInputClosed = true
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        } else if waiting.hasMark {
            encryptMarked(context)
        }
    }

    private func scheduleIdleCheck(_ context: ChannelHandlerContext) {
        idleCheck = context.eventLoop.assumeIsolated().scheduleTask(in: Self.idleTime) {
            self.idleCheck = nil
            guard self.state == .open || self.state == .outputClosed else { return }
            if self.wasActive {
                self.wasActive = false
                self.scheduleIdleCheck(context)
            } else {
                self.session.releaseBuffers()
            }
        }
    }

    // MARK: Outbound

    /// Keeps `data`, which is wiped from now on as soon as it is of no more use.
    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let plaintext = unwrapOutboundIn(data)
        guard state != .closed, state != .outputClosed, !isOutputClosing else {
            plaintext.wipe()
            promise?.fail(state == .closed ? ChannelError.ioOnClosedChannel : ChannelError.outputClosed)
            return
        }
        waitingBytes += plaintext.readableBytes
        waiting.append((plaintext, promise))
    }

    /// Encrypts and sends what was written, once the handshake is done.
    package func flush(context: ChannelHandlerContext) {
        waiting.mark()
        if state == .open { encryptMarked(context) }
    }

    /// Encrypts everything flushed into one outbound buffer, and does the half-close that waited for it.
    private func encryptMarked(_ context: ChannelHandlerContext) {
        guard state == .open else { return }
        var carrier: EventLoopPromise<Void>?  // goes with the ciphertext; the others follow it
        if waiting.hasMark {
            session.reserveCapacity(plaintextBytes: waitingBytes, writes: waiting.count)
            do throws(TLSError) {
                while waiting.hasMark, let (plaintext, promise) = waiting.first {
                    guard try session.write(plaintext) else { break }
                    _ = waiting.popFirst()
                    waitingBytes -= plaintext.readableBytes
                    plaintext.wipe()
                    guard let promise else { continue }
                    if let carrier { carrier.futureResult.cascade(to: promise) } else { carrier = promise }
                }
            } catch {
                carrier?.fail(error)
                return fail(context, error)
            }
        }
        if carrier != nil || session.ciphertextBytes > 0 { sendCiphertext(context, promise: carrier) }
        if isOutputClosing, !waiting.hasMark, state == .open { closeOutput(context) }
    }

    private func sendCiphertext(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>? = nil) {
        if let ciphertext = session.takeCiphertext() {
            // Behind our close_notify nothing may follow.
            guard state != .outputClosed else { return }
            context.writeAndFlush(wrapOutboundOut(ciphertext), promise: promise)
        } else if let promise {
            // Only empty buffers were written: they are done when what came before them is.
            context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
        }
    }

    // MARK: Closing

    /// Closes as the type's documentation says.
    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .input:
            promise?.fail(ChannelError.operationUnsupported)
        case .output:
            closeOutputWhenWritten(context, promise)
        case .all:
            if state == .open {
                session.sendCloseNotify()
                sendCiphertext(context)
            }
            end(failingWritesWith: ChannelError.ioOnClosedChannel)
            context.close(mode: .all, promise: promise)
        }
    }

    private func closeOutputWhenWritten(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        guard state == .idle || state == .handshaking || state == .open, !isOutputClosing else {
            promise?.fail(state == .closed ? ChannelError.ioOnClosedChannel : ChannelError.outputClosed)
            return
        }
        isOutputClosing = true
        outputClosePromise = promise
        encryptMarked(context)
    }

    private func closeOutput(_ context: ChannelHandlerContext) {
        session.sendCloseNotify()
        sendCiphertext(context)
        guard state == .open else { return }
        state = .outputClosed
        let promise = outputClosePromise
        outputClosePromise = nil
        failWaiting(ChannelError.outputClosed)
        context.close(mode: .output, promise: promise)
    }

    /// Reports `error` once, with the alert that libssl made of it, and closes. libssl must not be called for a shutdown after a failure.
    private func fail(_ context: ChannelHandlerContext, _ error: TLSError) {
        guard state != .closed else { return }
        sendCiphertext(context)
        guard state != .closed else { return }
        end(failingWritesWith: error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    private func end(failingWritesWith error: any Error) {
        state = .closed
        handshakeDeadline?.cancel()
        handshakeDeadline = nil
        idleCheck?.cancel()
        idleCheck = nil
        outputClosePromise?.fail(error)
        outputClosePromise = nil
        failWaiting(error)
    }

    private func failWaiting(_ error: any Error) {
        while let (plaintext, promise) = waiting.popFirst() {
            waitingBytes -= plaintext.readableBytes
            plaintext.wipe()
            promise?.fail(error)
        }
    }
}

@available(*, unavailable)
extension TLSHandler: Sendable {}
