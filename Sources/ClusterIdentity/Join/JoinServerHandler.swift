package import Logging
package import NIOCore
internal import NIOTLS
internal import OpenSSL

/// The member's side of one connection that negotiated ``JoinProtocol/name``: reads one request, answers it, closes.
///
/// Stands behind a `TLSHandler`, whose handshake may be over already. Everything it was sent and everything it sends is wiped.
/// Belongs to the channel's event loop.
package final class JoinServerHandler: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// How long a request may take to arrive, counted from the connection's start.
    package static let requestTimeout = TimeAmount.seconds(10)
    /// How long the cluster may take to decide.
    package static let answerTimeout = TimeAmount.seconds(30)

    private let service: any JoinService
    private let throttle: JoinThrottle
    private let logger: Logger
    private let requestTimeout: TimeAmount
    private var assembler: JoinFrameAssembler? = JoinFrameAssembler(byteCountMax: JoinProtocol.requestBytesMax)
    private var deadline: Scheduled<Void>?
    private var isAnswered = false
    private var source = "unknown"

    package init(
        service: any JoinService, throttle: JoinThrottle, logger: Logger, requestTimeout: TimeAmount = JoinServerHandler.requestTimeout
    ) {
        self.service = service
        self.throttle = throttle
        self.logger = logger
        self.requestTimeout = requestTimeout
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: requestTimeout) { context.close(promise: nil) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) { end() }

    package func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    /// A connection that breaks has nothing to be told; its TLS says why to itself.
    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("a connection of a node that would join broke", metadata: ["reason": "\(error)"])
        context.close(promise: nil)
    }

    private func end() {
        deadline?.cancel()
        deadline = nil
        assembler = nil
        isAnswered = true
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard assembler != nil else {
            // More than one request, or bytes behind the end.
            part.wipe()
            return context.close(promise: nil)
        }
        source = context.remoteAddress?.ipAddress ?? source
        do throws(MalformedMessage) {
            guard let frame = try assembler?.append(part) else { return }
            guard frame.kind == .request else { throw MalformedMessage() }
            let request = try JoinRequest(decoding: frame.body)
            assembler = nil
            decide(request, context)
        } catch {
            assembler = nil
            answer(.failure(.malformed), context)
        }
    }

    private func decide(_ request: JoinRequest, _ context: ChannelHandlerContext) {
        guard throttle.admits(source, now: .now()) else { return answer(.failure(.tooManyAttempts), context) }
        deadline?.cancel()
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.answerTimeout) { self.answer(.failure(.unavailable), context) }
        let promise = context.eventLoop.makePromise(of: Result<JoinGrant, JoinRefusal>.self)
        promise.completeWithTask { [service] in
            do throws(JoinRefusal) {
                return .success(try await service.admit(request))
            } catch {
                return .failure(error)
            }
        }
        promise.futureResult.assumeIsolated().whenSuccess { self.answer($0, context) }
    }

    private func answer(_ result: Result<JoinGrant, JoinRefusal>, _ context: ChannelHandlerContext) {
        guard !isAnswered else { return }
        end()
        let frame: ByteBuffer
        switch result {
        case .success(let grant):
            logger.notice("a node joins", metadata: ["node": "\(grant.node)", "source": "\(source)"])
            throttle.noteSuccess(source)
            frame = JoinFrame.make(.grant, body: grant.encode())
        case .failure(let refusal):
            logger.warning("a node was not let in", metadata: ["source": "\(source)", "reason": "\(refusal)"])
            if refusal == .tokenUnknown { throttle.noteFailure(source, now: .now()) }
            frame = JoinFrame.make(.refusal, body: ByteBuffer(bytes: [refusal.rawValue]))
        }
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        // Whether or not it could be sent, nothing follows it.
        context.writeAndFlush(wrapOutboundOut(frame)).whenComplete { _ in loopBound.value.close(promise: nil) }
    }
}

@available(*, unavailable)
extension JoinServerHandler: Sendable {}
