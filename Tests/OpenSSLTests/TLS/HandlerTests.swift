import COpenSSL
import NIOCore
import NIOEmbedded
import Testing

@testable import OpenSSL

@Suite("TLS handler", .timeLimit(.minutes(1)))
struct HandlerTests {
    @Test("the handshake is told once on each side, with the application protocol")
    func handshakeEvent() throws {
        let pair = try EmbeddedPair.open()
        #expect(pair.client.application.handshakes == ["http/1.1"])
        #expect(pair.server.application.handshakes == ["http/1.1"])
        #expect(pair.server.handler.session.serverName == "localhost")
        #expect(pair.client.application.errors.isEmpty && pair.server.application.errors.isEmpty)
    }

    @Test("a handler that joins a channel that is already active starts as well")
    func lateHandler() throws {
        let channel = EmbeddedChannel()
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        try channel.pipeline.syncOperations.addHandler(TLSHandler(session: TestCertificates.apiClientContext().makeClientSession(to: .host("a"))))
        #expect(try channel.readOutbound(as: ByteBuffer.self) != nil)
    }

    @Test("what is flushed before the handshake goes out after it, in order; what is not flushed stays")
    func earlyWrites() throws {
        let pair = try EmbeddedPair()
        pair.client.write([1])
        pair.client.send([2, 3])
        pair.client.write([4])
        try pair.activate()
        try pair.exchange()
        #expect(pair.server.application.received == [1, 2, 3])
        pair.client.channel.flush()
        try pair.exchange()
        #expect(pair.server.application.received == [1, 2, 3, 4])
    }

    @Test("the buffers of one flush leave as one buffer and one flush, and every promise is kept then")
    func oneBufferPerFlush() throws {
        let pair = try EmbeddedPair.open()
        let flushes = pair.server.transport.flushes
        let futures = [[1], [2, 3], [], [4]].map { pair.server.channel.write(ByteBuffer(bytes: $0)) }
        var done = 0
        for future in futures { future.assumeIsolated().whenSuccess { done += 1 } }
        #expect(done == 0)
        #expect(try pair.server.takeOutbound().isEmpty)
        pair.server.channel.flush()
        #expect(done == 4)
        #expect(pair.server.transport.flushes == flushes + 1)
        let sent = try pair.server.takeOutbound()
        #expect(sent.count == 1)
        try pair.client.receive(sent[0])
        #expect(pair.client.application.received == [1, 2, 3, 4])
    }

