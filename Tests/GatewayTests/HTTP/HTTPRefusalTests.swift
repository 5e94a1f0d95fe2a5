import Testing

@testable import Gateway

/// Rows N7 to N12 of the threat model: what is refused, and with which status.
@Suite struct HTTPRefusalTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let name: String
        let request: String
        let status: UInt16
        init(_ name: String, _ status: UInt16, _ request: String) {
            self.name = name
            self.request = request
            self.status = status
        }
        var testDescription: String { name }
    }

    private static func head(_ headers: String, method: String = "POST", version: String = "1.1") -> String {
        "\(method) / HTTP/\(version)\r\nHost: h\r\n\(headers)\r\n"
    }
    private static func chunked(_ body: String) -> String { head("Transfer-Encoding: chunked\r\n") + body }
    private static func host(_ value: String) -> String { "GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n" }
    private static func text(_ count: Int) -> String { String(repeating: "x", count: count) }

    static let tooLarge: [Row] = [
        Row("101 headers", 431, head((0..<100).map { "a\($0): b\r\n" }.joined())),
        Row("a header line of 9 KiB", 431, head("a: \(text(9_216))\r\n")),
        Row("a header line of one byte too many", 431, head("a:\(text(8_191))\r\n")),
        Row("a header line of 9 KiB without end", 431, "GET / HTTP/1.1\r\na: \(text(9_216))"),
        Row("a block of 33 KiB", 431, head((0..<9).map { "a\($0): \(text(3_700))\r\n" }.joined())),
        Row("100,000 empty headers", 431, head(String(repeating: "a:\r\n", count: 100_000))),
        Row("a content length of 10 GiB", 413, head("Content-Length: 10737418240\r\n")),
        Row("a content length one over the limit", 413, head("Content-Length: 262145\r\n")),
        Row("a chunk over the limit", 413, chunked("40001\r\n")),
        Row("chunks over the limit in all", 413, chunked("40000\r\n\(text(262_144))\r\n1\r\n")),
    ]
    static let bodyLength: [Row] = [
        Row("negative length", 400, head("Content-Length: -1\r\n")),
        Row("length with a sign", 400, head("Content-Length: +5\r\n")),
        Row("length as a list", 400, head("Content-Length: 5,5\r\n")),
        Row("hexadecimal length", 400, head("Content-Length: 0x10\r\n")),
        Row("length of 30 digits", 400, head("Content-Length: \(String(repeating: "1", count: 30))\r\n")),
        Row("empty length", 400, head("Content-Length:\r\n")),
        Row("length and chunks", 400, head("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
        Row("chunks and length", 400, head("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")),
        Row("two equal lengths", 400, head("Content-Length: 5\r\nContent-Length: 5\r\n")),
        Row("two lengths", 400, head("Content-Length: 5\r\nContent-Length: 6\r\n")),
        Row("chunked, identity", 400, head("Transfer-Encoding: chunked, identity\r\n")),
        Row("gzip, chunked", 400, head("Transfer-Encoding: gzip, chunked\r\n")),
        Row("xchunked", 400, head("Transfer-Encoding: xchunked\r\n")),
        Row("Chunked in another case", 400, head("Transfer-Encoding: Chunked\r\n")),
        Row("a tab before chunked", 400, head("Transfer-Encoding: \tchunked\r\n")),
        Row("a tab alone before chunked", 400, head("Transfer-Encoding:\tchunked\r\n")),
        Row("quoted chunked", 400, head("Transfer-Encoding: \"chunked\"\r\n")),
        Row("two transfer encodings", 400, head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
        Row("chunks in HTTP/1.0", 400, head("Transfer-Encoding: chunked\r\n", version: "1.0")),
        Row("negative chunk size", 400, chunked("-1\r\n")),
        Row("chunk size with prefix", 400, chunked("0x5\r\nhello\r\n0\r\n\r\n")),
        Row("chunk size that overflows", 400, chunked("FFFFFFFFFFFFFFFF\r\n")),
        Row("empty chunk size", 400, chunked("\r\n")),
        Row("chunk size with a blank", 400, chunked("5 \r\nhello\r\n0\r\n\r\n")),
        Row("a chunk extension", 400, chunked("5;a=b\r\nhello\r\n0\r\n\r\n")),
        Row("a chunk extension of 1 MiB", 400, chunked("5;\(text(1 << 20))\r\nhello\r\n0\r\n\r\n")),
        Row("a chunk size ended by a bare line feed", 400, chunked("5\nhello\r\n0\r\n\r\n")),
        Row("a chunk that is longer than its size", 400, chunked("5\r\nhello!\r\n0\r\n\r\n")),
        Row("trailers", 400, chunked("0\r\nX: y\r\n\r\n")),
        Row("many tiny chunks", 400, chunked(String(repeating: "1\r\nx\r\n", count: 4_000))),
    ]
    static let lines: [Row] = [
        Row("bare line feeds", 400, "GET / HTTP/1.1\nHost: h\n\n"),
        Row("a bare line feed after a header", 400, head("A: b\n")),
        Row("a bare carriage return in a value", 400, head("A: b\rC: d\r\n")),
        Row("a bare carriage return in a name", 400, head("A\rB: c\r\n")),
        Row("two carriage returns", 400, head("A: b\r\r\n")),
        Row("a bare carriage return in the request line", 400, "GET /\r HTTP/1.1\r\nHost: h\r\n\r\n"),
        Row("a folded line", 400, head("A: b\r\n c\r\n")),
        Row("a folded line with a tab", 400, head("A: b\r\n\tc\r\n")),
        Row("a blank before the first header", 400, "GET / HTTP/1.1\r\n Host: h\r\n\r\n"),
        Row("a blank before the colon", 400, head("A : b\r\n")),
        Row("a tab before the colon", 400, head("A\t: b\r\n")),
        Row("NUL in a name", 400, head("A\0: b\r\n")),
        Row("NUL in a value", 400, head("A: b\0c\r\n")),
        Row("DEL in a value", 400, head("A: b\u{7F}\r\n")),
        Row("UTF-8 in a name", 400, head("Ä: b\r\n")),
        Row("a name that is no token", 400, head("A(B): c\r\n")),
        Row("no name", 400, head(": b\r\n")),
        Row("no colon", 400, head("Abc\r\n")),
        Row("a line before the request line", 400, "\r\n" + head("")),
    ]
    static let requestLines: [Row] = [
        Row("absolute form", 400, "GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n"),
        Row("asterisk form", 400, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"),
        Row("a fragment", 400, get("/#a")),
        Row("CONNECT", 400, "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"),
        Row("CONNECT with a path", 400, "CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Row("HTTP/0.9", 400, "GET /\r\n"),
        Row("HTTP/1.0 without host", 400, "GET / HTTP/1.0\r\n\r\n"),
        Row("HTTP/1.1 without host", 400, "GET / HTTP/1.1\r\n\r\n"),
        Row("HTTP/1.2", 505, head("", version: "1.2")),
        Row("HTTP/2.0", 505, head("", version: "2.0")),
        Row("HTTP/3.0", 505, head("", version: "3.0")),
        Row("HTTP/0.9 with a version", 505, head("", version: "0.9")),
        Row("the preface of HTTP/2", 400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Row("HTTP/1.10", 400, head("", version: "1.10")),
        Row("http in lower case", 400, "GET / http/1.1\r\nHost: h\r\n\r\n"),
        Row("a target of 64 KiB", 400, get("/\(text(65_536))")),
        Row("a path one byte too long", 400, get("/\(text(2_048))")),
        Row("a request line one byte too long", 400, get("/?\(text(8_192 - 14))")),
        Row("a method of 33 letters", 400, "\(text(33)) / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Row("two blanks", 400, "GET  / HTTP/1.1\r\nHost: h\r\n\r\n"),
        Row("a tab for a blank", 400, "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n"),
        Row("a blank at the end", 400, "GET / HTTP/1.1 \r\nHost: h\r\n\r\n"),
        Row("a blank in the target", 400, get("/a b")),
        Row("a backslash in the target", 400, get("/a\\b")),
        Row("UTF-8 in the target", 400, get("/ä")),
        Row("NUL in the target", 400, get("/\0")),
        Row("an encoded NUL", 400, get("/%00")),
        Row("half an encoded byte", 400, get("/%4")),
        Row("an encoded byte that is none", 400, get("/%zz")),
        Row("an encoded byte across path and query", 400, get("/%4?1")),
        Row("TLS on a plain port", 400, "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\n"),
    ]
    static let hosts: [Row] = [
        Row("two hosts", 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        Row("an empty host", 400, host("")),
        Row("user information", 400, host("user@h")),
        Row("port 0", 400, host("h:0")),
        Row("port 65536", 400, host("h:65536")),
        Row("an empty port", 400, host("h:")),
        Row("a port that is no number", 400, host("h:8o")),
        Row("two ports", 400, host("h:80:80")),
        Row("an IPv6 zone", 400, host("[fe80::1%25eth0]")),
        Row("an IPv6 address without brackets", 400, host("::1")),
        Row("an open bracket", 400, host("[::1")),
        Row("text after a bracket", 400, host("[::1]x")),
        Row("a list of hosts", 400, host("a, b")),
        Row("a path in the host", 400, host("a/b")),
        Row("a host of 300 bytes", 400, host(text(300))),
    ]
    static let others: [Row] =
        ["Authorization", "X-Amz-Date", "X-Amz-Target", "X-Amz-Security-Token", "x-amz-content-sha256", "Expect"].map {
            Row("two of \($0)", 400, head("\($0): 100-continue\r\n\($0.lowercased()): 100-continue\r\n"))
        } + [Row("another expectation", 417, head("Expect: tea\r\nContent-Length: 1\r\n"))]

    static var all: [Row] { tooLarge + bodyLength + lines + requestLines + hosts + others }

    @Test(arguments: all)
    func `is refused with its status`(_ row: Row) {
        let outcome = ParseOutcome.whole(row.request)
        #expect(outcome.refusal?.status == row.status)
        #expect(outcome.requests.isEmpty)
    }

    @Test(arguments: all.filter { $0.request.utf8.count < 100_000 })
    func `is refused the same way byte by byte`(_ row: Row) {
        let bytes = Array(row.request.utf8)
        #expect(ParseOutcome(bytes) { 1 }.refusal == ParseOutcome.whole(bytes).refusal)
    }

    /// The connection answers once, says that it ends, and looks at nothing that follows.
    @Test(arguments: all)
    func `is answered once, and nothing after it is parsed`(_ row: Row) throws {
        let responder = FakeResponder()
        let connection = try TestConnection(responder)
        try connection.receive(get("/before") + row.request + get("/after"))
        try connection.receive(get("/later"))
        #expect(responder.paths == ["/before"])
        #expect(connection.statuses == ["200", "\(row.status)"])
        #expect(connection.output.contains("Connection: close\r\n"))
        #expect(connection.isOutputClosed)
    }

    @Test func `a length over the limit is refused before any of the body arrives`() throws {
        let connection = try TestConnection(FakeResponder())
        try connection.receive(Self.head("Content-Length: 10737418240\r\n"))
        #expect(connection.statuses == ["413"])
    }

    @Test func `hosts in all their forms are taken`() {
        for value in ["h", "a.example.com", "127.0.0.1:65535", "[::1]", "[2001:db8::1]:443", "my_host:1"] {
            #expect(ParseOutcome.whole(Self.host(value)).requests.count == 1, "\(value)")
        }
    }
}
