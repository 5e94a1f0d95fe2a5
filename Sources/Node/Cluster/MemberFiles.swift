internal import Keyring
internal import OpenSSL
package import SecretStore

/// The nodes that a node knew of last, on its disk: whom to call before its own state says so. A list of encoded ``NodeRecord``s.
package enum KnownNodes {
    private static let magic = Array("conclave-nodes-1\n".utf8)

    package static func write(_ nodes: [NodeRecord], to path: String) throws {
        var bytes = magic
        for node in nodes {
            let row = node.encode()
            withUnsafeBytes(of: UInt32(row.count).bigEndian) { bytes.append(contentsOf: $0) }
            bytes += row
        }
        try PrivateFile.write(bytes.span.bytes, to: path)
    }

    /// - Throws: ``NodeProblem`` for a file that is not whole.
    package static func read(_ path: String) throws -> [NodeRecord] {
        guard PrivateFile.exists(path) else { return [] }
        let content = try PrivateFile.read(path).withUnsafeBytes { [UInt8]($0) }
        var rest = content[...]
        let problem = NodeProblem(description: "'\(path)' is damaged; remove this node from the cluster and join anew")
        guard rest.starts(with: magic) else { throw problem }
        rest = rest.dropFirst(magic.count)
        var nodes: [NodeRecord] = []
        while !rest.isEmpty {
            let count = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            guard rest.count >= 4 + count else { throw problem }
            let row = Array(rest.dropFirst(4).prefix(count))
            nodes.append(try NodeRecord(decoding: row.span.bytes))
            rest = rest.dropFirst(4 + count)
        }
        return nodes
    }
}
