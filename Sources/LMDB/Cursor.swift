import CLMDB
import Glibc

/// A key and its value in the map, borrowed from a transaction.
package struct Entry: ~Escapable {
    package let key: RawSpan
    package let value: RawSpan

    @_lifetime(copy key, copy value)
    init(key: RawSpan, value: RawSpan) {
        self.key = key
        self.value = value
    }
}

/// A position in a table. What it returns lives as long as the loan of the transaction, also after the cursor is gone.
///
/// Most callers want ``RawTable/forEach(prefix:from:order:in:_:)`` or the same on ``Table``.
package struct Cursor: ~Copyable, ~Escapable {
    private let cursor: OpaquePointer

    @_lifetime(borrow txn)
    package init<T: Transaction & ~Copyable>(_ table: RawTable, in txn: borrowing T) throws(LMDBError) {
        var opened: OpaquePointer?
        let status = mdb_cursor_open(table.pointer(in: txn.handle), table.database, &opened)
        guard status == MDB_SUCCESS, let opened else { throw LMDBError(tableStatus: status, during: "cursor open") }
        cursor = opened
    }

    // The transaction is still there (its loan covers our life), which LMDB demands of cursors of write transactions.
    deinit { mdb_cursor_close(cursor) }

    /// Goes to the lowest key.
    @_lifetime(copy self)
    package mutating func first() throws(LMDBError) -> Entry? { try move(MDB_FIRST) }

    /// Goes to the highest key.
    @_lifetime(copy self)
    package mutating func last() throws(LMDBError) -> Entry? { try move(MDB_LAST) }

    /// Goes to the next higher key; at first to the lowest.
    @_lifetime(copy self)
    package mutating func next() throws(LMDBError) -> Entry? { try move(MDB_NEXT) }

    /// Goes to the next lower key; at first to the highest.
    @_lifetime(copy self)
    package mutating func previous() throws(LMDBError) -> Entry? { try move(MDB_PREV) }

    /// Goes to the lowest key that is not below `key`. An empty `key` stands for the beginning of the table.
    @_lifetime(copy self)
    package mutating func seek(to key: RawSpan) throws(LMDBError) -> Entry? {
        if key.byteCount == 0 { return try move(MDB_FIRST) }
        return try move(MDB_SET_RANGE, to: key)
    }

    /// Goes to the highest key that is not above `key` (`inclusive`) or that is below it.
    @_lifetime(copy self)
    package mutating func seekBackward(to key: RawSpan, inclusive: Bool) throws(LMDBError) -> Entry? {
        guard let entry = try seek(to: key) else { return try move(MDB_LAST) }
        if inclusive, entry.key.isEqual(to: key) { return entry }
        return try move(MDB_PREV)
    }

    /// Goes to the highest key that begins with `prefix`, or to the last key below all such keys.
    @_lifetime(copy self)
    package mutating func seekToEnd(ofPrefix prefix: RawSpan) throws(LMDBError) -> Entry? {
        // The lowest byte string above all that begin with the prefix: its trailing FF bytes cut, then one added.
        guard let last = prefix.lastIndex(below: 0xFF) else { return try move(MDB_LAST) }
        var successor = prefix.extracting(first: last + 1).withUnsafeBytes { [UInt8]($0) }
        successor[last] += 1
        return try seekBackward(to: successor.span.bytes, inclusive: false)
    }

    @_lifetime(copy self)
    private mutating func move(_ operation: MDB_cursor_op, to sought: RawSpan = RawSpan()) throws(LMDBError) -> Entry? {
        var value = MDB_val()
        var key = MDB_val()
        let status = sought.withUnsafeBytes { bytes in
            // A longer key than LMDB can hold is fine here: it is compared only.
            key = MDB_val(bytes)
            return mdb_cursor_get(cursor, &key, &value, operation)
        }
        guard status == MDB_SUCCESS else {
            guard status == MDB_NOTFOUND else { throw LMDBError(status: status, during: "cursor move") }
            return nil
        }
        let entry = Entry(
            key: RawSpan(_unsafeBytes: UnsafeRawBufferPointer(key)),
            value: RawSpan(_unsafeBytes: UnsafeRawBufferPointer(value)))
        return _overrideLifetime(entry, copying: self)
    }
}

extension RawSpan {
    /// Whether the first bytes are those of `prefix`.
    package func starts(with prefix: RawSpan) -> Bool {
        guard byteCount >= prefix.byteCount else { return false }
        return extracting(first: prefix.byteCount).isEqual(to: prefix)
    }

    /// Whether the bytes are the same. Not in constant time: for keys.
    package func isEqual(to other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        return withUnsafeBytes { a in
            other.withUnsafeBytes { b in
                guard let a = a.baseAddress, let b = b.baseAddress else { return true }
                return memcmp(a, b, byteCount) == 0
            }
        }
    }

    /// The place of the last byte that is less than `limit`.
    func lastIndex(below limit: UInt8) -> Int? {
        withUnsafeBytes { bytes in bytes.lastIndex { $0 < limit } }
    }
}
