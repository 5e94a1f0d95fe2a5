import Testing

@testable import Gateway

/// Requests that are taken, and what is made of them.
@Suite struct HTTPRequestParserTests {
    private static let longValue = String(repeating: "v", count: 8_000)
    static let corpus: [String] = [
        get("/"),
        get("/a/b%20c?x=1&y=%2F&z"),
        "POST / HTTP/1.1\r\nHost: localhost:8443\r\nContent-Length: 5\r\nX-Amz-Target: secretsmanager.GetSecretValue\r\n\r\nhello",
        "POST / HTTP/1.1\r\nhost:localhost\r\nEmpty:\r\nBlanks: \t v \t \r\nConnection: keep-alive, Close\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n00001\r\na\r\n00000000\r\n\r\n" + get("/after-chunks"),
        "GET / HTTP/1.0\r\nHost: h\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nLong: \(longValue)\r\nLong: \(longValue)\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: \u{2028}é\r\n\r\n",
        get("/1") + get("/2") + "POST /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 38\r\n\r\n" + "GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n"
            + get("/4"),
        get("/") + "BROKEN\r\n\r\n" + get("/never"),
        "GET / HTTP/1.1\r\nHost: h\r\nBad Name: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 999999\r\n\r\n",
        "GET / HTTP/1.1\nHost: h\n\n",
        "GET / HTTP/1.1\r\nHost: h\r\nIncomplete: ",
    ]

