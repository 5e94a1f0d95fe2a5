import NIOCore
import NIOPosix
import NIOTLS
import Synchronization

@testable import OpenSSL

/// What a connection of the test server tells, in order.
enum ServerEvent: Equatable, Sendable {
    case handshake(version: String, applicationProtocol: String?, serverName: String?, isResumed: Bool)
    case error(TLSError)
    /// The transport failed in its own way (a reset).
    case transportError
    case inputClosed
    /// The socket took no more, after so many bytes of the answer.
    case unwritable(afterBytes: Int)
    case closed
}

/// A small HTTP/1.1 server over TLS: enough for real clients, strict about nothing.
final class TestServer: Sendable {
    let port: Int
    let contexts: TLSContextBox
    let events: EventQueue<ServerEvent>
    private let channel: any Channel

    private init(channel: any Channel, port: Int, contexts: TLSContextBox, events: EventQueue<ServerEvent>) {
        (self.channel, self.port, self.contexts, self.events) = (channel, port, contexts, events)
    }

    /// No slow machine reaches it; tests of the deadline set their own.
    static let patientTimeout: TimeAmount = .minutes(2)

    /// Runs `body` with a server on a free loopback port.
    static func with<Result>(
        context: TLSContext? = nil, handshakeTimeout: TimeAmount = patientTimeout, _ body: (TestServer) async throws -> Result
    ) async throws -> Result {
        let contexts = TLSContextBox(try context ?? TestCertificates.apiContext())
        let events = EventQueue<ServerEvent>()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let tls = TLSHandler(session: try contexts.current.makeServerSession(), handshakeTimeout: handshakeTimeout)
                    try channel.pipeline.syncOperations.addHandlers(tls, TinyHTTPHandler(tls.session, events))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = channel.localAddress?.port else { preconditionFailure("a bound socket has a port") }
        let server = TestServer(channel: channel, port: port, contexts: contexts, events: events)
        do {
            let result = try await body(server)
            try await channel.close()
            return result
        } catch {
            try await channel.close()
            throw error
        }
    }
}

/// A queue that a test can wait on.
final class EventQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var isFinished = false
        var waiting: CheckedContinuation<Element?, Never>?
    }
    private let state = Mutex(State())

    func add(_ element: Element) {
        let waiting = state.withLock { state in
            let waiting = state.waiting
            state.waiting = nil
            if waiting == nil { state.elements.append(element) }
            return waiting
        }
        waiting?.resume(returning: element)
    }

    func finish() {
        let waiting = state.withLock { state in
            state.isFinished = true
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(returning: nil)
    }

    /// The next element, as soon as there is one; `nil` after the end.
    func next() async -> Element? {
        await withCheckedContinuation { continuation in
            let ready: Element?? = state.withLock { state in
                if !state.elements.isEmpty { return .some(state.elements.removeFirst()) }
                if state.isFinished { return .some(nil) }
                state.waiting = continuation
                return .none
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }

    /// The next element that `isWanted` accepts; those before it are dropped.
    func first(where isWanted: (Element) -> Bool) async -> Element? {
        while let element = await next() {
            if isWanted(element) { return element }
        }
        return nil
    }
}

/// `GET /…` answers with the path, `POST` with its body, `GET /bytes/N` with N bytes as fast as the client takes them.
private final class TinyHTTPHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let pieceBytes = 1 << 18
    private let session: TLSSession
    private let events: EventQueue<ServerEvent>
    private var received: [UInt8] = []
    private var remaining = 0
    private var sent = 0
    private var closesAfterAnswer = false

    init(_ session: TLSSession, _ events: EventQueue<ServerEvent>) { (self.session, self.events) = (session, events) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        received += buffer.readableBytesView
        buffer.wipe()
        answer(context)
    }

    private func answer(_ context: ChannelHandlerContext) {
        while let end = received.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound {
            let head = String(decoding: received[..<end], as: UTF8.self).split(separator: "\r\n")
            let lengthField = head.first { $0.lowercased().hasPrefix("content-length:") }
            let length = lengthField.flatMap { Int($0.dropFirst(15).trimmingPrefix(while: { $0 == " " })) } ?? 0
            guard received.count >= end + length else { return }
            let body = Array(received[end..<(end + length)])
            received.removeFirst(end + length)
            let words = head[0].split(separator: " ")
            closesAfterAnswer = head.contains { $0.lowercased() == "connection: close" }
            if words[1].hasPrefix("/bytes/"), let count = Int(words[1].dropFirst(7)) {
                write(context, head: "HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n", body: [])
                remaining = count
                pour(context)
            } else {
                let body = words[0] == "POST" ? body : Array("you asked for \(words[1])\n".utf8)
                write(context, head: "HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n", body: body)
            }
        }
    }

    private func write(_ context: ChannelHandlerContext, head: String, body: [UInt8]) {
        context.write(wrapOutboundOut(ByteBuffer(string: head)), promise: nil)
        let done = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: body)), promise: done)
        if closesAfterAnswer { done.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) } }
    }

    private func pour(_ context: ChannelHandlerContext) {
        while remaining > 0, context.channel.isWritable {
            let count = min(remaining, Self.pieceBytes)
            remaining -= count
            sent += count
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(repeating: 0x61, count: count)), promise: nil)
        }
        if remaining > 0 { events.add(.unwritable(afterBytes: sent)) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { pour(context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let name)? = event as? TLSUserEvent {
            events.add(
                .handshake(
                    version: session.protocolVersion, applicationProtocol: name, serverName: session.serverName, isResumed: session.isResumed))
        } else if case .inputClosed? = event as? ChannelEvent {
            events.add(.inputClosed)
            // The answers are written already; an empty write is done when they are.
            let done = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: done)
            done.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        events.add((error as? TLSError).map { .error($0) } ?? .transportError)
    }

    func channelInactive(context: ChannelHandlerContext) { events.add(.closed) }
}

