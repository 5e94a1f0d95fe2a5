internal import Access

extension HTTPRequestParser {
    /// `method SP target SP HTTP/d.d`, with single spaces, and a target in origin form only (RFC 9112, section 3).
    mutating func parseRequestLine(_ bytes: UnsafePointer<UInt8>, _ line: Range<Int>) throws(HTTPRefusal) {
        let method = prefix(of: line, in: bytes, while: HTTPCharacters.isToken)
        guard !method.isEmpty, method.count <= HTTPLimits.methodBytesMax else { throw .requestLine }
        guard method.upperBound < line.upperBound, bytes[method.upperBound] == HTTPCharacters.space else { throw .requestLine }
        // A tunnel has another form of target; this server is nobody's proxy.
        guard !(bytes + method.lowerBound).equals("CONNECT", count: method.count) else { throw .requestLine }

        let target = prefix(of: method.upperBound + 1..<line.upperBound, in: bytes, while: HTTPCharacters.isTarget)
        guard !target.isEmpty, bytes[target.lowerBound] == UInt8(ascii: "/") else { throw .requestLine }
        guard target.upperBound < line.upperBound, bytes[target.upperBound] == HTTPCharacters.space else { throw .requestLine }
        try parseVersion(bytes, target.upperBound + 1..<line.upperBound)
        try checkPercentEncoding(bytes, target)

        let path = prefix(of: target, in: bytes) { $0 != UInt8(ascii: "?") }
        guard path.count <= HTTPLimits.pathBytesMax else { throw .requestLine }
        setTarget(method: method, path: path, query: min(path.upperBound + 1, target.upperBound)..<target.upperBound)
    }

    private mutating func parseVersion(_ bytes: UnsafePointer<UInt8>, _ range: Range<Int>) throws(HTTPRefusal) {
        let name: StaticString = "HTTP/"
        let start = bytes + range.lowerBound
        guard range.count == name.utf8CodeUnitCount + 3, start.equals(name, count: name.utf8CodeUnitCount) else { throw .requestLine }
        let (major, dot, minor) = (start[5], start[6], start[7])
        guard HTTPCharacters.isDigit(major), dot == UInt8(ascii: "."), HTTPCharacters.isDigit(minor) else { throw .requestLine }
        guard major == UInt8(ascii: "1"), minor <= UInt8(ascii: "1") else { throw .version }
        isVersion1_1 = minor == UInt8(ascii: "1")
    }

    /// Every `%` is followed by two hexadecimal digits that are not NUL: what the target names must not depend on who decodes it.
    private func checkPercentEncoding(_ bytes: UnsafePointer<UInt8>, _ target: Range<Int>) throws(HTTPRefusal) {
        for index in target where bytes[index] == HTTPCharacters.percent {
            guard index + 2 < target.upperBound, let high = HTTPCharacters.hexValue(bytes[index + 1]),
                let low = HTTPCharacters.hexValue(bytes[index + 2]), high | low != 0
            else { throw .requestLine }
        }
    }

    private func prefix(of range: Range<Int>, in bytes: UnsafePointer<UInt8>, while isMember: (UInt8) -> Bool) -> Range<Int> {
        var end = range.lowerBound
        while end < range.upperBound, isMember(bytes[end]) { end += 1 }
        return range.lowerBound..<end
    }
}
