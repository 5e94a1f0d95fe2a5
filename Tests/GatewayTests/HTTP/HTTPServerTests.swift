import Logging
import NIOCore
import NIOPosix
import NIOTLS
import OpenSSL
import Testing

@testable import Gateway

/// The server on a real socket, over TLS.
@Suite(.timeLimit(.minutes(1))) struct HTTPServerTests {
    private static let credential: Result<(authority: String, credential: Credential), CertificateError> = Result {
        () throws(CertificateError) in
        let now: Int64 = 1_700_000_000
        let authority = try CertificateAuthority.make(commonName: "test", validityDays: 36_500, now: now)
        let template = CertificateTemplate(
            commonName: "localhost", names: [.dns("localhost")], purposes: [.serverAuthentication], validitySeconds: 3_000_000_000)
        return (authority.certificatePEM, try authority.issue(template, now: now))
    }

    private func start(
        _ responder: any Responder, isSecured: Bool = true, group: (any EventLoopGroup)? = nil, _ change: (inout HTTPServer.Configuration) -> Void = { _ in }
    ) async throws -> HTTPServer {
        var configuration = HTTPServer.Configuration()
        configuration.eventLoopCount = 1
        change(&configuration)
        let tls = isSecured ? TLSContextBox(try TLSContext.api(credential: Self.credential.get().credential)) : nil
        return try await HTTPServer.start(configuration, tls: tls, responder: responder, group: group, logger: Logger(label: "test"))
    }

    private func connect(to server: HTTPServer, isSecured: Bool = true) async throws -> TestClient {
        let authority = try Self.credential.get().authority
        let received = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: String.self)
        let ready = received.futureResult.eventLoop.makePromise(of: Void.self)
        let channel = try await ClientBootstrap(group: received.futureResult.eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if isSecured {
                        let context = try TLSContext.apiClient(trusting: authority)
                        try channel.pipeline.syncOperations.addHandler(TLSHandler(session: context.makeClientSession(to: .host("localhost"))))
                    }
                    try channel.pipeline.syncOperations.addHandler(CollectingHandler(received: received, ready: ready, isSecured: isSecured))
                }
            }
            .connect(to: server.address).get()
        return TestClient(channel: channel, received: received.futureResult, ready: ready.futureResult)
    }

    @Test(arguments: [true, false])
    func `a thousand pipelined requests are answered in order over a real socket`(isSecured: Bool) async throws {
        let server = try await start(FakeResponder(), isSecured: isSecured)
        let client = try await connect(to: server, isSecured: isSecured)
        try await client.ready.get()
        try await client.send((0..<1_000).map { get("/\($0)") }.joined() + get("/end", "Connection: close\r\n"))
        let output = try await client.received.get()
        let bodies = output.components(separatedByText: "\r\n\r\n").dropFirst().map { $0.prefix { $0 != "H" } }
        #expect(bodies == (0..<1_000).map { "/\($0)" } + ["/end"])
        await server.shutdown(grace: .seconds(5))
        #expect(server.connectionCount == 0)
    }

    @Test func `a body that is too large is answered although the client goes on sending`() async throws {
        let server = try await start(FakeResponder())
        let client = try await connect(to: server)
        try await client.ready.get()
        try await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 400000\r\n\r\n" + String(repeating: "x", count: 400_000))
        #expect(try await client.received.get().hasPrefix("HTTP/1.1 413 "))
        await server.shutdown(grace: .seconds(5))
    }

    @Test func `a large answer arrives whole`() async throws {
        let body = String(repeating: "0123456789abcdef", count: 100_000)
        let server = try await start(FakeResponder { _, _ in .now(HTTPResponse(status: 200, body: ByteBuffer(string: body))) })
        let client = try await connect(to: server)
        try await client.ready.get()
        try await client.send(get("/", "Connection: close\r\n"))
        #expect(try await client.received.get().hasSuffix("\r\n\r\n" + body))
        await server.shutdown(grace: .seconds(5))
    }

    @Test func `shutdown lets a request in flight finish`() async throws {
        let answers = PromisedAnswers()
        let responder = answers.responder
        let server = try await start(responder)
        let client = try await connect(to: server)
        let idle = try await connect(to: server)
        try await client.ready.get()
        try await idle.ready.get()
        try await client.send(get("/slow"))
        while responder.paths.isEmpty { await Task.yield() }
        async let shutdown: Void = server.shutdown(grace: .seconds(30))
        #expect(try await idle.received.get().isEmpty)
        answers.answer("/slow")
        let output = try await client.received.get()
        #expect(output.hasPrefix("HTTP/1.1 200 OK") && output.contains("Connection: close\r\n") && output.hasSuffix("/slow"))
        await shutdown
    }

    @Test func `shutdown closes by force what does not finish`() async throws {
        let answers = PromisedAnswers()
        let responder = answers.responder
        // On loops that outlive the server, so that the answer that nobody waits for any more can still come.
        let server = try await start(responder, group: MultiThreadedEventLoopGroup.singleton)
        let client = try await connect(to: server)
        try await client.ready.get()
        try await client.send(get("/never"))
        while responder.paths.isEmpty { await Task.yield() }
        await server.shutdown(grace: .milliseconds(50))
        #expect(try await client.received.get().isEmpty)
        answers.answer("/never")
    }

    @Test func `connections over the limit are closed at once, and room comes back`() async throws {
        let server = try await start(FakeResponder()) { $0.connectionsMax = 2 }
        let first = try await connect(to: server)
        let second = try await connect(to: server)
        try await first.ready.get()
        try await second.ready.get()
        let third = try await connect(to: server)
        #expect(try await third.received.get().isEmpty)
        try await first.send(get("/", "Connection: close\r\n"))
        _ = try await first.received.get()
        while server.connectionCount > 1 { await Task.yield() }
        try await connect(to: server).ready.get()
        await server.shutdown(grace: .seconds(5))
    }

    @Test func `silent connections fill the handshake limit and no more`() async throws {
        let server = try await start(FakeResponder()) { $0.handshakesMax = 3 }
        let good = try await connect(to: server)
        try await good.ready.get()
        var silent: [TestClient] = []
        for _ in 0..<3 { silent.append(try await connect(to: server, isSecured: false)) }
        while server.connectionCount < 4 { await Task.yield() }
        let refused = try await connect(to: server)
        #expect(try await refused.received.get().isEmpty)
        try await good.send(get("/good", "Connection: close\r\n"))
        #expect(try await good.received.get().hasSuffix("/good"))
        for client in silent { try await client.channel.close().get() }
        while server.connectionCount > 0 { await Task.yield() }
        try await connect(to: server).ready.get()
        await server.shutdown(grace: .seconds(5))
    }

    @Test func `one address gets no more than its share`() async throws {
        let server = try await start(FakeResponder(), isSecured: false) { $0.connectionsPerAddressMax = 1 }
        let first = try await connect(to: server, isSecured: false)
        try await first.send(get("/1"))
        while server.connectionCount < 1 { await Task.yield() }
        #expect(try await connect(to: server, isSecured: false).received.get().isEmpty)
        try await first.channel.close().get()
        while server.connectionCount > 0 { await Task.yield() }
        let second = try await connect(to: server, isSecured: false)
        try await second.send(get("/2", "Connection: close\r\n"))
        #expect(try await second.received.get().hasSuffix("/2"))
        await server.shutdown(grace: .seconds(5))
    }

    @Test func `a port that is taken is an error`() async throws {
        let server = try await start(FakeResponder())
        await #expect(throws: (any Error).self) { _ = try await start(FakeResponder()) { $0.port = server.address.port ?? 0 } }
        await server.shutdown(grace: .seconds(5))
    }
}