    @Test("a silent connection gives libssl's buffers back, keeps the half of a record that it has, and goes on")
    func silence() throws {
        let pair = try EmbeddedPair.open()
        func fallSilent() {
            for side in [pair.client, pair.server] { side.channel.embeddedEventLoop.advanceTime(by: TLSHandler.idleTime * 3) }
        }
        var sent: [UInt8] = []
        for round: UInt8 in 0..<3 {
            pair.client.send([round, round])
            sent += [round, round]
            try pair.exchange()
            #expect(pair.server.application.received == sent)
            fallSilent()
        }
        pair.client.send(Array(repeating: 7, count: 10_000))
        for var record in try pair.client.takeOutbound() {
            let half = record.readSlice(length: 9_000)
            try pair.server.receive(try #require(half))
            fallSilent()
            try pair.server.receive(record)
        }
        #expect(pair.server.application.received == sent + Array(repeating: 7, count: 10_000))
        pair.server.send([8])
        try pair.exchange()
        #expect(pair.client.application.received == [8])
        #expect(pair.client.application.errors.isEmpty && pair.server.application.errors.isEmpty)
    }

    @Test("the promise of an empty write is kept")
    func emptyWrite() throws {
        let pair = try EmbeddedPair.open()
        var isDone = false
        pair.server.channel.writeAndFlush(ByteBuffer()).assumeIsolated().whenSuccess { isDone = true }
        #expect(isDone)
    }

    @Test("plaintext that was written is zeroed in place once encrypted, and not before")
    func writtenPlaintextIsWiped() throws {
        let pair = try EmbeddedPair.open()
        let secret = ByteBuffer(string: "a value that must not stay in memory")
        let witness = secret  // shares the storage
        pair.server.channel.write(secret, promise: nil)
        #expect(witness.withVeryUnsafeBytes { $0.contains { $0 != 0 } })
        pair.server.channel.flush()
        #expect(witness.withVeryUnsafeBytes { $0.allSatisfy { $0 == 0 } })
        try pair.exchange()
        #expect(pair.client.application.received == Array("a value that must not stay in memory".utf8))
    }

    @Test(
        "plaintext that can no longer be sent is zeroed too",
        arguments: ["closed before", "closed while waiting", "failed handshake", "output closed"])
    func unsentPlaintextIsWiped(case name: String) throws {
        let pair = name == "failed handshake" ? try EmbeddedPair() : try EmbeddedPair.open()
        let secret = ByteBuffer(string: "a value that must not stay in memory")
        let witness = secret
        var error: (any Error)?
        if name == "closed before" { pair.server.channel.close(promise: nil) }
        if name == "output closed" { pair.server.channel.close(mode: .output, promise: nil) }
        if name == "failed handshake" { try pair.activate() }
        pair.server.channel.write(secret).assumeIsolated().whenFailure { error = $0 }
        if name == "closed while waiting" { pair.server.channel.close(promise: nil) }
        if name == "failed handshake" { try pair.server.receive(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n")) }
        #expect(error != nil)
        #expect(witness.withVeryUnsafeBytes { $0.allSatisfy { $0 == 0 } })
    }

    @Test("a received buffer has storage of its own: wiping it harms nothing else")
    func receivedPlaintextIsOwned() throws {
        final class Wiper: ChannelInboundHandler {
            typealias InboundIn = ByteBuffer
            var received: [UInt8] = []
            func channelRead(context: ChannelHandlerContext, data: NIOAny) {
                let buffer = unwrapInboundIn(data)
                received += buffer.readableBytesView
                buffer.wipe()
            }
        }
        let pair = try EmbeddedPair.open()
        let wiper = Wiper()
        try pair.server.channel.pipeline.syncOperations.addHandler(wiper, position: .after(pair.server.handler))
        var expected: [UInt8] = []
        for count in [1, 100, 20_000, 3] {
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: count), count: count)
            expected += bytes
            pair.client.send(bytes)
            pair.client.send(bytes)
            expected += bytes
            try pair.exchange()
        }
        #expect(wiper.received == expected)
    }

    @Test("a partial record asks the transport for more, a whole one does not")
    func readsForPartialRecords() throws {
        let pair = try EmbeddedPair.open()
        pair.client.send([1, 2, 3])
        var record = try #require(try pair.client.takeOutbound().first)
        let begin = try #require(record.readSlice(length: 10) as ByteBuffer?)
        pair.server.channel.read()
        let (reads, completes) = (pair.server.transport.reads, pair.server.application.readCompletes)
        try pair.server.receive(begin)
        #expect(pair.server.transport.reads == reads + 1)
        #expect(pair.server.application.readCompletes == completes)
        try pair.server.receive(record)
        #expect(pair.server.transport.reads == reads + 1)
        #expect(pair.server.application.readCompletes == completes + 1)
        #expect(pair.server.application.received == [1, 2, 3])
    }

    @Test("a handshake reads by itself; nothing is read for an application that has not asked")
    func readsForHandshake() throws {
        let pair = try EmbeddedPair.open()
        #expect(pair.server.transport.reads > 0 && pair.client.transport.reads > 0)
        pair.client.send([1])
        let record = try #require(try pair.client.takeOutbound().first)
        let reads = pair.server.transport.reads
        try pair.server.receive(try #require(record.getSlice(at: record.readerIndex, length: 10)))
        #expect(pair.server.transport.reads == reads)
    }

    @Test("a handshake that is not done in time ends the connection, with one error", arguments: [5_000, 300] as [Int64])
    func deadline(milliseconds: Int64) throws {
        let side = try EmbeddedSide(TestCertificates.apiContext().makeServerSession(), handshakeTimeout: .milliseconds(milliseconds))
        try side.activate()
        let client = try EmbeddedSide(TestCertificates.apiClientContext().makeClientSession(to: .host("localhost")))
        try client.activate()
        try side.receive(try #require(try client.takeOutbound().first).getSlice(at: 0, length: 100) ?? ByteBuffer())
        side.channel.embeddedEventLoop.advanceTime(by: .milliseconds(milliseconds - 1))
        #expect(side.application.errors.isEmpty && side.channel.isActive)
        side.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(side.application.errors == [TLSError(code: .handshakeTimedOut)])
        #expect(side.application.isInactive && !side.channel.isActive)
    }

    @Test("a handshake that is done in time has no deadline any more, and a channel that ended has none either")
    func noDeadlineAfterwards() throws {
        let pair = try EmbeddedPair.open()
        pair.server.channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(pair.server.application.errors.isEmpty && pair.server.channel.isActive)
        let other = try EmbeddedPair()
        try other.activate()
        other.server.channel.close(promise: nil)
        other.server.channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(other.server.application.errors.isEmpty)
    }

    @Test(
        "garbage and plain HTTP are one error and the end, without a byte of HTTP",
        arguments: ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\u{0}\u{1}\u{2}garbage, long enough"])
    func garbage(text: String) throws {
        let pair = try EmbeddedPair()
        try pair.activate()
        try pair.server.receive(ByteBuffer(string: text))
        #expect(pair.server.application.errors.map(\.code) == [.handshakeFailed])
        #expect(pair.server.application.isInactive)
        let answer = try pair.server.takeOutbound().reduce(into: [UInt8]()) { $0 += $1.readableBytesView }
        #expect(answer.isEmpty || (answer.count == 7 && answer[0] == 21))  // nothing, or one alert
        #expect(pair.server.application.handshakes.isEmpty && pair.server.application.received.isEmpty)
    }

    @Test("a broken record after the handshake is one error; the other side gets the alert")
    func brokenRecord() throws {
        let pair = try EmbeddedPair.open()
        pair.client.send([1, 2, 3])
        var record = try #require(try pair.client.takeOutbound().first)
        record.setInteger(try #require(record.getInteger(at: 8, as: UInt8.self)) ^ 1, at: 8)
        try pair.server.receive(record)
        #expect(pair.server.application.errors.map(\.code) == [.protocolViolation])
        #expect(pair.server.application.received.isEmpty && pair.server.application.isInactive)
        try pair.exchange()
        #expect(pair.client.application.errors.map(\.alertReceived) == [20])
    }

    @Test("the end of the transport without close_notify is truncation", arguments: ["half-close", "close"])
    func truncation(kind: String) throws {
        let pair = try EmbeddedPair.open()
        if kind == "half-close" {
            pair.server.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        } else {
            pair.server.channel.pipeline.fireChannelInactive()
        }
        #expect(pair.server.application.errors == [TLSError(code: .truncated)])
        #expect(pair.server.application.inputCloses == 0)
        #expect(pair.server.application.isInactive)
    }

    @Test("the end of the transport inside a handshake is told as that", arguments: ["half-close", "close"])
    func endInHandshake(kind: String) throws {
        let pair = try EmbeddedPair()
        try pair.activate()
        try pair.server.receive(ByteBuffer(bytes: [22, 3, 1]))
        if kind == "half-close" {
            pair.server.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        } else {
            pair.server.channel.pipeline.fireChannelInactive()
        }
        #expect(pair.server.application.errors == [TLSError(code: .closedInHandshake)])
    }

    @Test("a transport that says why it failed is not called truncated on top")
    func transportError() throws {
        let pair = try EmbeddedPair.open()
        pair.server.channel.pipeline.fireErrorCaught(IOError(errnoCode: 104, reason: "connection reset"))
        pair.server.channel.pipeline.fireChannelInactive()
        #expect(pair.server.application.errors.isEmpty && pair.server.application.otherErrors == 1)
    }

    @Test("close_notify is told once as the end of input; answers still go out; then nothing is truncated")
    func halfClose() throws {
        let pair = try EmbeddedPair.open()
        pair.client.send([1])
        var isClosed = false
        pair.client.channel.close(mode: .output).assumeIsolated().whenSuccess { isClosed = true }
        #expect(isClosed && pair.client.transport.halfCloses == 1)
        try pair.exchange()
        #expect(pair.server.application.received == [1])
        #expect(pair.server.application.inputCloses == 1)
        pair.server.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)  // the FIN behind it
        #expect(pair.server.application.inputCloses == 1)
        pair.server.send([2, 3])
        pair.server.channel.close(promise: nil)
        try pair.exchange()
        #expect(pair.client.application.received == [2, 3])
        #expect(pair.client.application.inputCloses == 1)
        pair.client.channel.pipeline.fireChannelInactive()
        #expect(pair.client.application.errors.isEmpty && pair.server.application.errors.isEmpty)
    }

    @Test("a half-close before the handshake waits for it and for what was flushed; later writes are refused")
    func earlyHalfClose() throws {
        let pair = try EmbeddedPair()
        pair.client.send([1, 2])
        var isClosed = false
        pair.client.channel.close(mode: .output).assumeIsolated().whenSuccess { isClosed = true }
        var isRefused = false
        pair.client.channel.writeAndFlush(ByteBuffer(bytes: [9])).assumeIsolated().whenFailure { _ in isRefused = true }
        #expect(isRefused && !isClosed)
        try pair.activate()
        try pair.exchange()
        #expect(isClosed)
        #expect(pair.server.application.received == [1, 2])
        #expect(pair.server.application.inputCloses == 1)
    }

    @Test("closing sends close_notify, and closing the input is not supported")
    func close() throws {
        let pair = try EmbeddedPair.open()
        var isRefused = false
        pair.server.channel.close(mode: .input).assumeIsolated().whenFailure { _ in isRefused = true }
        #expect(isRefused && pair.server.channel.isActive)
        pair.server.channel.close(promise: nil)
        try pair.exchange()
        #expect(pair.client.application.inputCloses == 1)
        #expect(pair.client.application.errors.isEmpty && pair.server.application.errors.isEmpty)
    }

    @Test("a client that makes the server answer and answer, and sends no data, is cut off")
    func keyUpdateFlood() throws {
        let pair = try EmbeddedPair.open()
        var sent = 0
        while pair.server.channel.isActive, sent < 100_000 {
            SSL_key_update(pair.client.handler.session.ssl, SSL_KEY_UPDATE_REQUESTED)
            try #require(SSL_do_handshake(pair.client.handler.session.ssl) == 1)
            sent += 1
            try pair.server.receive(try #require(pair.client.handler.session.takeCiphertext()))
        }
        #expect(pair.server.application.errors.map(\.code) == [.protocolViolation])
        #expect((300...2_000).contains(sent))
    }

    @Test("key updates with data between them are normal")
    func keyUpdates() throws {
        let pair = try EmbeddedPair.open()
        for _ in 0..<1_000 {
            SSL_key_update(pair.client.handler.session.ssl, SSL_KEY_UPDATE_REQUESTED)
            pair.client.send([1])
            try pair.exchange()
        }
        #expect(pair.server.application.received.count == 1_000 && pair.server.application.errors.isEmpty)
    }

    @Test("a connection that ended leaves nothing behind, wherever it ended", arguments: ["in the handshake", "open", "at the deadline"])
    func releasesEverything(moment: String) throws {
        weak var session: TLSSession?
        weak var handler: TLSHandler?
        do {
            let pair = moment == "open" ? try EmbeddedPair.open() : try EmbeddedPair()
            if moment != "open" { try pair.activate() }
            (session, handler) = (pair.server.handler.session, pair.server.handler)
            pair.server.write([1])
            if moment == "at the deadline" { pair.server.channel.embeddedEventLoop.advanceTime(by: .seconds(5)) }
            for side in [pair.client, pair.server] { _ = try side.channel.finish(acceptAlreadyClosed: true) }
        }
        #expect(session == nil && handler == nil)
    }

    @Test("an application that closes as soon as it is told of something meets nothing odd", arguments: ["handshake", "data", "end of input"])
    func closeInsideEvent(moment: String) throws {
        final class Closer: ChannelInboundHandler {
            typealias InboundIn = ByteBuffer
            let moment: String
            init(_ moment: String) { self.moment = moment }
            func channelRead(context: ChannelHandlerContext, data: NIOAny) {
                if moment == "data" { context.close(promise: nil) }
                context.fireChannelRead(data)
            }
            func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
                if moment == "handshake" || event is ChannelEvent { context.close(promise: nil) }
                context.fireUserInboundEventTriggered(event)
            }
        }
        let pair = try EmbeddedPair()
        try pair.server.channel.pipeline.syncOperations.addHandler(Closer(moment), position: .after(pair.server.handler))
        pair.client.send([1])
        pair.client.channel.close(mode: .output, promise: nil)
        try pair.activate()
        try pair.exchange()
        #expect(!pair.server.channel.isActive)
        #expect(pair.server.application.errors.isEmpty)
        #expect(pair.client.application.inputCloses == 1)
    }
}
