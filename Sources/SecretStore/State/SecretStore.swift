package import Keyring
package import LMDB
package import OpenSSL

/// The replicated state: secrets, versions, labels, tags, policies, accounts and access keys, in one LMDB environment.
///
/// ``apply(_:at:term:in:)`` and its companions for other entries are the only way in, beside the installation of a snapshot, and are
/// called by one thread, the ``Applier``'s. Queries run on any thread, on the state of the last commit. Values are stored as
/// ciphertext and never decrypted here.
package final class SecretStore: Sendable {
    package let environment: Environment
    package let keyring: Keyring
    /// Partition and region of every ARN.
    package let scope: ARNScope
    let tables: StateTables

    /// Opens the state, or makes an empty one.
    ///
    /// - Throws: ``StoreError/foreign(what:found:expected:)`` when it belongs to another cluster or region; `LMDBError`.
    package init(environment: Environment, keyring: Keyring, scope: ARNScope) throws {
        self.environment = environment
        self.keyring = keyring
        self.scope = scope
        tables = try StateTables(environment)
        try checkIdentity()
    }

    /// Index of the last entry whose changes are committed: where a replay of the log begins after.
    package func committedIndex() throws -> UInt64 {
        try environment.read { txn in try position(in: txn).appliedIndex }
    }

    /// Hash over every change up to ``committedIndex()``.
    package func committedStateHash() throws -> Digest {
        try environment.read { txn in try position(in: txn).stateHash }
    }

    // MARK: Identity

    /// Version of the tables' layout.
    private static let formatVersion = "1"

    /// Rows of `meta` that say which state this is, and in which layout.
    static func identity(clusterID: String, scope: ARNScope) -> [(what: String, value: String)] {
        [("format", formatVersion), ("cluster", clusterID), ("partition", scope.partition), ("region", scope.region)]
    }

    private func checkIdentity() throws {
        let expected = Self.identity(clusterID: keyring.clusterID, scope: scope)
        let isNew = try environment.read { txn in try tables.meta.raw.isEmpty(in: txn) }
        if isNew {
            return try environment.write { txn in
                for (what, value) in expected { try tables.meta.raw.put(what.utf8.span.bytes, value.utf8.span.bytes, in: &txn) }
            }
        }
        try environment.read { txn in
            for (what, value) in expected {
                guard let row = try tables.meta.raw.get(what.utf8.span.bytes, in: txn) else {
                    throw StoreError.corrupted(table: tables.meta.name)
                }
                let found = row.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                guard found == value else { throw StoreError.foreign(what: what, found: found, expected: value) }
            }
        }
    }

    // MARK: Rows, within a transaction

    /// The opened row of a sealed table; nil if there is none.
    func open(_ table: StateTable, key: [UInt8], in txn: borrowing some Transaction & ~Copyable) throws -> [UInt8]? {
        guard let sealed = try table.raw.get(key.span.bytes, in: txn) else { return nil }
        return try keyring.openRecord(sealed, table: table.name, key: key.span.bytes)
    }

    func record(_ key: SecretKey, in txn: borrowing some Transaction & ~Copyable) throws -> SecretRecord? {
        guard let record = try record(row: StateKeys.secret(key), in: txn) else { return nil }
        // The row of a name above 480 bytes is found by a hash.
        guard record.key == key else { throw StoreError.corrupted(table: tables.secrets.name) }
        return record
    }

    /// The record in a row of the table of secrets.
    func record(row: [UInt8], in txn: borrowing some Transaction & ~Copyable) throws -> SecretRecord? {
        guard let plaintext = try open(tables.secrets, key: row, in: txn) else { return nil }
        return try decode(tables.secrets) { () throws(DecodingFailure) in try SecretRecord(decoding: plaintext.span.bytes) }
    }

    func accessKey(_ id: String, in txn: borrowing some Transaction & ~Copyable) throws -> StoredAccessKey? {
        guard let plaintext = try open(tables.accessKeys, key: StateKeys.accessKey(id), in: txn) else { return nil }
        return try decode(tables.accessKeys) { () throws(DecodingFailure) in try StoredAccessKey(decoding: plaintext.span.bytes) }
    }

    /// Names the table in the error of a row that does not decode.
    func decode<Value>(_ table: StateTable, _ body: () throws(DecodingFailure) -> Value) throws(StoreError) -> Value {
        do throws(DecodingFailure) {
            return try body()
        } catch {
            throw StoreError.corrupted(table: table.name)
        }
    }
}
