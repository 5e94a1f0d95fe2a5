internal import FoundationEssentials
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import OpenSSL

/// Listens on the socket in the data directory: see ``AdminRequest``.
struct AdminServer: Sendable {
    private let channel: any Channel
    private let path: String

    /// - Parameter group: Loops for the connections.
    static func start(at path: String, desk: AdminDesk, group: any EventLoopGroup) async throws -> AdminServer {
        unlink(path)
        // A path longer than a socket's name may be is reached through its directory.
        let directory = try SocketDirectory(of: path)
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(AdminConnection(desk: desk)) }
            }
            .bind(unixDomainSocketPath: directory.shortPath).get()
        chmod(path, 0o600)
        return AdminServer(channel: channel, path: path)
    }

    func close() async {
        // The process ends anyway.
        try? await channel.close().get()
        unlink(path)
    }
}

/// One connection: a line in, an answer out, the end.
private final class AdminConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let desk: AdminDesk
    private var line = ByteBuffer()
    private var isAsked = false

    init(desk: AdminDesk) { self.desk = desk }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isAsked else { return }
        var bytes = unwrapInboundIn(data)
        line.writeBuffer(&bytes)
        guard line.readableBytes <= AdminRequest.lineByteCountMax else { return context.close(promise: nil) }
        guard let end = line.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else { return }
        isAsked = true
        let text = Data(line.readableBytesView[..<end])
        let desk = desk
        let promise = context.eventLoop.makePromise(of: AdminDesk.Answer.self)
        promise.completeWithTask {
            guard let request = try? JSONDecoder().decode(AdminRequest.self, from: text) else {
                return AdminDesk.Answer(error: "the running node does not know this request; run the same version of conclave")
            }
            return await desk.answer(request)
        }
        promise.futureResult.assumeIsolated().whenSuccess { [self] answer in write(answer, context) }
    }

    private func write(_ answer: AdminDesk.Answer, _ context: ChannelHandlerContext) {
        // A sentence or nothing always encodes.
        let result = (try? JSONEncoder().encode(AdminResult(error: answer.error))).map { [UInt8]($0) } ?? []
        var buffer = context.channel.allocator.buffer(capacity: result.count + 1 + answer.body.count)
        buffer.writeBytes(result)
        buffer.writeInteger(UInt8(ascii: "\n"))
        answer.body.withUnsafeBytes { _ = buffer.writeBytes($0) }
        context.writeAndFlush(wrapOutboundOut(buffer)).assumeIsolated().whenComplete { _ in
            buffer.clear()
            buffer.withUnsafeMutableWritableBytes { wipe($0) }
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// The directory of a socket, open, so that the socket has a short path whatever the directory's own is.
struct SocketDirectory: ~Copyable {
    private let descriptor: CInt
    let shortPath: String

    init(of path: String) throws(SettingsError) {
        guard let slash = path.lastIndex(of: "/") else { preconditionFailure("the socket lies in the data directory") }
        descriptor = open(String(path[..<slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SettingsError(description: "cannot open '\(path[..<slash])': \(String(cString: strerror(errno)))") }
        shortPath = "/proc/self/fd/\(descriptor)/\(path[path.index(after: slash)...])"
    }

    deinit { close(descriptor) }
}
