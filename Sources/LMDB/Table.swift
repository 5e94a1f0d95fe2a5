/// A table with typed keys. Values are bytes: the caller encodes and decodes them.
///
/// A plain value over ``RawTable``, which it offers as ``raw`` for byte keys. Everything said there holds here.
package struct Table<Key: TableKey>: Sendable {
    /// The same table with byte keys.
    package let raw: RawTable

    package init(_ raw: RawTable) { self.raw = raw }

    // MARK: Reading

    /// The value of a key, or nil. The bytes lie in the map: valid while `txn` is and, in a write transaction, until
    /// its next change.
    @inlinable
    @_lifetime(borrow txn)
    package func get<T: Transaction & ~Copyable>(_ key: Key, in txn: borrowing T) throws(LMDBError) -> RawSpan? {
        let transaction = raw.pointer(in: txn.handle)
        let found = withEncoded(key) { RawTable.lookUp($0, in: transaction, raw.database) }
        guard let bytes = try found.value() else { return nil }
        return _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: txn)
    }

    /// Whether the table has the key.
    @inlinable
    package func contains<T: Transaction & ~Copyable>(_ key: Key, in txn: borrowing T) throws(LMDBError) -> Bool {
        let transaction = raw.pointer(in: txn.handle)
        return try withEncoded(key) { RawTable.lookUp($0, in: transaction, raw.database) }.value() != nil
    }

    /// How many keys the table has; costs no walk.
    @inlinable
    package func count<T: Transaction & ~Copyable>(in txn: borrowing T) throws(LMDBError) -> Int {
        try raw.count(in: txn)
    }

    /// Whether the table has no key.
    @inlinable
    package func isEmpty<T: Transaction & ~Copyable>(in txn: borrowing T) throws(LMDBError) -> Bool {
        try raw.isEmpty(in: txn)
    }

    /// The lowest key.
    /// - Throws: ``LMDBError/Code/corrupted`` also when its bytes are no encoding of a key.
    @inlinable
    package func firstKey<T: Transaction & ~Copyable>(in txn: borrowing T) throws(LMDBError) -> Key? {
        guard let entry = try raw.first(in: txn) else { return nil }
        return try decode(entry.key)
    }

    /// The highest key.
    /// - Throws: ``LMDBError/Code/corrupted`` also when its bytes are no encoding of a key.
    @inlinable
    package func lastKey<T: Transaction & ~Copyable>(in txn: borrowing T) throws(LMDBError) -> Key? {
        guard let entry = try raw.last(in: txn) else { return nil }
        return try decode(entry.key)
    }

    // MARK: Walks

    /// Visits all entries in order, or those from a key on. See ``RawTable/forEach(prefix:from:order:in:_:)``.
    @inlinable
    package func forEach<T: Transaction & ~Copyable>(
        from start: Start<Key> = .edge, order: Order = .forward, in txn: borrowing T,
        _ visit: (_ key: Key, _ value: RawSpan) throws -> Step
    ) throws {
        try raw.forEach(from: try encode(start), order: order, in: txn) { key, value in try visit(decode(key), value) }
    }

    /// Visits the entries whose keys begin with the encoding of `prefix`.
    @inlinable
    package func forEach<T: Transaction & ~Copyable>(
        prefix: some KeyEncodable, from start: Start<Key> = .edge, order: Order = .forward, in txn: borrowing T,
        _ visit: (_ key: Key, _ value: RawSpan) throws -> Step
    ) throws {
        let prefix = try encode(prefix)
        try raw.forEach(prefix: prefix.span.bytes, from: encode(start), order: order, in: txn) { key, value in
            try visit(decode(key), value)
        }
    }

    // MARK: Changing

    /// Stores a value, replacing the one that is there.
    @inlinable
    package func put(_ key: Key, _ value: RawSpan, in txn: inout WriteTransaction) throws(LMDBError) {
        let bytes = try encode(key)
        try raw.put(bytes.span.bytes, value, in: &txn)
    }

    /// Stores a value unless the key is there already.
    /// - Returns: Whether it was stored.
    @inlinable
    package func insert(_ key: Key, _ value: RawSpan, in txn: inout WriteTransaction) throws(LMDBError) -> Bool {
        let bytes = try encode(key)
        return try raw.insert(bytes.span.bytes, value, in: &txn)
    }

    /// Stores a value under a key that sorts after every key of the table; fills pages completely and needs no search.
    /// - Throws: ``LMDBError/Code/keyNotInOrder`` otherwise; the transaction goes on.
    @inlinable
    package func append(_ key: Key, _ value: RawSpan, in txn: inout WriteTransaction) throws(LMDBError) {
        let bytes = try encode(key)
        try raw.append(bytes.span.bytes, value, in: &txn)
    }

    /// Removes a key.
    /// - Returns: Whether it was there.
    @inlinable
    @discardableResult
    package func delete(_ key: Key, in txn: inout WriteTransaction) throws(LMDBError) -> Bool {
        let bytes = try encode(key)
        return try raw.delete(bytes.span.bytes, in: &txn)
    }

    /// Removes every key that begins with the encoding of `prefix`.
    /// - Returns: How many there were.
    @inlinable
    @discardableResult
    package func deleteAll(prefix: some KeyEncodable, in txn: inout WriteTransaction) throws(LMDBError) -> Int {
        let bytes = try encode(prefix)
        return try raw.deleteAll(prefix: bytes.span.bytes, in: &txn)
    }

    /// Removes every key, without a visit to each entry.
    @inlinable
    package func deleteAll(in txn: inout WriteTransaction) throws(LMDBError) { try raw.deleteAll(in: &txn) }

    // MARK: Keys

    /// Encodes the key on the stack.
    @inlinable
    func withEncoded<Result>(_ key: Key, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeTemporaryAllocation(byteCount: KeyEncoder.byteCountMax, alignment: 8) { buffer in
            // A buffer of a fixed size above zero has an address.
            let base = buffer.baseAddress!
            var encoder = KeyEncoder(base: base)
            key.encode(into: &encoder)
            // A key that is too long keeps its length, so that it is refused; its bytes are then never read.
            return body(UnsafeRawBufferPointer(start: base, count: encoder.byteCount))
        }
    }

    /// The encoding as an array.
    /// - Throws: ``LMDBError/Code/badValueSize`` when it is too long.
    @inlinable
    func encode(_ key: some KeyEncodable) throws(LMDBError) -> [UInt8] {
        let bytes: [UInt8]? = withUnsafeTemporaryAllocation(byteCount: KeyEncoder.byteCountMax, alignment: 8) {
            buffer in
            // A buffer of a fixed size above zero has an address.
            let base = buffer.baseAddress!
            var encoder = KeyEncoder(base: base)
            key.encode(into: &encoder)
            guard encoder.byteCount <= KeyEncoder.byteCountMax else { return nil }
            return [UInt8](UnsafeRawBufferPointer(start: base, count: encoder.byteCount))
        }
        guard let bytes else { throw LMDBError(.badValueSize, during: "key encoding") }
        return bytes
    }

    @inlinable
    func encode(_ start: Start<Key>) throws(LMDBError) -> Start<[UInt8]> {
        switch start {
        case .edge: return .edge
        case .at(let key): return .at(try encode(key))
        case .after(let key): return .after(try encode(key))
        }
    }

    @inlinable
    func decode(_ bytes: RawSpan) throws(LMDBError) -> Key {
        var decoder = KeyDecoder(bytes)
        guard let key = Key(decoding: &decoder), decoder.isAtEnd else {
            throw LMDBError(.corrupted, during: "key decoding")
        }
        return key
    }
}
