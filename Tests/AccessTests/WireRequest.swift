import Access

/// A request as a test writes it, and as it goes over the wire.
struct WireRequest: Sendable {
    var method = "POST"
    var target = "/"
    var headers: [(name: String, value: String)]
    var body = ""

    /// The first value of a header; setting it replaces the first line, or adds one, or takes it away.
    subscript(_ name: String) -> String? {
        get { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
        set {
            let place = headers.firstIndex { $0.name.lowercased() == name.lowercased() }
            switch (place, newValue) {
            case (let place?, let value?): headers[place].value = value
            case (let place?, nil): headers.remove(at: place)
            case (nil, let value?): headers.append((name, value))
            case (nil, nil): break
            }
        }
    }

    var path: String { String(target.prefix { $0 != "?" }) }
    var query: String { String(target.dropFirst(path.count + 1)) }

    /// The bytes on the wire, with a `Content-Length` when there is a body and the test has not written one.
    var bytes: [UInt8] {
        var text = "\(method) \(target) HTTP/1.1\r\n"
        for header in headers { text += "\(header.name): \(header.value)\r\n" }
        if !body.isEmpty && self["content-length"] == nil { text += "Content-Length: \(body.utf8.count)\r\n" }
        return Array((text + "\r\n" + body).utf8)
    }
}

/// A received request: the bytes with header names in lower case, and where its parts lie.
struct ReceivedRequest: Sendable {
    private(set) var bytes: [UInt8]
    private(set) var layout: RequestLayout

    /// A tiny strict parser of HTTP/1.1; `nil` for what it does not like, or when the body is not as long as `Content-Length` says.
    init?(_ wire: [UInt8]) {
        bytes = wire
        var lines: [Range<Int>] = []
        var start = 0
        while true {
            guard let end = wire[start...].firstIndex(of: UInt8(ascii: "\r")), end + 1 < wire.count, wire[end + 1] == UInt8(ascii: "\n")
            else { return nil }
            lines.append(start..<end)
            start = end + 2
            if lines.last?.isEmpty == true { break }
        }
        let words = wire[lines[0]].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 3, Array(words[2]) == Array("HTTP/1.1".utf8), words[1].first == UInt8(ascii: "/"), !words[0].isEmpty,
            words[0].allSatisfy({ UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 })
        else { return nil }
        let pathEnd = words[1].firstIndex(of: UInt8(ascii: "?")) ?? words[1].endIndex
        layout = RequestLayout(
            method: words[0].startIndex..<words[0].endIndex, path: words[1].startIndex..<pathEnd,
            query: min(pathEnd + 1, words[1].endIndex)..<words[1].endIndex, fields: [], body: start..<wire.count)
        for line in lines[1..<(lines.count - 1)] {
            guard let field = Self.field(line, &bytes) else { return nil }
            layout.fields.append(field)
        }
        let lengths = layout.fields.filter { Array(wire[$0.name]).lowercasedText == "content-length" }
            .map { String(decoding: wire[$0.value], as: UTF8.self) }
        guard lengths == (layout.body.isEmpty ? [] : [String(layout.body.count)]) else { return nil }
    }

    private static func field(_ line: Range<Int>, _ bytes: inout [UInt8]) -> RequestLayout.Field? {
        guard let colon = bytes[line].firstIndex(of: UInt8(ascii: ":")), colon > line.lowerBound else { return nil }
        for i in line.lowerBound..<colon {
            switch bytes[i] {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): bytes[i] |= 0x20
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
            default: return nil
            }
        }
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var value = colon + 1..<line.upperBound
        while let first = value.first, isBlank(bytes[first]) { value = first + 1..<value.upperBound }
        while let last = value.last, isBlank(bytes[last]) { value = value.lowerBound..<last }
        guard bytes[value].allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == UInt8(ascii: "\t") }) else { return nil }
        return RequestLayout.Field(name: line.lowerBound..<colon, value: value)
    }
}

extension [UInt8] {
    fileprivate var lowercasedText: String { String(decoding: self, as: UTF8.self).lowercased() }
}

extension RequestVerifier {
    /// Parses and verifies what came over the wire.
    func verdict(_ wire: [UInt8], now: Int64 = Example.now) -> Verdict {
        guard let request = ReceivedRequest(wire) else { return .unparseable }
        do throws(AuthenticationFailure) {
            return .accepted(try verify(request.layout, in: request.bytes.span.bytes, now: now))
        } catch {
            return .refused(error)
        }
    }

    func verdict(_ request: WireRequest, now: Int64 = Example.now) -> Verdict { verdict(request.bytes, now: now) }
}

enum Verdict: Equatable {
    case unparseable
    case accepted(Principal)
    case refused(AuthenticationFailure)

    var failure: AuthenticationFailure? {
        if case .refused(let failure) = self { failure } else { nil }
    }

    var isAccepted: Bool {
        if case .accepted = self { true } else { false }
    }
}
