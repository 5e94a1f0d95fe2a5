internal import Access
internal import Glibc

/// The grammar of one HTTP/1.1 request (RFC 9112) over bytes that are still arriving. A pure value: no I/O, no clock, no copy.
///
/// Our own, and not NIOHTTP1's, because SigV4 needs the bytes as they were received, because everything that could be read in two
/// ways is refused here, and because nothing is allocated per header. The caller keeps the bytes of the request in one piece and
/// calls ``advance(over:)`` each time there are more of them; work already done is not repeated, so any splitting costs linear time.
///
/// The parser writes into the bytes in two ways: header names become lower case, and the parts of a chunked body move together.
struct HTTPRequestParser: Sendable {
    /// What is known after the bytes seen so far.
    enum Progress: Equatable {
        /// The request is not complete.
        case incomplete
        /// The request is complete and took this many bytes; ``HTTPRequestParser/layout`` is valid.
        case complete(byteCount: Int)
        /// The connection cannot go on: where a next request would begin is not known.
        case refused(HTTPRefusal)
    }

    enum Phase: Equatable {
        case requestLine
        case headers
        case body(byteCount: Int)
        case chunkSize
        case chunkData(remaining: Int)
        case chunkEnd
        case chunkedEnd
        case complete
        case refused(HTTPRefusal)
    }

    /// Where the parts of the request lie, counted from its first byte.
    private(set) var layout = RequestLayout(method: 0..<0, path: 0..<0, query: 0..<0, fields: [], body: 0..<0)
    /// Whether the client would like to send more requests on the connection.
    var isKeepAlive: Bool { isVersion1_1 && !asksToClose }
    /// Whether the client waits for `100 Continue` before it sends the body.
    var awaitsContinue: Bool { expectsContinue && isVersion1_1 && isInBody }
    /// Whether the head is complete and the body is not.
    var isInBody: Bool {
        switch phase {
        case .requestLine, .headers, .complete, .refused: false
        case .body, .chunkSize, .chunkData, .chunkEnd, .chunkedEnd: true
        }
    }
    /// How long the whole request is, in bytes, once that is known.
    var byteCountExpected: Int? {
        if case .body(let byteCount) = phase { layout.body.lowerBound + byteCount } else { nil }
    }

    var phase = Phase.requestLine
    /// First byte that was not used yet; a line is used as a whole.
    var position = 0
    /// Where the search for the end of the current line goes on.
    private var searched = 0
    private var headersStart = 0
    var isVersion1_1 = false
    var asksToClose = false
    var expectsContinue = false
    var expectsOther = false
    var seen: OnceOnly = []
    var contentLength: Int?
    var isChunked = false
    var bodyEnd = 0
    var chunkFramingByteCount = 0

    /// Makes ready for the next request. The room for fields is kept.
    mutating func reset() {
        var fields = layout.fields
        self = HTTPRequestParser()
        fields.removeAll(keepingCapacity: true)
        layout.fields = fields
    }

    /// Goes on with a request.
    ///
    /// - Parameter bytes: What has arrived since the first byte of the request, all of it, changed by nobody but this parser.
    /// - Returns: The same for the same bytes, however they were split into calls.
    mutating func advance(over bytes: UnsafeMutableRawBufferPointer) -> Progress {
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return .incomplete }
        do throws(HTTPRefusal) {
            while try step(over: start, count: bytes.count) {}
        } catch {
            phase = .refused(error)
        }
        switch phase {
        case .complete: return .complete(byteCount: position)
        case .refused(let refusal): return .refused(refusal)
        default: return .incomplete
        }
    }

    /// Takes one line or one run of body bytes. False when there is nothing more to take.
    private mutating func step(over bytes: UnsafeMutablePointer<UInt8>, count: Int) throws(HTTPRefusal) -> Bool {
        switch phase {
        case .requestLine: return try takeRequestLine(bytes, count: count)
        case .headers: return try takeHeaderLine(bytes, count: count)
        case .body(let byteCount):
            guard count - position >= byteCount else { return false }
            layout.body = position..<position + byteCount
            position += byteCount
            phase = .complete
            return false
        case .chunkSize, .chunkData, .chunkEnd, .chunkedEnd: return try takeChunkPart(bytes, count: count)
        case .complete, .refused: return false
        }
    }

    private mutating func takeRequestLine(_ bytes: UnsafeMutablePointer<UInt8>, count: Int) throws(HTTPRefusal) -> Bool {
        let limit = HTTPLimits.requestLineBytesMax
        guard let lineFeed = findLineFeed(bytes, count: count) else {
            guard count - position <= limit + 1 else { throw .requestLine }
            return false
        }
        guard lineFeed - position <= limit + 1 else { throw .requestLine }
        guard lineFeed > position, bytes[lineFeed - 1] == HTTPCharacters.carriageReturn else { throw .requestLine }
        try parseRequestLine(UnsafePointer(bytes), position..<lineFeed - 1)
        position = lineFeed + 1
        headersStart = position
        phase = .headers
        return true
    }

    private mutating func takeHeaderLine(_ bytes: UnsafeMutablePointer<UInt8>, count: Int) throws(HTTPRefusal) -> Bool {
        guard let lineFeed = findLineFeed(bytes, count: count) else {
            guard count - position <= HTTPLimits.headerLineBytesMax + 1, count - headersStart <= HTTPLimits.headerBlockBytesMax else {
                throw .headersTooLarge
            }
            return false
        }
        guard lineFeed - position <= HTTPLimits.headerLineBytesMax + 1, lineFeed + 1 - headersStart <= HTTPLimits.headerBlockBytesMax else {
            throw .headersTooLarge
        }
        guard lineFeed > position, bytes[lineFeed - 1] == HTTPCharacters.carriageReturn else { throw .headerLine }
        let line = position..<lineFeed - 1
        position = lineFeed + 1
        if line.isEmpty {
            try finishHead()
            return true
        }
        guard layout.fields.count < HTTPLimits.headersMax else { throw .headersTooLarge }
        layout.fields.append(try parseHeaderLine(bytes, line))
        return true
    }

    private mutating func findLineFeed(_ bytes: UnsafeMutablePointer<UInt8>, count: Int) -> Int? {
        let from = max(searched, position)
        searched = count
        guard from < count, let found = memchr(bytes + from, CInt(HTTPCharacters.lineFeed), count - from) else { return nil }
        let index = UnsafeMutableRawPointer(bytes).distance(to: found)
        searched = index + 1
        return index
    }

    /// Decides, at the blank line, how long the body is (RFC 9112, section 6.3, without its tolerant cases).
    private mutating func finishHead() throws(HTTPRefusal) {
        guard seen.contains(.host) else { throw .host }
        guard !isChunked || (contentLength == nil && isVersion1_1) else { throw .bodyLength }
        guard !expectsOther else { throw .expectation }
        guard contentLength ?? 0 <= HTTPLimits.bodyBytesMax else { throw .bodyTooLarge }
        layout.body = position..<position
        bodyEnd = position
        phase = isChunked ? .chunkSize : .body(byteCount: contentLength ?? 0)
    }

    /// Sets the end of a chunked body.
    mutating func completeChunkedBody() {
        layout.body = layout.body.lowerBound..<bodyEnd
        phase = .complete
    }

    mutating func setTarget(method: Range<Int>, path: Range<Int>, query: Range<Int>) {
        layout.method = method
        layout.path = path
        layout.query = query
    }
}