/// A connection made by a test: raw bytes, or TLS with our own handler.
struct TestConnection: Sendable {
    enum Event: Sendable {
        case bytes([UInt8])
        case inputClosed
        case error(TLSError)
    }

    let channel: any Channel
    let events: EventQueue<Event>

    /// - Parameter session: Makes the TLS session; `nil` for raw bytes.
    static func open(port: Int, autoRead: Bool = true, session: (@Sendable () throws -> TLSSession)? = nil) async throws -> TestConnection {
        let events = EventQueue<Event>()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: autoRead)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let session {
                        let tls = TLSHandler(session: try session(), handshakeTimeout: TestServer.patientTimeout)
                        try channel.pipeline.syncOperations.addHandler(tls)
                    }
                    try channel.pipeline.syncOperations.addHandler(Collector(events))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return TestConnection(channel: channel, events: events)
    }

    static func openTLS(port: Int, autoRead: Bool = true) async throws -> TestConnection {
        let context = try TestCertificates.apiClientContext()
        return try await open(port: port, autoRead: autoRead) { try context.makeClientSession(to: .host("localhost")) }
    }

    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }
    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// What arrives until there are `count` bytes or the connection ends.
    func receive(_ count: Int) async -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, let event = await events.next() {
            if case .bytes(let more) = event { bytes += more }
        }
        return bytes
    }

    /// What arrives until the other side ends it, and how it ended.
    func receiveToEnd() async -> (text: String, isClean: Bool, error: TLSError?) {
        var (bytes, isClean, error) = ([UInt8](), false, TLSError?.none)
        while let event = await events.next() {
            switch event {
            case .bytes(let more): bytes += more
            case .inputClosed: isClean = true
            case .error(let caught): error = caught
            }
        }
        return (String(decoding: bytes, as: UTF8.self), isClean, error)
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let events: EventQueue<Event>
        init(_ events: EventQueue<Event>) { self.events = events }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { events.add(.bytes(Array(unwrapInboundIn(data).readableBytesView))) }
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .inputClosed? = event as? ChannelEvent {
                events.add(.inputClosed)
                context.close(promise: nil)
            }
        }
        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let error = error as? TLSError { events.add(.error(error)) }
        }
        func channelInactive(context: ChannelHandlerContext) { events.finish() }
    }
}
