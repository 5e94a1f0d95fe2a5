import NIOCore
import Testing

@testable import Gateway

/// Row N6 of the threat model, in the time of an embedded event loop.
@Suite struct HTTPDeadlineTests {
    private static let defaults = HTTPConnectionConfiguration()

    @Test func `the first request must be complete in its head 10 s after the connection`() throws {
        let connection = try TestConnection(FakeResponder())
        connection.advance(Self.defaults.headTimeout - .milliseconds(1))
        #expect(!connection.isOutputClosed)
        connection.advance(.milliseconds(1))
        #expect(connection.isOutputClosed)
    }

    @Test func `a head that trickles is cut off 10 s after its first byte`() throws {
        let connection = try TestConnection(FakeResponder())
        try connection.receive(get("/1"))
        connection.advance(.seconds(60))
        for _ in 0..<9 {
            try connection.receive("G")
            connection.advance(.seconds(1))
        }
        connection.advance(.milliseconds(999))
        #expect(connection.isOpen)
        connection.advance(.milliseconds(1))
        #expect(!connection.isOpen)
    }

    @Test func `a body that trickles is cut off 30 s after its head`() throws {
        let connection = try TestConnection(FakeResponder())
        connection.advance(.seconds(5))
        try connection.receive("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n")
        for _ in 0..<29 {
            try connection.receive("x")
            connection.advance(.seconds(1))
        }
        #expect(connection.isOpen)
        connection.advance(.seconds(1))
        #expect(!connection.isOpen)
    }

    @Test func `each head has its own 10 s`() throws {
        let connection = try TestConnection(FakeResponder())
        for number in 0..<5 {
            let request = get("/\(number)")
            try connection.receive(String(request.prefix(20)))
            connection.advance(.seconds(8))
            // The end of one request and the beginning of the next in one read.
            try connection.receive(String(request.dropFirst(20)) + "GET")
            connection.advance(.seconds(8))
            try connection.receive(String(get("/").dropFirst(3)))
        }
        #expect(connection.bodies.count == 10 && connection.isOpen)
    }

    @Test func `a peer that takes no answer is cut off after 30 s`() throws {
        let connection = try TestConnection(FakeResponder())
        connection.transport.takesBytes = false
        try connection.receive(get("/1"))
        connection.advance(Self.defaults.writeTimeout - .milliseconds(1))
        #expect(connection.isOpen)
        connection.advance(.milliseconds(1))
        #expect(!connection.isOpen)
    }

    @Test func `a peer that takes answers slowly is not cut off`() throws {
        let connection = try TestConnection(FakeResponder())
        for _ in 0..<5 {
            connection.transport.takesBytes = false
            try connection.receive(get("/1"))
            connection.advance(.seconds(25))
            connection.transport.takeAll()
        }
        #expect(connection.isOpen)
    }

    @Test func `an idle connection ends after 75 s, counted from its last answer`() throws {
        let connection = try TestConnection(FakeResponder())
        for _ in 0..<3 {
            try connection.receive(get("/1"))
            connection.advance(.seconds(74))
            #expect(!connection.isOutputClosed)
        }
        connection.advance(.seconds(1))
        #expect(connection.isOutputClosed)
    }

    @Test func `waiting for our answer is not idleness`() throws {
        let answers = PromisedAnswers()
        let connection = try TestConnection(answers.responder)
        try connection.receive(get("/1"))
        connection.advance(.hours(1))
        #expect(connection.isOpen)
        answers.answer("/1")
        #expect(connection.bodies == ["/1"])
    }

    @Test func `while we do not read, the peer is not late`() throws {
        var configuration = Self.defaults
        configuration.inFlightMax = 1
        let answers = PromisedAnswers()
        let connection = try TestConnection(answers.responder, configuration: configuration)
        try connection.receive(get("/1") + "GET /2")
        connection.advance(.minutes(5))
        answers.answer("/1")
        connection.advance(.seconds(9))
        try connection.receive(String(get("/2").dropFirst(6)))
        answers.answer("/2")
        #expect(connection.bodies == ["/1", "/2"])
    }

    @Test func `a late head does not take away the answers to earlier requests`() throws {
        let answers = PromisedAnswers()
        let connection = try TestConnection(answers.responder)
        try connection.receive(get("/1") + "GET /2")
        connection.advance(.seconds(11))
        #expect(connection.isOpen)
        answers.answer("/1")
        #expect(connection.bodies == ["/1"] && connection.isOutputClosed)
    }

    @Test func `a client that is asked for its body has 30 s from then`() throws {
        let answers = PromisedAnswers()
        let connection = try TestConnection(answers.responder)
        try connection.receive(get("/1") + "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        connection.advance(.minutes(2))
        answers.answer("/1")
        connection.advance(.seconds(29))
        #expect(connection.statuses == ["200", "100"] && connection.isOpen)
        connection.advance(.seconds(1))
        #expect(!connection.isOpen)
    }

    @Test func `our end is followed by a close after 2 s`() throws {
        let connection = try TestConnection(FakeResponder())
        try connection.receive("BROKEN\r\n\r\n")
        connection.advance(Self.defaults.lingerTimeout - .milliseconds(1))
        #expect(connection.isOpen)
        connection.advance(.milliseconds(1))
        #expect(!connection.isOpen)
    }

    @Test func `a stalled peer does not keep a connection that ends`() throws {
        let connection = try TestConnection(FakeResponder())
        connection.transport.takesBytes = false
        try connection.receive("BROKEN\r\n\r\n")
        #expect(!connection.isOutputClosed)
        connection.advance(.seconds(30))
        #expect(!connection.isOpen)
    }

    @Test func `requests in whole reads set no timer`() throws {
        let connection = try TestConnection(FakeResponder())
        try connection.receive(get("/1"))
        let timerDeadline = connection.handler.timerDeadline
        for _ in 0..<100 {
            connection.advance(.milliseconds(10))
            try connection.receive(get("/1"))
        }
        #expect(connection.handler.timerDeadline == timerDeadline)
    }
}
