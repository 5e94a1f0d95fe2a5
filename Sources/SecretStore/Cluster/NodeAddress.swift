/// Where a node listens: a DNS name or an IP address, and a port. Compared byte for byte.
package struct NodeAddress: Hashable, Sendable, CustomStringConvertible {
    /// Longest host, in bytes (RFC 1035 section 2.3.4).
    package static let hostBytesMax = 253

    /// A DNS name, or an IPv4 or IPv6 address without brackets.
    package let host: String
    /// 1 to 65535.
    package let port: UInt16

    /// - Returns: nil for a host that is empty, too long or of other characters than names and addresses have, and for port 0.
    package init?(host: String, port: UInt16) {
        guard (1...Self.hostBytesMax).contains(host.utf8.count), host.utf8.allSatisfy(Self.isAllowed), port > 0 else { return nil }
        self.host = host
        self.port = port
    }

    /// Reads `host:port`, or `[address]:port` for IPv6; nil for anything else.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        self.init(host: String(host), port: port)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"): true
        default: byte.isASCIIAlphanumeric
        }
    }

    /// What ``init(_:)`` reads.
    package var description: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension ByteWriter {
    mutating func write(_ address: NodeAddress) {
        write(address.host)
        write(address.port)
    }
}

extension ByteReader {
    mutating func nodeAddress() throws(DecodingFailure) -> NodeAddress {
        guard let address = NodeAddress(host: try text(max: NodeAddress.hostBytesMax), port: try number()) else { throw .malformedText }
        return address
    }
}
