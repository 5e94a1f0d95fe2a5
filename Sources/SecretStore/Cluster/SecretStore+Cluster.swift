import Keyring
import LMDB
import OpenSSL
package import Raft

/// The registry of nodes at one moment.
package struct ClusterRegistry: Equatable, Sendable {
    package var cluster: ClusterRecord
    /// Every node that there ever was, by ascending id.
    package var nodes: [NodeRecord]
}

/// Queries: as those of secrets, on one snapshot of the last commit, on any thread.
extension SecretStore {
    /// nil before ``ClusterCommand/createCluster(_:)``.
    package func clusterRecord() throws -> ClusterRecord? { try environment.read { txn in try clusterRecord(in: txn) } }

    /// Every node that there ever was, removed ones included, by ascending id.
    package func nodes() throws -> [NodeRecord] { try environment.read { txn in try nodes(in: txn) } }

    package func node(_ id: NodeID) throws -> NodeRecord? { try environment.read { txn in try node(id, in: txn) } }

    /// Cluster and nodes of the same commit; nil before ``ClusterCommand/createCluster(_:)``.
    package func clusterRegistry() throws -> ClusterRegistry? {
        try environment.read { txn in
            guard let cluster = try clusterRecord(in: txn) else { return nil }
            return ClusterRegistry(cluster: cluster, nodes: try nodes(in: txn))
        }
    }

    // MARK: Within a transaction

    func clusterRecord(in txn: borrowing some Transaction & ~Copyable) throws -> ClusterRecord? {
        guard let plaintext = try open(tables.cluster, key: StateKeys.cluster, in: txn) else { return nil }
        return try decode(tables.cluster) { () throws(DecodingFailure) in try ClusterRecord(decoding: plaintext.span.bytes) }
    }

    func node(_ id: NodeID, in txn: borrowing some Transaction & ~Copyable) throws -> NodeRecord? {
        guard let plaintext = try open(tables.nodes, key: StateKeys.number(id.raw), in: txn) else { return nil }
        return try decode(tables.nodes) { () throws(DecodingFailure) in try NodeRecord(decoding: plaintext.span.bytes) }
    }

    func nodes(in txn: borrowing some Transaction & ~Copyable) throws -> [NodeRecord] {
        try rows(of: tables.nodes, in: txn).map { _, plaintext in
            try decode(tables.nodes) { () throws(DecodingFailure) in try NodeRecord(decoding: plaintext.span.bytes) }
        }
    }

    func joinToken(_ hash: Digest, in txn: borrowing some Transaction & ~Copyable) throws -> JoinTokenRecord? {
        guard let plaintext = try open(tables.joinTokens, key: hash.bytes, in: txn) else { return nil }
        return try decode(tables.joinTokens) { () throws(DecodingFailure) in try JoinTokenRecord(decoding: plaintext.span.bytes) }
    }

    /// Every token's row, by ascending hash.
    func joinTokens(in txn: borrowing some Transaction & ~Copyable) throws -> [(key: [UInt8], record: JoinTokenRecord)] {
        try rows(of: tables.joinTokens, in: txn).map { key, plaintext in
            (key, try decode(tables.joinTokens) { () throws(DecodingFailure) in try JoinTokenRecord(decoding: plaintext.span.bytes) })
        }
    }

    /// The opened rows of a small sealed table, by ascending key.
    private func rows(of table: StateTable, in txn: borrowing some Transaction & ~Copyable) throws -> [(key: [UInt8], plaintext: [UInt8])] {
        var rows: [(key: [UInt8], plaintext: [UInt8])] = []
        try table.raw.forEach(in: txn) { key, sealed in
            let plaintext = try keyring.openRecord(sealed, table: table.name, key: key)
            rows.append((key.withUnsafeBytes { [UInt8]($0) }, plaintext))
            return .continue
        }
        return rows
    }
}
