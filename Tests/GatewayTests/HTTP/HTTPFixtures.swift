import Access
import NIOCore
import NIOEmbedded
import OpenSSL
import Synchronization

@testable import Gateway

/// A request as text, for comparing.
struct RequestSnapshot: Equatable, Sendable {
    var method = ""
    var path = ""
    var query = ""
    var fields: [String] = []
    var body: [UInt8] = []
    var isKeepAlive = true

    init(_ request: borrowing HTTPRequest) {
        method = request.method
        path = request.path
        query = request.query
        isKeepAlive = request.isKeepAlive
        let layout = request.layout
        fields = request.withBytes { bytes in
            layout.fields.map { "\(text(bytes.extracting($0.name)))=\(text(bytes.extracting($0.value)))" }
        }
        body = request.withBody { bytes in bytes.withUnsafeBytes { Array($0) } }
    }
}

func text(_ span: RawSpan) -> String { span.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }

/// Lends a request made of parts, as the connection would.
func withRequest<Result>(
    method: String = "POST", path: String = "/", headers: [(String, String)] = [("Host", "localhost")], body: String = "",
    _ use: (borrowing HTTPRequest) throws -> Result
) rethrows -> Result {
    let head = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
    var bytes = Array("\(method) \(path) HTTP/1.1\r\n\(head)Content-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    return try bytes.withUnsafeMutableBytes { bytes in
        var parser = HTTPRequestParser()
        let progress = parser.advance(over: bytes)
        precondition(progress == .complete(byteCount: bytes.count), "the parts make one request: \(progress)")
        return try use(
            HTTPRequest(
                id: .random(), layout: parser.layout, isKeepAlive: parser.isKeepAlive, remoteAddress: nil,
                bytes: UnsafeRawBufferPointer(bytes)))
    }
}

/// What a parser makes of bytes that arrive in pieces.
struct ParseOutcome: Equatable {
    var requests: [RequestSnapshot] = []
    var refusal: HTTPRefusal?
    var unusedByteCount = 0

    /// - Parameter pieceLengths: Asked for the length of each next piece.
    init(_ bytes: [UInt8], pieceLengths: () -> Int) {
        var input = InputBuffer(budget: InputBudget(byteCountMax: .max))
        var parser = HTTPRequestParser()
        var arrived = 0
        while arrived < bytes.count {
            let end = min(arrived + max(pieceLengths(), 1), bytes.count)
            let isKept = bytes.withUnsafeBytes {
                input.append(UnsafeRawBufferPointer(rebasing: $0[arrived..<end]), expected: parser.byteCountExpected)
            }
            precondition(isKept, "the budget is endless")
            arrived = end
            advancing: while !input.isEmpty {
                switch parser.advance(over: input.bytes) {
                case .incomplete: break advancing
                case .complete(let count):
                    requests.append(
                        RequestSnapshot(
                            HTTPRequest(
                                id: .random(), layout: parser.layout, isKeepAlive: parser.isKeepAlive, remoteAddress: nil,
                                bytes: UnsafeRawBufferPointer(rebasing: input.bytes[..<count]))))
                    input.consume(count)
                    parser.reset()
                case .refused(let refusal):
                    self.refusal = refusal
                    return
                }
            }
        }
        unusedByteCount = input.isEmpty ? 0 : input.bytes.count
    }

    static func whole(_ text: String) -> ParseOutcome { whole(Array(text.utf8)) }
    static func whole(_ bytes: [UInt8]) -> ParseOutcome { ParseOutcome(bytes) { bytes.count } }
}

/// Answers as it is told, and remembers what it was asked.
final class FakeResponder: Responder {
    let seen = Mutex<[RequestSnapshot]>([])
    private let answer: @Sendable (RequestSnapshot, any EventLoop) -> Answer

    init(_ answer: @escaping @Sendable (RequestSnapshot, any EventLoop) -> Answer) { self.answer = answer }

    /// Answers with the path as the body.
    convenience init() { self.init { request, _ in .now(HTTPResponse(status: 200, body: ByteBuffer(string: request.path))) } }

    func respond(to request: borrowing HTTPRequest, on eventLoop: any EventLoop) -> Answer {
        let snapshot = RequestSnapshot(request)
        seen.withLock { $0.append(snapshot) }
        return answer(snapshot, eventLoop)
    }

    var paths: [String] { seen.withLock { $0.map(\.path) } }
}

/// Answers when the test says so, in any order.
final class PromisedAnswers: Sendable {
    private let promises = Mutex<[String: EventLoopPromise<HTTPResponse>]>([:])

