package import OpenSSL
package import Raft

/// Who a node is, as its certificate says: `conclave://CLUSTER/node/N`, its only URI name.
///
/// There is one text for each identity, so texts may be compared byte for byte: the cluster id is 1 to 63 of `a`–`z`, `0`–`9`, `-`; the
/// node is decimal without leading zeros.
package struct PeerIdentity: Hashable, Sendable, CustomStringConvertible {
    package let cluster: String
    package let node: NodeID

    private static let scheme = "conclave://"
    private static let nodePath = "/node/"
    /// Longest cluster id, in bytes: that of a DNS label (RFC 1035 section 2.3.4).
    package static let clusterBytesMax = 63

    /// `nil` when `cluster` is no cluster id.
    package init?(cluster: String, node: NodeID) {
        let isName = cluster.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
            default: false
            }
        }
        guard isName, (1...Self.clusterBytesMax).contains(cluster.utf8.count) else { return nil }
        self.cluster = cluster
        self.node = node
    }

    /// Reads ``uri``; `nil` for every other text.
    package init?(uri: String) {
        guard uri.hasPrefix(Self.scheme) else { return nil }
        let rest = uri.dropFirst(Self.scheme.count)
        guard let slash = rest.firstIndex(of: "/") else { return nil }
        let path = rest[slash...]
        guard path.hasPrefix(Self.nodePath), let number = UInt64(path.dropFirst(Self.nodePath.count)) else { return nil }
        self.init(cluster: String(rest[..<slash]), node: NodeID(number))
        // Signs, leading zeros and Unicode equivalents: what is not written as we write it is not an identity.
        guard self.uri.utf8.elementsEqual(uri.utf8) else { return nil }
    }

    /// Reads the identity of a verified certificate; `nil` when it names no node, or more than one.
    package init?(certificate: Certificate) {
        let uris = certificate.uris
        guard uris.count == 1 else { return nil }
        self.init(uri: uris[0])
    }

    /// The text in the certificate.
    package var uri: String { "\(Self.scheme)\(cluster)\(Self.nodePath)\(node.raw)" }

    package var description: String { uri }
}
