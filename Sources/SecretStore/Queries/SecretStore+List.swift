import LMDB

/// Where a list goes on: opaque bytes, valid for the account and sort order of the query that gave them, in either direction.
package struct ListCursor: Hashable, Sendable {
    /// Longest key behind account and sort order.
    private static let byteCountMax = StateKeys.nameBytesMax

    package let bytes: [UInt8]

    /// - Parameter bytes: What ``bytes`` was; nil if it cannot have been.
    package init?(_ bytes: [UInt8]) {
        guard (1...Self.byteCountMax).contains(bytes.count) else { return nil }
        self.bytes = bytes
    }
}

/// What ListSecrets asks.
package struct ListQuery: Sendable {
    package var account: AccountID
    package var order = SecretOrder.created
    package var isDescending = false
    /// `IncludePlannedDeletion`.
    package var includesScheduled = false
    /// Secrets of the page, at most ``Limits/secretsPerPageMax``.
    package var limit = Limits.secretsPerPageMax
    /// nil: from the beginning.
    package var cursor: ListCursor?

    package init(account: AccountID) { self.account = account }
}

/// One page of a list.
package struct ListPage: Sendable {
    package var records: [SecretRecord]
    /// Where the next page begins; nil on the last page. A page may have fewer records than the limit, or none, and a cursor.
    package var next: ListCursor?
}

extension SecretStore {
    /// One page of the secrets of an account.
    ///
    /// Costs the page and not the number of secrets: it walks an index, opens the records of the page and one more (to know
    /// whether there is a next page), and stops at ``Limits/recordsExaminedPerPageMax`` when few records match.
    ///
    /// - Parameter isIncluded: The filters. Runs inside the read transaction: no waiting, no write.
    package func list(_ query: ListQuery, where isIncluded: (SecretRecord) throws -> Bool = { _ in true }) throws -> ListPage {
        try environment.read { txn in
            let prefix = ListKey.prefix(account: query.account, order: query.order)
            var walk = ListWalk(limit: min(max(query.limit, 1), Limits.secretsPerPageMax))
            let start: Start<[UInt8]> = query.cursor.map { .after(prefix + $0.bytes) } ?? .edge
            try tables.listing.raw.forEach(
                prefix: prefix.span.bytes, from: start, order: query.isDescending ? .backward : .forward, in: txn
            ) { key, value in
                guard let entry = ListKey.decode(value: value) else { throw StoreError.corrupted(table: tables.listing.name) }
                if entry.isScheduled, !query.includesScheduled { return walk.skip(key) }
                guard walk.mayExamine() else { return .stop }
                guard let record = try record(row: entry.secret, in: txn) else { throw StoreError.corrupted(table: tables.listing.name) }
                return walk.visit(key, try isIncluded(record) ? record : nil)
            }
            return ListPage(records: walk.records, next: walk.next(behind: prefix.count))
        }
    }
}

/// Collects a page and decides where it ends.
private struct ListWalk {
    let limit: Int
    private(set) var records: [SecretRecord] = []
    private var examined = 0
    private var skipped = 0
    /// Key of the last entry that this page is done with.
    private var last: [UInt8]?
    /// Whether the walk ended before the end of the index.
    private var hasMore = false

    init(limit: Int) { self.limit = limit }

    /// Whether one more record may be opened.
    mutating func mayExamine() -> Bool {
        guard examined < Limits.recordsExaminedPerPageMax else {
            hasMore = true
            return false
        }
        examined += 1
        return true
    }

    mutating func skip(_ key: RawSpan) -> Step {
        guard skipped < Limits.entriesSkippedPerPageMax else {
            hasMore = true
            return .stop
        }
        skipped += 1
        done(key)
        return .continue
    }

    /// - Parameter match: The record, or nil if the filters leave it out.
    mutating func visit(_ key: RawSpan, _ match: SecretRecord?) -> Step {
        if let match {
            // The first match that does not fit shows that there is a next page, which begins with it.
            guard records.count < limit else {
                hasMore = true
                return .stop
            }
            records.append(match)
        }
        done(key)
        return .continue
    }

    private mutating func done(_ key: RawSpan) { last = key.withUnsafeBytes { [UInt8]($0) } }

    func next(behind prefixCount: Int) -> ListCursor? {
        guard hasMore, let last else { return nil }
        return ListCursor(Array(last.dropFirst(prefixCount)))
    }
}
