import CLMDB

/// A named table (an LMDB database) with byte keys and byte values; ``Table`` puts types over the keys.
///
/// A plain value: copy it freely, use it in any transaction of its environment that began after it was opened.
/// Keys have 1 to 511 bytes and sort as of `memcmp`, the shorter first. Values have fewer than 4 GiB.
package struct RawTable: Sendable {
    @usableFromInline let database: UInt32
    @usableFromInline let environmentID: UInt32

    init(database: UInt32, environmentID: UInt32) {
        self.database = database
        self.environmentID = environmentID
    }

    /// Longest value, in bytes (`MAXDATASIZE` of LMDB).
    static let valueByteCountMax = 0xFFFF_FFFF

    /// Traps when the transaction belongs to another environment: the table's number would mean another table there.
    @inlinable
    func pointer(in handle: TransactionHandle) -> OpaquePointer {
        precondition(handle.environmentID == environmentID, "a table is used in a transaction of another environment")
        return handle.pointer
    }

    // MARK: Reading

    /// The value of a key, or nil. The bytes lie in the map: valid while `txn` is and, in a write transaction, until
    /// its next change.
    @inlinable
    @_lifetime(borrow txn)
    package func get<T: Transaction & ~Copyable>(_ key: RawSpan, in txn: borrowing T) throws(LMDBError) -> RawSpan? {
        let found = key.withUnsafeBytes { RawTable.lookUp($0, in: pointer(in: txn.handle), database) }
        guard let bytes = try found.value() else { return nil }
        return _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: txn)
    }

    /// Whether the table has the key.
    @inlinable
    package func contains<T: Transaction & ~Copyable>(_ key: RawSpan, in txn: borrowing T) throws(LMDBError) -> Bool {
        try key.withUnsafeBytes { RawTable.lookUp($0, in: pointer(in: txn.handle), database) }.value() != nil
    }

    /// How many keys the table has; costs no walk.
    package func count<T: Transaction & ~Copyable>(in txn: borrowing T) throws(LMDBError) -> Int {
        var statistics = MDB_stat()
        let status = mdb_stat(pointer(in: txn.handle), database, &statistics)
        guard status == MDB_SUCCESS else { throw LMDBError(tableStatus: status, during: "stat") }
        return statistics.ms_entries
    }

    /// Whether the table has no key.
    package func isEmpty<T: Transaction & ~Copyable>(in txn: borrowing T) throws(LMDBError) -> Bool {
        try count(in: txn) == 0
    }

    /// The entry with the lowest key.
    @_lifetime(borrow txn)
    package func first<T: Transaction & ~Copyable>(in txn: borrowing T) throws(LMDBError) -> Entry? {
        var cursor = try Cursor(self, in: txn)
        return try cursor.first()
    }

    /// The entry with the highest key.
    @_lifetime(borrow txn)
    package func last<T: Transaction & ~Copyable>(in txn: borrowing T) throws(LMDBError) -> Entry? {
        var cursor = try Cursor(self, in: txn)
        return try cursor.last()
    }

    // MARK: Changing

    /// Stores a value, replacing the one that is there.
    package func put(_ key: RawSpan, _ value: RawSpan, in txn: inout WriteTransaction) throws(LMDBError) {
        let status = store(key, value, flags: 0, in: txn)
        guard status == MDB_SUCCESS else { throw txn.fail(status, during: "put") }
    }

    /// Stores a value unless the key is there already.
    /// - Returns: Whether it was stored.
    package func insert(_ key: RawSpan, _ value: RawSpan, in txn: inout WriteTransaction) throws(LMDBError) -> Bool {
        switch store(key, value, flags: UInt32(MDB_NOOVERWRITE), in: txn) {
        case MDB_SUCCESS: return true
        case MDB_KEYEXIST: return false
        case let status: throw txn.fail(status, during: "insert")
        }
    }

    /// Stores a value under a key that sorts after every key of the table; fills pages completely and needs no search.
    /// - Throws: ``LMDBError/Code/keyNotInOrder`` otherwise; the transaction goes on.
    package func append(_ key: RawSpan, _ value: RawSpan, in txn: inout WriteTransaction) throws(LMDBError) {
        let status = store(key, value, flags: UInt32(MDB_APPEND), in: txn)
        guard status == MDB_SUCCESS else { throw txn.fail(status, during: "append") }
    }

    /// Removes a key.
    /// - Returns: Whether it was there.
    @discardableResult
    package func delete(_ key: RawSpan, in txn: inout WriteTransaction) throws(LMDBError) -> Bool {
        let transaction = pointer(in: txn.handle)
        let status = key.withUnsafeBytes { bytes in
            guard RawTable.isKey(bytes) else { return MDB_BAD_VALSIZE }
            var key = MDB_val(bytes)
            return mdb_del(transaction, database, &key, nil)
        }
        switch status {
        case MDB_SUCCESS: return true
        case MDB_NOTFOUND: return false
        default: throw txn.fail(status, during: "delete")
        }
    }

    /// Removes every key that begins with `prefix`.
    /// - Returns: How many there were.
    @discardableResult
    package func deleteAll(prefix: RawSpan, in txn: inout WriteTransaction) throws(LMDBError) -> Int {
        var count = 0
        // One search per key: the cursor deletes of this LMDB version have a history of defects.
        while let key = try firstKey(prefix: prefix, in: txn) {
            try delete(key.span.bytes, in: &txn)
            count += 1
        }
        return count
    }

    /// Removes every key. The pages go to the free list at once, without a visit to each entry.
    package func deleteAll(in txn: inout WriteTransaction) throws(LMDBError) {
        let status = mdb_drop(pointer(in: txn.handle), database, 0)
        guard status == MDB_SUCCESS else { throw txn.fail(status, during: "drop") }
    }

    // MARK: The C calls

    /// The outcome of a search, without lifetimes.
    @usableFromInline
    struct Lookup {
        let status: Int32
        let bytes: UnsafeRawBufferPointer

        @usableFromInline
        func value() throws(LMDBError) -> UnsafeRawBufferPointer? {
            switch status {
            case MDB_SUCCESS: return bytes
            case MDB_NOTFOUND: return nil
            default: throw LMDBError(tableStatus: status, during: "get")
            }
        }
    }

    @usableFromInline
    static func lookUp(_ key: UnsafeRawBufferPointer, in transaction: OpaquePointer, _ database: UInt32) -> Lookup {
        guard isKey(key) else {
            return Lookup(status: MDB_BAD_VALSIZE, bytes: UnsafeRawBufferPointer(start: nil, count: 0))
        }
        var key = MDB_val(key)
        var value = MDB_val()
        let status = mdb_get(transaction, database, &key, &value)
        return Lookup(status: status, bytes: UnsafeRawBufferPointer(value))
    }

    /// LMDB checks the length of a key only when it stores it, and does not look at the upper half of a value's.
    static func isKey(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count >= 1 && bytes.count <= KeyEncoder.byteCountMax
    }

    private func store(_ key: RawSpan, _ value: RawSpan, flags: UInt32, in txn: borrowing WriteTransaction) -> Int32 {
        let transaction = pointer(in: txn.handle)
        return key.withUnsafeBytes { keyBytes in
            value.withUnsafeBytes { valueBytes in
                guard RawTable.isKey(keyBytes), valueBytes.count <= RawTable.valueByteCountMax else {
                    return MDB_BAD_VALSIZE
                }
                var key = MDB_val(keyBytes)
                var value = MDB_val(valueBytes)
                return mdb_put(transaction, database, &key, &value, flags)
            }
        }
    }

    private func firstKey(prefix: RawSpan, in txn: borrowing WriteTransaction) throws(LMDBError) -> [UInt8]? {
        var cursor = try Cursor(self, in: txn)
        guard let entry = try cursor.seek(to: prefix), entry.key.starts(with: prefix) else { return nil }
        return entry.key.withUnsafeBytes { [UInt8]($0) }
    }
}

extension MDB_val {
    /// LMDB does not write through the pointer of a key, nor of a value without `MDB_RESERVE`.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }
}

extension UnsafeRawBufferPointer {
    init(_ value: MDB_val) { self.init(start: value.mv_data, count: value.mv_size) }
}