    var responder: FakeResponder {
        FakeResponder { [self] request, loop in
            let promise = loop.makePromise(of: HTTPResponse.self)
            promises.withLock { $0[request.path] = promise }
            return .later(promise.futureResult)
        }
    }

    func answer(_ path: String, body: ByteBuffer? = nil) {
        let response = HTTPResponse(status: 200, body: body ?? ByteBuffer(string: path))
        promises.withLock { $0.removeValue(forKey: path) }?.succeed(response)
    }

    /// What is asked and not answered yet, sorted.
    var pendingPaths: [String] { promises.withLock { $0.keys.sorted() } }

    func fail(_ path: String) {
        promises.withLock { $0.removeValue(forKey: path) }?.fail(ChannelError.ioOnClosedChannel)
    }
}

/// The socket's side of an embedded channel: may refuse to take bytes, and half-closes as a socket does.
final class FakeTransport: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    var takesBytes = true
    private(set) var readCount = 0
    private(set) var isOutputClosed = false
    private(set) var writes: [String] = []
    private(set) var flushCount = 0
    private var untaken: [EventLoopPromise<Void>] = []

    func read(context: ChannelHandlerContext) { readCount += 1 }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        writes.append(String(buffer: unwrapOutboundIn(data)))
        guard let promise else { return }
        if takesBytes { promise.succeed() } else { untaken.append(promise) }
    }

    func flush(context: ChannelHandlerContext) { flushCount += 1 }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .output {
            isOutputClosed = true
            promise?.succeed()
        } else {
            failUntaken()
            context.close(mode: mode, promise: promise)
        }
    }

    func takeAll() {
        let promises = untaken
        untaken = []
        for promise in promises { promise.succeed() }
    }

    private func failUntaken() {
        let promises = untaken
        untaken = []
        for promise in promises { promise.fail(ChannelError.ioOnClosedChannel) }
    }

    var output: String { writes.joined() }
}

/// One connection in memory.
struct TestConnection {
    let channel: EmbeddedChannel
    let transport = FakeTransport()
    let handler: HTTPConnectionHandler

    init(
        _ responder: any Responder, configuration: HTTPConnectionConfiguration = HTTPConnectionConfiguration(),
        budget: InputBudget = InputBudget(byteCountMax: 1 << 30)
    ) throws {
        var configuration = configuration
        configuration.secondsSince1970 = { 784_111_777 }
        handler = HTTPConnectionHandler(configuration: configuration, responder: responder, budget: budget, isSecured: false)
        channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers(transport, handler)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    func receive(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }
    func event(_ event: any Sendable) { channel.pipeline.fireUserInboundEventTriggered(event) }
    func advance(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }

    var output: String { transport.output }
    var isOpen: Bool { channel.isActive }
    /// Whether our side has ended, be it by half.
    var isOutputClosed: Bool { transport.isOutputClosed || !channel.isActive }
    var statuses: [String] { bodiesAndStatuses.map(\.status) }
    var bodies: [String] { bodiesAndStatuses.map(\.body) }

    private var bodiesAndStatuses: [(status: String, body: String)] {
        var rest = output[...]
        var answers: [(String, String)] = []
        while !rest.isEmpty {
            guard let headEnd = rest.range(ofText: "\r\n\r\n") else { break }
            let head = rest[..<headEnd.lowerBound]
            rest = rest[headEnd.upperBound...]
            let status = String(head.split(separator: " ")[1])
            if status == "100" {
                answers.append((status, ""))
                continue
            }
            let lengthLine = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
            let length = lengthLine.flatMap { Int($0.dropFirst(16)) } ?? 0
            answers.append((status, String(decoding: rest.utf8.prefix(length), as: UTF8.self)))
            rest = rest[rest.utf8.index(rest.startIndex, offsetBy: length)...]
        }
        return answers
    }
}

extension Substring {
    fileprivate func range(ofText text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].utf8.starts(with: text.utf8) { return start..<utf8.index(start, offsetBy: text.utf8.count) }
            start = utf8.index(after: start)
        }
        return nil
    }
}

/// A simple request for `path`.
func get(_ path: String, _ headers: String = "") -> String { "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n" }

/// Deterministic random numbers for tests, so that a failure can be run again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

/// Whether all bytes that a buffer held are zero.
func isWiped(_ buffer: ByteBuffer) -> Bool { buffer.withUnsafeReadableBytes { $0.allSatisfy { $0 == 0 } } }
