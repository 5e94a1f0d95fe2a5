import NIOCore
import Testing

@testable import Gateway

/// The small parts: dates, ids, buffers, requests.
@Suite struct HTTPPartsTests {
    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"),
        (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"), (1_709_251_200, "Fri, 01 Mar 2024 00:00:00 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
        (1_767_225_599, "Wed, 31 Dec 2025 23:59:59 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
    ])
    func `dates are those of the calendar`(second: Int64, expected: String) {
        var date = HTTPDate()
        #expect(date.withText(at: second) { String(decoding: $0, as: UTF8.self) } == expected)
        #expect(date.withText(at: second) { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test func `request ids look like random UUIDs and do not repeat`() {
        var generator = RequestIDGenerator()
        var seen: Set<RequestID> = []
        for _ in 0..<10_000 { seen.insert(generator.next()) }
        #expect(seen.count == 10_000)
        let characters = Array(RequestID.random().description.utf8)
        #expect(characters.count == 36)
        for (index, character) in characters.enumerated() {
            let isHyphen = [8, 13, 18, 23].contains(index)
            #expect(isHyphen ? character == UInt8(ascii: "-") : HTTPCharacters.hexValue(character) != nil)
        }
        #expect(characters[14] == UInt8(ascii: "4"))
        #expect("89ab".utf8.contains(characters[19]))
        #expect(RequestIDGenerator.firstOf(2).count == 2)
    }

    @Test func `an input buffer keeps what is appended over growth and consumption`() {
        let budget = InputBudget(byteCountMax: .max)
        var buffer = InputBuffer(budget: budget)
        var expected: [UInt8] = []
        var generator = SeededGenerator(seed: 7)
        for round in 0..<500 {
            let added = (0..<Int.random(in: 0...300, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(added.withUnsafeBytes { buffer.append($0, expected: round % 50 == 0 ? 4_000 : nil) })
            expected += added
            let consumed = Int.random(in: 0...expected.count, using: &generator) / 2
            buffer.consume(consumed)
            expected.removeFirst(consumed)
            #expect(buffer.isEmpty == expected.isEmpty && budget.usedByteCount == buffer.capacity)
            if !expected.isEmpty { #expect(Array(buffer.bytes) == expected) }
        }
    }

    @Test func `an input buffer takes what is announced only up to a bound, and no more than its budget`() {
        let budget = InputBudget(byteCountMax: 20_000)
        do {
            var buffer = InputBuffer(budget: budget)
            #expect([1].withUnsafeBytes { buffer.append($0, expected: 200_000) })
            #expect(buffer.capacity == 16_384 && budget.usedByteCount == 16_384)
            var other = InputBuffer(budget: budget)
            let bytes = [UInt8](repeating: 1, count: 4_000)
            #expect(!bytes.withUnsafeBytes { other.append($0) } && other.isEmpty)
            buffer.removeAll()
            #expect(bytes.withUnsafeBytes { other.append($0) })
        }
        #expect(budget.usedByteCount == 0)
    }

    @Test func `a request shows its parts`() {
        withRequest(method: "PUT", path: "/p?q", headers: [("Host", "h"), ("X-A", " 1 "), ("x-a", "2")], body: "body") { request in
            #expect(request.methodIs("PUT") && !request.methodIs("put") && request.pathIs("/p") && !request.pathIs("/"))
            #expect(request.query == "q" && request.bodyByteCount == 4)
            #expect(request.header("x-a") == "1" && request.headerEquals("x-a", "1") && !request.headerEquals("x-a", "12"))
            #expect(request.header("x-b") == nil && !request.headerEquals("x-b", ""))
            #expect(request.withHeader("host") { $0.byteCount } == 1)
            #expect(request.withBody { text($0) } == "body")
        }
    }

    @Test func `a longest head fits the room that is computed for it`() {
        var encoder = HTTPResponseEncoder { 253_402_300_799 }
        for status: UInt16 in [200, 431, 505, 599] {
            let response = HTTPResponse(status: status, headers: [HTTPHeader("a", "b"), HTTPHeader("c", "")], body: ByteBuffer(string: "x"))
            let room = HTTPResponseEncoder.byteCountMax(of: response)
            var output = [UInt8](repeating: 0, count: room)
            let count = output.withUnsafeMutableBytes { encoder.encode(response, id: .random(), closes: false, isHead: false, into: $0) }
            // 20 digits of a length, of which one is used here.
            #expect(count + 19 <= room)
        }
    }
}

extension RequestIDGenerator {
    /// Ids of different connections: their generators start apart.
    fileprivate static func firstOf(_ count: Int) -> Set<RequestID> {
        Set(
            (0..<count).map { _ in
                var generator = RequestIDGenerator()
                return generator.next()
            })
    }
}