    @Test(arguments: corpus)
    func `one byte at a time gives what the whole gives`(_ text: String) {
        let bytes = Array(text.utf8)
        #expect(ParseOutcome(bytes) { 1 } == ParseOutcome.whole(bytes))
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `any splitting gives what the whole gives`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytes = Array((Self.corpus.shuffled(using: &generator).prefix(6).joined()).utf8)
        let longest = Int.random(in: 1...2_000, using: &generator)
        #expect(ParseOutcome(bytes) { Int.random(in: 1...longest, using: &generator) } == ParseOutcome.whole(bytes))
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func `mutated requests never trap, and splitting them changes nothing`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var bytes = Array((Self.corpus.shuffled(using: &generator).prefix(3).joined()).utf8)
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            let index = Int.random(in: 0..<min(bytes.count, 400), using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: index)
            default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
            }
        }
        let whole = ParseOutcome.whole(bytes)
        #expect(ParseOutcome(bytes) { 1 } == whole)
        #expect(ParseOutcome(bytes) { Int.random(in: 1...100, using: &generator) } == whole)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `random bytes never trap and are never a request`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytes = (0..<Int.random(in: 1...20_000, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
        #expect(ParseOutcome.whole(bytes).requests.isEmpty)
    }

    @Test func `the parts of a request lie where they were received, with names in lower case`() {
        let outcome = ParseOutcome.whole(Self.corpus[2])
        #expect(outcome.refusal == nil && outcome.requests.count == 1)
        let request = outcome.requests[0]
        #expect(request.method == "POST" && request.path == "/" && request.query.isEmpty)
        #expect(request.fields == ["host=localhost:8443", "content-length=5", "x-amz-target=secretsmanager.GetSecretValue"])
        #expect(request.body == Array("hello".utf8) && request.isKeepAlive)
    }

    @Test func `the target is split at its first question mark`() {
        #expect(ParseOutcome.whole(get("/p?a?b")).requests[0].query == "a?b")
        #expect(ParseOutcome.whole(get("/p?")).requests[0].query.isEmpty)
        #expect(ParseOutcome.whole(get("/p?")).requests[0].path == "/p")
    }

    @Test func `blanks around a value are not part of it, and an empty value is a value`() {
        let request = ParseOutcome.whole(Self.corpus[3]).requests[0]
        #expect(request.fields == ["host=localhost", "empty=", "blanks=v", "connection=keep-alive, Close"])
        #expect(!request.isKeepAlive)
    }

    @Test func `chunks become one body`() {
        #expect(ParseOutcome.whole(Self.corpus[4]).requests[0].body == Array("hello0123456789".utf8))
        let pipelined = ParseOutcome.whole(Self.corpus[6])
        #expect(pipelined.requests.map(\.body) == [Array("a".utf8), []])
        #expect(pipelined.requests.map(\.path) == ["/", "/after-chunks"])
    }

    @Test func `a request inside a declared body is body`() {
        let outcome = ParseOutcome.whole(Self.corpus[11])
        #expect(outcome.requests.map(\.path) == ["/1", "/2", "/3", "/4"])
        #expect(outcome.requests[2].body.starts(with: "GET /smuggled".utf8))
    }

    @Test func `a thousand pipelined requests are a thousand requests`() {
        let text = (0..<1_000).map { get("/\($0)") }.joined()
        #expect(ParseOutcome.whole(text).requests.map(\.path) == (0..<1_000).map { "/\($0)" })
    }

    @Test func `HTTP 1 0 never keeps the connection`() {
        #expect(!ParseOutcome.whole("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n").requests[0].isKeepAlive)
    }

    @Test func `limits are met exactly`() {
        let block = (0..<99).map { "h\($0): x\r\n" }.joined()
        #expect(ParseOutcome.whole("GET / HTTP/1.1\r\nHost: h\r\n\(block)\r\n").requests.count == 1)
        let path = "/" + String(repeating: "p", count: HTTPLimits.pathBytesMax - 1)
        #expect(ParseOutcome.whole(get(path)).requests.count == 1)
        let query = String(repeating: "q", count: HTTPLimits.requestLineBytesMax - "GET /? HTTP/1.1".utf8.count)
        #expect(ParseOutcome.whole(get("/?\(query)")).requests.count == 1)
        let value = String(repeating: "v", count: HTTPLimits.headerLineBytesMax - "a:".utf8.count)
        #expect(ParseOutcome.whole(get("/", "a:\(value)\r\n")).requests.count == 1)
        let body = String(repeating: "b", count: HTTPLimits.bodyBytesMax)
        #expect(ParseOutcome.whole("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)").requests.count == 1)
    }

    @Test func `classes of bytes are those of the grammar`() {
        let alphanumerics = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        let tokens = Set(("!#$%&'*+-.^_`|~" + alphanumerics).utf8)
        let targets = Set(("/?:@-._~!$&'()*+,;=%[]" + alphanumerics).utf8)
        let hosts = Set(("-._" + alphanumerics).utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(HTTPCharacters.isToken(byte) == tokens.contains(byte))
            #expect(HTTPCharacters.isTarget(byte) == targets.contains(byte))
            #expect(HTTPCharacters.isHost(byte) == hosts.contains(byte))
            #expect(HTTPCharacters.isFieldValue(byte) == (byte == 9 || (byte >= 32 && byte != 127)))
        }
    }

    @Test func `every byte of a value is checked, wherever it stands`() {
        for length in 1...20 {
            for position in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    var bytes = [UInt8](repeating: 0xFF, count: length)
                    bytes[position] = byte
                    let isTaken = bytes.withUnsafeBufferPointer { bytes in
                        bytes.baseAddress.map { HTTPCharacters.areFieldValue($0, 0..<length) }
                    }
                    #expect(isTaken == HTTPCharacters.isFieldValue(byte))
                }
            }
        }
    }

    @Test func `work is linear in the bytes, however they arrive`() {
        // A line that arrives in many pieces is searched once: the parser is asked 8,000 times here, each time with up to 8,000 bytes.
        var parser = HTTPRequestParser()
        var bytes = Array("GET / HTTP/1.1\r\nHost: h\r\na: ".utf8) + [UInt8](repeating: 1, count: 8_000)
        let start = bytes.count - 8_000
        bytes.withUnsafeMutableBytes { bytes in
            for end in start...bytes.count {
                _ = parser.advance(over: UnsafeMutableRawBufferPointer(rebasing: bytes[..<end]))
                // What was searched before is not looked at again: a line feed put there now would be found by a second search.
                if end > start { bytes[end - 1] = HTTPCharacters.lineFeed }
            }
        }
        #expect(parser.phase == .headers)
    }
}
