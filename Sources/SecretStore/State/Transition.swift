import Keyring
import LMDB
import OpenSSL

/// One step of the state machine: applies one mutation at one log index inside a write transaction.
///
/// Every change goes through ``put(_:key:value:in:)`` and ``delete(_:key:in:)``, which also feed the running state hash:
/// `SHA-256(previous hash || index || term || every change in order)`. The slices `Transition+….swift` hold one family of commands each.
struct Transition: ~Copyable {
    let store: SecretStore
    let mutation: Mutation
    let index: UInt64
    private let term: UInt64
    private(set) var position: MachinePosition
    private var hasher: SHA256Hasher
    /// Changes so far. A command that is refused has made none.
    private(set) var changeCount = 0

    private enum Change: UInt8 {
        case put = 1
        case delete = 2
    }

    init(_ store: SecretStore, _ mutation: Mutation, at index: UInt64, term: UInt64, from position: MachinePosition) {
        self.store = store
        self.mutation = mutation
        self.index = index
        self.term = term
        self.position = position
        hasher = position.beginHash(at: index, term: term)
    }

    var tables: StateTables { store.tables }

    // MARK: Changes

    mutating func put(_ table: StateTable, key: [UInt8], value: [UInt8], in txn: inout WriteTransaction) throws(LMDBError) {
        try table.raw.put(key.span.bytes, value.span.bytes, in: &txn)
        record(.put, table, key, value)
    }

    /// Stores a row under a key above all others of its table.
    mutating func append(_ table: StateTable, key: [UInt8], value: [UInt8], in txn: inout WriteTransaction) throws(LMDBError) {
        try table.raw.append(key.span.bytes, value.span.bytes, in: &txn)
        record(.put, table, key, value)
    }

    /// Seals a row and stores it. The log index is its revision: it grows with every write.
    mutating func seal(_ table: StateTable, key: [UInt8], plaintext: [UInt8], in txn: inout WriteTransaction) throws {
        let sealed = try store.keyring.sealRecord(
            plaintext.span.bytes, table: table.name, key: key.span.bytes, revision: index, term: mutation.keyTerm)
        try put(table, key: key, value: sealed, in: &txn)
    }

    mutating func delete(_ table: StateTable, key: [UInt8], in txn: inout WriteTransaction) throws(LMDBError) {
        guard try table.raw.delete(key.span.bytes, in: &txn) else { return }
        record(.delete, table, key, [])
    }

    private mutating func record(_ change: Change, _ table: StateTable, _ key: [UInt8], _ value: [UInt8]) {
        var header = ByteWriter(capacity: table.name.utf8.count + key.count + 16)
        header.write(change.rawValue)
        header.write(table.name)
        header.write(field: key)
        header.write(count: value.count)
        let headerBytes = header.bytes
        hasher.update(headerBytes.span.bytes)
        hasher.update(value.span.bytes)
        changeCount += 1
    }

    /// Takes the next number for a secret.
    mutating func takeSecretNumber() -> UInt64 {
        defer { position.nextSecretNumber += 1 }
        return position.nextSecretNumber
    }

    /// Stores a value; the number was taken from ``nextValueNumber`` and goes into the version.
    mutating func store(_ value: EncryptedValue, in txn: inout WriteTransaction) throws(LMDBError) {
        let number = position.nextValueNumber
        position.nextValueNumber += 1
        try append(tables.values, key: StateKeys.number(number), value: ValueRow.encode(value), in: &txn)
    }

    /// The number that the next stored value will have.
    var nextValueNumber: UInt64 { position.nextValueNumber }

    /// Ends the step: the position moves to this entry, and the hash covers it.
    consuming func finish(in txn: inout WriteTransaction) throws(LMDBError) {
        var end = position
        end.advance(to: index, term: term, hash: hasher.finalize())
        try store.setPosition(end, in: &txn)
    }
}
