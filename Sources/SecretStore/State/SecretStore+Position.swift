package import LMDB
package import OpenSSL

/// Where the state stands in the log, and the entries that move it without changing a secret.
extension SecretStore {
    /// The last entry whose changes are committed, and the hash over every change up to it.
    package func committedPosition() throws -> (index: UInt64, term: UInt64, stateHash: Digest) {
        let position: MachinePosition = try environment.read { txn in try self.position(in: txn) }
        return (position.appliedIndex, position.appliedTerm, position.stateHash)
    }

    /// The last committed membership of the cluster and the index of its entry; nil before the first.
    package func committedMembership() throws -> (encoded: [UInt8], index: UInt64)? {
        try environment.read { txn in try membership(in: txn) }
    }

    /// Passes over an entry that changes nothing, as a new leader appends one. Index and term move, and the hash with them.
    ///
    /// The applier's thread only. The conditions on `index` and `term` are those of ``apply(_:at:term:in:)``.
    ///
    /// - Throws: `LMDBError` or ``StoreError``: the transaction must be aborted then.
    package func passNoop(at index: UInt64, term: UInt64, in txn: inout WriteTransaction) throws {
        try pass(.noop, at: index, term: term, content: [], in: &txn)
    }

    /// Passes an entry that changes who belongs to the cluster, and keeps it: it is part of the state hash and of snapshots.
    ///
    /// The applier's thread only. The conditions on `index` and `term` are those of ``apply(_:at:term:in:)``.
    ///
    /// - Parameter encoded: At most ``Limits/membershipBytesMax`` bytes, whose meaning is the consensus layer's.
    /// - Throws: `LMDBError` or ``StoreError``: the transaction must be aborted then.
    package func passMembership(_ encoded: [UInt8], at index: UInt64, term: UInt64, in txn: inout WriteTransaction) throws {
        precondition(encoded.count <= Limits.membershipBytesMax, "a membership is a few lines per node")
        let key = MembershipRow.key
        let row = MembershipRow(index: index, encoded: encoded).encode()
        try tables.meta.raw.put(key.span.bytes, row.span.bytes, in: &txn)
        try pass(.membership, at: index, term: term, content: row, in: &txn)
    }

    // MARK: Rows of `meta`

    func position(in txn: borrowing some Transaction & ~Copyable) throws -> MachinePosition {
        let key = MachinePosition.key
        guard let row = try tables.meta.raw.get(key.span.bytes, in: txn) else { return .initial }
        return try decode(tables.meta) { () throws(DecodingFailure) in try MachinePosition(decoding: row) }
    }

    func setPosition(_ position: MachinePosition, in txn: inout WriteTransaction) throws(LMDBError) {
        let key = MachinePosition.key
        let row = position.encode()
        try tables.meta.raw.put(key.span.bytes, row.span.bytes, in: &txn)
    }

    func membership(in txn: borrowing ReadTransaction) throws -> (encoded: [UInt8], index: UInt64)? {
        let key = MembershipRow.key
        guard let bytes = try tables.meta.raw.get(key.span.bytes, in: txn) else { return nil }
        let row = try decode(tables.meta) { () throws(DecodingFailure) in try MembershipRow(decoding: bytes) }
        return (row.encoded, row.index)
    }

    /// What the hash says of an entry without a mutation, in place of changes. Apart from ``Transition``'s kinds of change.
    private enum Passed: UInt8 {
        case noop = 3
        case membership = 4
    }

    private func pass(_ kind: Passed, at index: UInt64, term: UInt64, content: [UInt8], in txn: inout WriteTransaction) throws {
        var position = try position(in: txn)
        var hasher = position.beginHash(at: index, term: term)
        let start = [kind.rawValue] + content
        hasher.update(start.span.bytes)
        position.advance(to: index, term: term, hash: hasher.finalize())
        try setPosition(position, in: &txn)
    }
}

/// The last membership that was applied: `format | index | bytes`, one row of the table `meta`.
private struct MembershipRow {
    private static let format: UInt8 = 1
    static let key = [UInt8]("membership".utf8)

    var index: UInt64
    var encoded: [UInt8]

    init(index: UInt64, encoded: [UInt8]) {
        self.index = index
        self.encoded = encoded
    }

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: encoded.count + 16)
        writer.write(Self.format)
        writer.write(index)
        writer.write(raw: encoded)
        return writer.bytes
    }

    init(decoding bytes: RawSpan) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { reader throws(DecodingFailure) in
            guard try reader.number(UInt8.self) == Self.format else { throw .unknownValue }
            return MembershipRow(index: try reader.number(), encoded: try reader.rest(max: Limits.membershipBytesMax))
        }
    }
}
