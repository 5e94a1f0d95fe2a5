internal import NIOCore
internal import NIOTLS
internal import OpenSSL
internal import SecretStore

/// The new node's side of one connection: sends the request once the member has proved who it is, and reads the answer.
///
/// Keeps the promise exactly once. Belongs to the channel's event loop.
final class JoinClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: JoinRequest
    private let address: NodeAddress
    private let timeout: TimeAmount
    private var answer: EventLoopPromise<Result<JoinGrant, JoinError>>?
    private var assembler = JoinFrameAssembler(byteCountMax: JoinProtocol.answerBytesMax)
    private var deadline: Scheduled<Void>?
    private var isConnected = false
    /// Whether the member has proved to be of the cluster, so that the request is on its way.
    private var isSent = false

    init(request: JoinRequest, address: NodeAddress, answer: EventLoopPromise<Result<JoinGrant, JoinError>>, timeout: TimeAmount) {
        self.request = request
        self.address = address
        self.answer = answer
        self.timeout = timeout
    }

    func channelActive(context: ChannelHandlerContext) {
        isConnected = true
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            self.finish(.failure(self.end), context)
        }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent, !isSent {
            isSent = true
            context.writeAndFlush(wrapOutboundOut(JoinFrame.make(.request, body: request.encode())), promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do throws(MalformedMessage) {
            guard let frame = try assembler.append(unwrapInboundIn(data)) else { return }
            switch frame.kind {
            case .grant: finish(.success(try JoinGrant(decoding: frame.body)), context)
            case .refusal:
                guard frame.body.readableBytes == 1, let refusal = frame.body.readableBytesView.first.flatMap({ JoinRefusal(rawValue: $0) }) else {
                    throw MalformedMessage()
                }
                finish(.failure(.refused(refusal)), context)
            case .request: throw MalformedMessage()
            }
        } catch {
            finish(.failure(.badAnswer(address)), context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.failure(reason(error)), context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.failure(end), context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { finish(.failure(end), context) }

    /// What an end without an answer means, by how far we had come.
    private var end: JoinError {
        guard isConnected else { return .unreachable(address) }
        return isSent ? .answerLost(address) : .notAMember(address)
    }

    private func reason(_ error: any Error) -> JoinError {
        guard isConnected, !isSent else { return end }
        // OpenSSL's numbers: 9 not yet valid, 10 expired, 20 no authority that we know.
        switch (error as? TLSError)?.code {
        case .peerCertificateRejected(verifyResult: 9), .peerCertificateRejected(verifyResult: 10): return .clock(address)
        case .peerCertificateRejected(verifyResult: 20): return .wrongCluster(address)
        default: return .notAMember(address)
        }
    }

    private func finish(_ result: Result<JoinGrant, JoinError>, _ context: ChannelHandlerContext) {
        guard let answer else { return }
        self.answer = nil
        deadline?.cancel()
        deadline = nil
        answer.succeed(result)
        context.close(promise: nil)
    }
}

@available(*, unavailable)
extension JoinClientHandler: Sendable {}