/// A client that collects everything until the server ends.
struct TestClient: Sendable {
    let channel: any Channel
    let received: EventLoopFuture<String>
    let ready: EventLoopFuture<Void>

    func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }
}

private final class CollectingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let received: EventLoopPromise<String>
    private let ready: EventLoopPromise<Void>
    private let isSecured: Bool
    private var collected = ""

    init(received: EventLoopPromise<String>, ready: EventLoopPromise<Void>, isSecured: Bool) {
        self.received = received
        self.ready = ready
        self.isSecured = isSecured
    }

    func channelActive(context: ChannelHandlerContext) { if !isSecured { ready.succeed() } }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { collected += String(buffer: unwrapInboundIn(data)) }
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { ready.succeed() }
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    func channelInactive(context: ChannelHandlerContext) {
        received.succeed(collected)
        ready.fail(ChannelError.eof)
    }
}

extension String {
    fileprivate func components(separatedByText separator: String) -> [Substring] {
        var parts: [Substring] = []
        var (start, index) = (startIndex, startIndex)
        while index < endIndex {
            if self[index...].utf8.starts(with: separator.utf8) {
                parts.append(self[start..<index])
                index = utf8.index(index, offsetBy: separator.utf8.count)
                start = index
            } else {
                index = utf8.index(after: index)
            }
        }
        return parts + [self[start...]]
    }
}
