/// The names under which a service can be reached, to compare `Host` with.
struct HostList: Sendable {
    /// The port that `Host` leaves out over TLS (RFC 9110, 4.2.2).
    private static let defaultPort: StaticString = "443"

    private struct Name {
        /// In lower case, without the default port.
        let bytes: [UInt8]
        let isForAnyPort: Bool
    }

    private let names: [Name]

    /// - Parameter names: `name` stands for that name with whatever port, `name:port` for that port only. Case does not matter.
    init(_ names: [String]) {
        self.names = names.map { name in
            let bytes = Array(name.utf8)
            let whole = 0..<bytes.count
            return Name(
                bytes: Self.withoutDefaultPort(whole, of: bytes.span.bytes).map { ASCII.lowerCased(bytes[$0]) },
                isForAnyPort: Self.portStart(whole, of: bytes.span.bytes) == nil)
        }
    }

    /// Whether the value of `Host` at `range` is one of the names.
    func contains(_ range: Range<Int>, of bytes: RawSpan) -> Bool {
        let host = Self.withoutDefaultPort(range, of: bytes)
        let bare = host.lowerBound..<(Self.portStart(host, of: bytes) ?? host.upperBound)
        for name in names {
            if Self.isEqual(name.bytes, host, of: bytes) { return true }
            if name.isForAnyPort && Self.isEqual(name.bytes, bare, of: bytes) { return true }
        }
        return false
    }

    private static func isEqual(_ name: [UInt8], _ range: Range<Int>, of bytes: RawSpan) -> Bool {
        guard name.count == range.count else { return false }
        for i in 0..<name.count where name[i] != ASCII.lowerCased(bytes.byte(at: range.lowerBound + i)) { return false }
        return true
    }

    private static func withoutDefaultPort(_ range: Range<Int>, of bytes: RawSpan) -> Range<Int> {
        guard let colon = portStart(range, of: bytes), bytes.isEqual(colon + 1..<range.upperBound, to: defaultPort) else { return range }
        return range.lowerBound..<colon
    }

    /// Where the `:` before the port stands. The colons of an IPv6 address are inside brackets.
    private static func portStart(_ range: Range<Int>, of bytes: RawSpan) -> Int? {
        for i in range.reversed() {
            let byte = bytes.byte(at: i)
            if byte == ASCII.colon { return i + 1 < range.upperBound ? i : nil }
            guard ASCII.isDigit(byte) else { return nil }
        }
        return nil
    }
}
