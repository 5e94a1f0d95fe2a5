internal import Access

extension HTTPRequestParser {
    /// Headers of which a second one is refused: two readers could each believe another of them.
    struct OnceOnly: OptionSet, Sendable {
        let rawValue: UInt16
        static let host = OnceOnly(rawValue: 1 << 0)
        static let contentLength = OnceOnly(rawValue: 1 << 1)
        static let transferEncoding = OnceOnly(rawValue: 1 << 2)
        static let authorization = OnceOnly(rawValue: 1 << 3)
        static let date = OnceOnly(rawValue: 1 << 4)
        static let target = OnceOnly(rawValue: 1 << 5)
        static let securityToken = OnceOnly(rawValue: 1 << 6)
        static let expect = OnceOnly(rawValue: 1 << 7)
        static let contentSHA256 = OnceOnly(rawValue: 1 << 8)
    }

    /// `token ":" OWS value OWS` (RFC 9112, section 5). The name becomes lower case where it lies.
    mutating func parseHeaderLine(_ bytes: UnsafeMutablePointer<UInt8>, _ line: Range<Int>) throws(HTTPRefusal) -> RequestLayout.Field {
        // A line that begins with a blank (obs-fold) has no name either.
        var index = line.lowerBound
        while index < line.upperBound, HTTPCharacters.isToken(bytes[index]) {
            bytes[index] = HTTPCharacters.lowercased(bytes[index])
            index += 1
        }
        let name = line.lowerBound..<index
        guard !name.isEmpty, index < line.upperBound, bytes[index] == HTTPCharacters.colon else { throw .headerLine }

        var (start, end) = (index + 1, line.upperBound)
        guard HTTPCharacters.areFieldValue(bytes, start..<end) else { throw .headerLine }
        while start < end, HTTPCharacters.isBlank(bytes[start]) { start += 1 }
        while start < end, HTTPCharacters.isBlank(bytes[end - 1]) { end -= 1 }
        let field = RequestLayout.Field(name: name, value: start..<end)
        try interpret(field, rawValue: index + 1..<line.upperBound, UnsafePointer(bytes))
        return field
    }

    /// Acts on the few headers that decide about framing, and refuses doubles. Told apart by length first.
    private mutating func interpret(_ field: RequestLayout.Field, rawValue: Range<Int>, _ bytes: UnsafePointer<UInt8>) throws(HTTPRefusal) {
        let name = bytes + field.name.lowerBound
        let count = field.name.count
        switch count {
        case 4 where name.equals("host", count: count):
            try once(.host)
            try checkHost(bytes, field.value)
        case 6 where name.equals("expect", count: count):
            try once(.expect)
            let isContinue = (bytes + field.value.lowerBound).equalsIgnoringCase("100-continue", count: field.value.count)
            expectsContinue = isContinue
            expectsOther = !isContinue
        case 10 where name.equals("connection", count: count):
            readConnectionOptions(bytes, field.value)
        case 10 where name.equals("x-amz-date", count: count): try once(.date)
        case 12 where name.equals("x-amz-target", count: count): try once(.target)
        case 13 where name.equals("authorization", count: count): try once(.authorization)
        case 14 where name.equals("content-length", count: count):
            try once(.contentLength)
            contentLength = try parseContentLength(bytes, field.value)
        case 17 where name.equals("transfer-encoding", count: count):
            try once(.transferEncoding)
            // Also a tab before the value is refused: readers have disagreed about what it means.
            let hasTab = rawValue.contains { bytes[$0] == HTTPCharacters.tab }
            guard !hasTab, (bytes + field.value.lowerBound).equals("chunked", count: field.value.count) else { throw .bodyLength }
            isChunked = true
        case 20 where name.equals("x-amz-content-sha256", count: count): try once(.contentSHA256)
        case 20 where name.equals("x-amz-security-token", count: count): try once(.securityToken)
        default: break
        }
    }

    private mutating func once(_ header: OnceOnly) throws(HTTPRefusal) {
        guard seen.insert(header).inserted else { throw .duplicateHeader }
    }

    private func parseContentLength(_ bytes: UnsafePointer<UInt8>, _ value: Range<Int>) throws(HTTPRefusal) -> Int {
        guard !value.isEmpty, value.count <= HTTPLimits.contentLengthDigitsMax else { throw .bodyLength }
        var length = 0
        for index in value {
            guard HTTPCharacters.isDigit(bytes[index]) else { throw .bodyLength }
            length = length * 10 + Int(bytes[index] - UInt8(ascii: "0"))
        }
        return length
    }

    /// `Connection` is a list; of its options only `close` means something here. An option of another name is no reason to refuse.
    private mutating func readConnectionOptions(_ bytes: UnsafePointer<UInt8>, _ value: Range<Int>) {
        var start = value.lowerBound
        while start < value.upperBound {
            var end = start
            while end < value.upperBound, bytes[end] != UInt8(ascii: ",") { end += 1 }
            var (first, last) = (start, end)
            while first < last, HTTPCharacters.isBlank(bytes[first]) { first += 1 }
            while first < last, HTTPCharacters.isBlank(bytes[last - 1]) { last -= 1 }
            if (bytes + first).equalsIgnoringCase("close", count: last - first) { asksToClose = true }
            start = end + 1
        }
    }

    /// `uri-host [":" port]` (RFC 9110, section 7.2): a name, an IPv4 address or an IPv6 address in brackets without a zone; a port
    /// from 1 to 65535. User information is refused.
    private func checkHost(_ bytes: UnsafePointer<UInt8>, _ value: Range<Int>) throws(HTTPRefusal) {
        guard !value.isEmpty, value.count <= HTTPLimits.hostBytesMax else { throw .host }
        var index = value.lowerBound
        if bytes[index] == UInt8(ascii: "[") {
            var colons = 0
            index += 1
            while index < value.upperBound, bytes[index] != UInt8(ascii: "]") {
                let byte = bytes[index]
                if byte == HTTPCharacters.colon { colons += 1 }
                guard byte == HTTPCharacters.colon || byte == UInt8(ascii: ".") || HTTPCharacters.hexValue(byte) != nil else { throw .host }
                index += 1
            }
            guard index < value.upperBound, (2...7).contains(colons) else { throw .host }
            index += 1
        } else {
            while index < value.upperBound, HTTPCharacters.isHost(bytes[index]) { index += 1 }
            guard index > value.lowerBound else { throw .host }
        }
        guard index < value.upperBound else { return }
        guard bytes[index] == HTTPCharacters.colon, (2...6).contains(value.upperBound - index) else { throw .host }
        var port = 0
        for index in index + 1..<value.upperBound {
            guard HTTPCharacters.isDigit(bytes[index]) else { throw .host }
            port = port * 10 + Int(bytes[index] - UInt8(ascii: "0"))
        }
        guard (1...65_535).contains(port) else { throw .host }
    }
}
