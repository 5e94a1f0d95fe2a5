/// The direction of a walk over a table.
package enum Order: Sendable {
    /// From low keys to high ones.
    case forward
    /// From high keys to low ones.
    case backward
}

/// Where a walk begins, within its prefix and seen in its direction.
package enum Start<Key> {
    /// At the first key in the direction of the walk.
    case edge
    /// At the key, or at the first one behind it.
    case at(Key)
    /// At the first one behind the key: where a page that ended with the key goes on.
    case after(Key)
}

extension Start: Sendable where Key: Sendable {}

/// What the visitor of an entry wants next.
package enum Step: Sendable {
    case `continue`
    case stop
}

extension RawTable {
    /// Visits the entries whose keys begin with `prefix`, in order.
    ///
    /// The transaction is lent for the whole walk, so the visitor can read but not change anything in it.
    ///
    /// - Parameters:
    ///   - prefix: What the keys begin with; empty for all keys.
    ///   - start: Where to begin. A key outside of the prefix counts by its place in the order.
    ///   - order: The direction.
    ///   - visit: Called with the key and the value, which lie in the map and can be used only within the call.
    /// - Throws: ``LMDBError``, or what `visit` throws.
    package func forEach<T: Transaction & ~Copyable>(
        prefix: RawSpan = RawSpan(), from start: Start<[UInt8]> = .edge, order: Order = .forward, in txn: borrowing T,
        _ visit: (_ key: RawSpan, _ value: RawSpan) throws -> Step
    ) throws {
        var cursor = try Cursor(self, in: txn)
        switch order {
        case .forward:
            guard var entry = try cursor.firstForward(prefix: prefix, from: start) else { return }
            while entry.key.starts(with: prefix), try visit(entry.key, entry.value) == .continue {
                guard let next = try cursor.next() else { return }
                entry = next
            }
        case .backward:
            guard var entry = try cursor.firstBackward(prefix: prefix, from: start) else { return }
            while entry.key.starts(with: prefix), try visit(entry.key, entry.value) == .continue {
                guard let previous = try cursor.previous() else { return }
                entry = previous
            }
        }
    }
}

extension Cursor {
    /// Where a forward walk over `prefix` begins; the entry may lie behind the prefix, which ends the walk.
    @_lifetime(copy self)
    fileprivate mutating func firstForward(prefix: RawSpan, from start: Start<[UInt8]>) throws(LMDBError) -> Entry? {
        switch start {
        case .edge: return try seek(to: prefix)
        case .at(let key):
            let key = key.span.bytes
            return try seek(to: key.precedes(prefix) ? prefix : key)
        case .after(let key):
            let key = key.span.bytes
            if key.precedes(prefix) { return try seek(to: prefix) }
            guard let entry = try seek(to: key) else { return nil }
            return entry.key.isEqual(to: key) ? try next() : entry
        }
    }

    /// Where a backward walk over `prefix` begins; the entry may lie before the prefix, which ends the walk.
    @_lifetime(copy self)
    fileprivate mutating func firstBackward(prefix: RawSpan, from start: Start<[UInt8]>) throws(LMDBError) -> Entry? {
        switch start {
        case .edge: return try seekToEnd(ofPrefix: prefix)
        case .at(let key): return try firstBackward(prefix: prefix, to: key.span.bytes, inclusive: true)
        case .after(let key): return try firstBackward(prefix: prefix, to: key.span.bytes, inclusive: false)
        }
    }

    @_lifetime(copy self)
    private mutating func firstBackward(prefix: RawSpan, to key: RawSpan, inclusive: Bool) throws(LMDBError) -> Entry? {
        let isBehindPrefix = prefix.precedes(key) && !key.starts(with: prefix)
        return isBehindPrefix ? try seekToEnd(ofPrefix: prefix) : try seekBackward(to: key, inclusive: inclusive)
    }
}

extension RawSpan {
    /// Whether these bytes sort before the other ones, as keys do.
    func precedes(_ other: RawSpan) -> Bool {
        withUnsafeBytes { a in other.withUnsafeBytes { b in a.lexicographicallyPrecedes(b) } }
    }
}
