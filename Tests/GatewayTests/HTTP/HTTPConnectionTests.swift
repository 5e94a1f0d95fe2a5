import NIOCore
import NIOEmbedded
import Testing

@testable import Gateway

/// Answers of one connection: their order, form and end.
@Suite struct HTTPConnectionTests {
    @Test func `an answer is one buffer with everything that clients look at`() throws {
        let connection = try TestConnection(
            FakeResponder { _, _ in
                .now(HTTPResponse(status: 200, headers: [HTTPHeader("X-Extra", "yes")], body: ByteBuffer(string: "{}")))
            })
        try connection.receive(get("/"))
        #expect(connection.transport.writes.count == 1)
        let lines = connection.output.split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines[0] == "HTTP/1.1 200 OK")
        #expect(lines[1].hasPrefix("x-amzn-RequestId: ") && lines[1].utf8.count == 18 + 36)
        #expect(lines[2] == "Content-Type: application/x-amz-json-1.1")
        #expect(lines[3] == "Content-Length: 2")
        #expect(lines[4] == "Date: Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(lines[5] == "X-Extra: yes")
        #expect(lines[6] == "Connection: keep-alive")
        #expect(lines[7...] == ["", "{}"])
        #expect(connection.isOpen)
    }

    @Test func `a thousand pipelined requests are answered in order, in few writes`() throws {
        let connection = try TestConnection(FakeResponder())
        try connection.receive((0..<1_000).map { get("/\($0)") }.joined())
        #expect(connection.bodies == (0..<1_000).map { "/\($0)" })
        #expect(connection.transport.writes.count < 40)
    }

    @Test func `a thousand pipelined requests are answered in order when every answer comes late`() throws {
        let answers = PromisedAnswers()
        let responder = answers.responder
        let connection = try TestConnection(responder)
        try connection.receive((0..<1_000).map { get("/\($0)") }.joined())
        #expect(responder.paths.count == 64, "no more than the limit are in flight")
        var answered = 0
        while answered < 1_000 {
            // The newest first: none of them may overtake.
            let inFlight = responder.paths[answered...]
            for path in inFlight.reversed() { answers.answer(path) }
            answered += inFlight.count
        }
        #expect(connection.bodies == (0..<1_000).map { "/\($0)" })
    }

    @Test func `a connection that brings strangers' requests in a row is throttled and rests, until one is signed`() throws {
        let responder = FakeResponder { request, _ in
            .now(HTTPResponse(status: request.path == "/good" ? 200 : 400, body: ByteBuffer(string: request.path), isFromStranger: request.path != "/good"))
        }
        let connection = try TestConnection(responder)
        let configuration = HTTPConnectionConfiguration()
        let free = configuration.strangersInARowMax
        try connection.receive((0..<free + 3).map { get("/\($0)") }.joined() + get("/good") + get("/last"))
        let throttled = #"{"__type":"ThrottlingException","message":"Rate exceeded"}"#
        var expected = (0..<free).map { "/\($0)" } + [throttled]
        #expect(connection.bodies == expected)
        for _ in 0..<2 {
            connection.channel.embeddedEventLoop.advanceTime(by: configuration.strangerRest - .milliseconds(1))
            #expect(connection.bodies == expected)
            connection.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
            expected.append(throttled)
            #expect(connection.bodies == expected)
        }
        connection.channel.embeddedEventLoop.advanceTime(by: configuration.strangerRest)
        #expect(connection.bodies == expected + ["/good", "/last"])
        #expect(connection.isOpen)
    }

    @Test func `later answers wait for earlier ones`() throws {
        let answers = PromisedAnswers()
        let connection = try TestConnection(answers.responder)
        try connection.receive(get("/1") + get("/2") + get("/3"))
        answers.answer("/3")
        answers.answer("/2")
        #expect(connection.output.isEmpty)
        answers.answer("/1")
        #expect(connection.bodies == ["/1", "/2", "/3"])
    }

    @Test func `a ready answer does not overtake a promised one`() throws {
        let answers = PromisedAnswers()
        let promised = answers.responder
        let connection = try TestConnection(
            FakeResponder { request, loop in
                request.path == "/now"
                    ? .now(HTTPResponse(status: 200, body: ByteBuffer(string: "/now")))
                    : withRequest(path: request.path) { promised.respond(to: $0, on: loop) }
            })
        try connection.receive(get("/later") + get("/now") + "BROKEN\r\n")
        #expect(connection.output.isEmpty)
        answers.answer("/later")
        #expect(connection.bodies.prefix(2) == ["/later", "/now"])
        #expect(connection.statuses == ["200", "200", "400"])
        #expect(connection.isOutputClosed)
    }

    @Test(.timeLimit(.minutes(1)), arguments: 0..<50 as Range<UInt64>)
    func `in any order of events, every request gets its answer in its turn`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var configuration = HTTPConnectionConfiguration()
        configuration.inFlightMax = Int.random(in: 1...8, using: &generator)
        let answers = PromisedAnswers()
        let promised = answers.responder
        let responder = FakeResponder { request, loop in
            request.path.hasSuffix("0") || request.path.hasSuffix("3")
                ? .now(HTTPResponse(status: 200, body: ByteBuffer(string: request.path)))
                : withRequest(path: request.path) { promised.respond(to: $0, on: loop) }
        }
        let connection = try TestConnection(responder, configuration: configuration)
        let paths = (0..<60).map { "/\($0)" }
        var rest = paths.map { "POST \($0) HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" }.joined()[...]
        while responder.paths.count < paths.count || !connection.handler.slots.isEmpty {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0 where connection.channel.isWritable && !connection.handler.isReadSuppressed:
                let piece = rest.prefix(Int.random(in: 1...400, using: &generator))
                rest = rest.dropFirst(piece.count)
                try connection.receive(String(piece))
            case 1:
                connection.channel.isWritable.toggle()
                connection.channel.pipeline.fireChannelWritabilityChanged()
            case 2: if let path = answers.pendingPaths.randomElement(using: &generator) { answers.answer(path) }
            default:
                connection.channel.read()
                connection.advance(.milliseconds(1))
            }
            #expect(connection.handler.slots.count <= configuration.inFlightMax)
        }
        #expect(connection.bodies == paths && responder.paths == paths && connection.isOpen)
    }

    @Test func `nothing is read while there is no room, and reading goes on when there is`() throws {
        var configuration = HTTPConnectionConfiguration()
        configuration.inFlightMax = 2
        let answers = PromisedAnswers()
        let responder = answers.responder
        let connection = try TestConnection(responder, configuration: configuration)
        try connection.receive(get("/1") + get("/2") + get("/3") + get("/4"))
        #expect(responder.paths == ["/1", "/2"])
        let readCount = connection.transport.readCount
        connection.channel.read()
        #expect(connection.transport.readCount == readCount)
        answers.answer("/1")
        #expect(responder.paths == ["/1", "/2", "/3"])
        for path in ["/2", "/3", "/4"] { answers.answer(path) }
        #expect(connection.transport.readCount == readCount + 1)
        #expect(connection.bodies == ["/1", "/2", "/3", "/4"])
    }

    @Test func `a peer that takes no answers is asked for no requests`() throws {
        let responder = FakeResponder()
        let connection = try TestConnection(responder)
        connection.channel.isWritable = false
        try connection.receive(get("/1"))
        #expect(responder.paths.isEmpty)
        connection.channel.isWritable = true
        connection.channel.pipeline.fireChannelWritabilityChanged()
        #expect(connection.bodies == ["/1"])
    }

    @Test func `a request that asks for it is the last`() throws {
        let responder = FakeResponder()
        let connection = try TestConnection(responder)
        try connection.receive(get("/1", "Connection: close\r\n") + get("/2"))
        #expect(responder.paths == ["/1"])
        #expect(connection.output.contains("Connection: close\r\n") && connection.isOutputClosed)
    }

    @Test func `an answer may end the connection`() throws {
        let responder = FakeResponder { _, _ in .now(HTTPResponse(status: 429, closesConnection: true)) }
        let connection = try TestConnection(responder)
        try connection.receive(get("/1") + get("/2"))
        #expect(responder.paths == ["/1"] && connection.statuses == ["429"] && connection.isOutputClosed)
    }

    @Test func `HEAD gets the length and not the body`() throws {
        let connection = try TestConnection(FakeResponder())
        try connection.receive("HEAD /abc HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(connection.output.contains("Content-Length: 4\r\n") && connection.output.hasSuffix("\r\n\r\n"))
    }

    @Test(arguments: [HTTPHeader("A", "b\r\nSet-Cookie: x"), HTTPHeader("A\r\nB", "c"), HTTPHeader("A", "b\u{0}"), HTTPHeader("", "b")])
    func `a header that would split the answer makes it a 500`(_ header: HTTPHeader) throws {
        let connection = try TestConnection(FakeResponder { _, _ in .now(HTTPResponse(status: 200, headers: [header])) })
        try connection.receive(get("/"))
        #expect(connection.statuses == ["500"] && !connection.output.contains("Cookie"))
    }

    @Test func `a promise that fails is a 500, and the connection goes on`() throws {
        let answers = PromisedAnswers()
        let connection = try TestConnection(answers.responder)
        try connection.receive(get("/1"))
        answers.fail("/1")
        try connection.receive(get("/2"))
        answers.answer("/2")
        #expect(connection.statuses == ["500", "200"] && connection.bodies[0].contains("InternalServiceError"))
    }

    // MARK: 100-continue

    private static let expecting = "POST /e HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"

    @Test func `a client that waits is asked for its body once`() throws {
        let connection = try TestConnection(FakeResponder())
        try connection.receive(Self.expecting)
        #expect(connection.output == "HTTP/1.1 100 Continue\r\n\r\n")
        try connection.receive("h")
        try connection.receive("i")
        #expect(connection.statuses == ["100", "200"])
    }

    @Test func `a client is asked for its body after all earlier answers`() throws {
        let answers = PromisedAnswers()
        let connection = try TestConnection(answers.responder)
        try connection.receive(get("/1") + Self.expecting)
        #expect(connection.output.isEmpty)
        answers.answer("/1")
        #expect(connection.statuses == ["200", "100"])
    }

    @Test func `a client that did not wait is not asked`() throws {
        let connection = try TestConnection(FakeResponder())
        try connection.receive(Self.expecting + "hi")
        #expect(connection.statuses == ["200"])
    }

    @Test func `a body that is too large is refused instead of asked for`() throws {
        let connection = try TestConnection(FakeResponder())
        try connection.receive("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\nExpect: 100-continue\r\n\r\n")
        #expect(connection.statuses == ["413"])
    }

    // MARK: The end

    @Test func `a client that closes its direction gets its answers, then the connection ends`() throws {
        let answers = PromisedAnswers()
        let connection = try TestConnection(answers.responder)
        try connection.receive(get("/1") + get("/2") + "GET /half")
        connection.event(ChannelEvent.inputClosed)
        answers.answer("/1")
        #expect(connection.isOpen)
        answers.answer("/2")
        #expect(connection.bodies == ["/1", "/2"] && !connection.isOpen)
    }

    @Test func `requests left for want of room are answered after the client has closed its direction`() throws {
        var configuration = HTTPConnectionConfiguration()
        configuration.inFlightMax = 1
        let answers = PromisedAnswers()
        let connection = try TestConnection(answers.responder, configuration: configuration)
        try connection.receive(get("/1") + get("/2") + get("/3"))
        connection.event(ChannelEvent.inputClosed)
        for path in ["/1", "/2", "/3"] {
            #expect(connection.isOpen)
            answers.answer(path)
        }
        #expect(connection.bodies == ["/1", "/2", "/3"] && !connection.isOpen)
    }

    @Test func `an idle client that closes is closed`() throws {
        let connection = try TestConnection(FakeResponder())
        try connection.receive(get("/1"))
        connection.event(ChannelEvent.inputClosed)
        #expect(!connection.isOpen)
    }

    @Test func `draining finishes what is in flight and says that it is the last`() throws {
        let answers = PromisedAnswers()
        let connection = try TestConnection(answers.responder)
        try connection.receive(get("/1") + get("/2"))
        connection.event(ChannelShouldQuiesceEvent())
        answers.answer("/1")
        #expect(connection.output.contains("Connection: keep-alive\r\n") && !connection.isOutputClosed)
        answers.answer("/2")
        #expect(connection.bodies == ["/1", "/2"])
        #expect(connection.output.contains("Connection: close\r\n") && connection.isOutputClosed)
    }

    @Test func `draining finishes a request that has begun to arrive`() throws {
        let connection = try TestConnection(FakeResponder())
        let request = get("/1")
        try connection.receive(String(request.prefix(10)))
        connection.event(ChannelShouldQuiesceEvent())
        #expect(!connection.isOutputClosed)
        try connection.receive(String(request.dropFirst(10)) + get("/2"))
        #expect(connection.bodies == ["/1"] && connection.isOutputClosed)
    }

    @Test func `draining ends an idle connection at once`() throws {
        let connection = try TestConnection(FakeResponder())
        connection.event(ChannelShouldQuiesceEvent())
        #expect(connection.isOutputClosed)
    }

    @Test func `what arrives after our end is discarded, up to a bound`() throws {
        let responder = FakeResponder()
        let connection = try TestConnection(responder)
        try connection.receive("BROKEN\r\n\r\n")
        #expect(connection.transport.isOutputClosed && connection.isOpen)
        let piece = String(repeating: "x", count: 65_536)
        var received = 0
        while connection.isOpen, received < 100 {
            try connection.receive(piece)
            received += 1
        }
        #expect(received == HTTPConnectionHandler.lingerByteCountMax / piece.utf8.count + 1)
        #expect(responder.paths.isEmpty)
    }

    @Test func `after our end the client's end closes the connection`() throws {
        let connection = try TestConnection(FakeResponder())
        try connection.receive("BROKEN\r\n\r\n")
        connection.event(ChannelEvent.inputClosed)
        #expect(!connection.isOpen)
    }

    @Test func `a broken channel is closed`() throws {
        let connection = try TestConnection(FakeResponder())
        connection.channel.pipeline.fireErrorCaught(ChannelError.ioOnClosedChannel)
        #expect(!connection.isOpen)
    }

    @Test func `without memory for half requests, whole ones are still answered`() throws {
        let budget = InputBudget(byteCountMax: 3_000)
        let half = try TestConnection(FakeResponder(), budget: budget)
        try half.receive("GET /half")
        let refused = try TestConnection(FakeResponder(), budget: budget)
        try refused.receive(get("/1") + "GET /half")
        #expect(refused.statuses == ["200", "503"] && refused.isOutputClosed)
        let whole = try TestConnection(FakeResponder(), budget: budget)
        try whole.receive(get("/2"))
        #expect(whole.statuses == ["200"] && !whole.isOutputClosed)
        try half.channel.close().wait()
        #expect(budget.usedByteCount == 0)
    }

    // MARK: Wiping

    @Test(arguments: [1, 7, 40, 1_000])
    func `what arrives is wiped once it is answered, however it is split`(pieceLength: Int) throws {
        let connection = try TestConnection(FakeResponder())
        var rest = Array("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nsecret".utf8)[...]
        var pieces: [ByteBuffer] = []
        while !rest.isEmpty {
            let piece = ByteBuffer(bytes: rest.prefix(pieceLength))
            pieces.append(piece)
            rest = rest.dropFirst(pieceLength)
            try connection.channel.writeInbound(piece)
        }
        #expect(connection.bodies == ["/1"])
        #expect(pieces.allSatisfy(isWiped))
        #expect(connection.handler.input.capacity == 0, "an idle connection holds no memory")
    }

    @Test func `refused and discarded bytes are wiped`() throws {
        let connection = try TestConnection(FakeResponder())
        let refused = ByteBuffer(string: "BROKEN secret\r\n\r\nsecret")
        try connection.channel.writeInbound(refused)
        let discarded = ByteBuffer(string: "secret")
        try connection.channel.writeInbound(discarded)
        #expect(isWiped(refused) && isWiped(discarded))
    }

    @Test func `the body of an answer is wiped once it is copied out`() throws {
        let body = ByteBuffer(string: "secret")
        let connection = try TestConnection(FakeResponder { _, _ in .now(HTTPResponse(status: 200, body: body)) })
        try connection.receive(get("/"))
        #expect(connection.bodies == ["secret"] && isWiped(body))
    }

    @Test func `an answer that comes after the client has gone is wiped, and one that waited as well`() throws {
        let answers = PromisedAnswers()
        let connection = try TestConnection(answers.responder)
        try connection.receive(get("/1") + get("/2") + get("/3") + "GET /par")
        let waiting = ByteBuffer(string: "secret")
        answers.answer("/2", body: waiting)
        #expect(!isWiped(waiting))
        try connection.channel.close().wait()
        #expect(isWiped(waiting))
        #expect(connection.handler.input.capacity == 0 && connection.handler.timer == nil)
        let late = ByteBuffer(string: "secret")
        answers.answer("/1", body: late)
        answers.answer("/3")
        #expect(isWiped(late) && connection.output.isEmpty)
    }

    @Test func `a closed connection leaves no handler behind`() throws {
        weak var handler: HTTPConnectionHandler?
        do {
            let connection = try TestConnection(FakeResponder())
            handler = connection.handler
            try connection.receive(get("/1") + "GET /par")
            try connection.channel.close().wait()
            connection.channel.embeddedEventLoop.run()
        }
        #expect(handler == nil)
    }
}
