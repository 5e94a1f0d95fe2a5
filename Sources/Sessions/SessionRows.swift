/// Where the rows are kept: in memory, or in a table of the store in the same transaction as what the requests change.
package protocol SessionRows {
    /// What reading and writing can throw; `Never` in memory.
    associatedtype Failure: Error

    var count: Int { get throws(Failure) }
    func get(_ id: SessionID) throws(Failure) -> SessionRow?
    /// Adds the row, or replaces the one with its id.
    mutating func put(_ row: SessionRow) throws(Failure)
    mutating func remove(_ id: SessionID) throws(Failure)
    /// The session that was used longest ago: lowest ``SessionRow/lastUsed``, then lowest id. Nil when there is none.
    var oldest: SessionID? { get throws(Failure) }
    /// The row with the lowest id above `id`, or with the lowest of all for nil.
    func row(after id: SessionID?) throws(Failure) -> SessionRow?
}

/// Rows in memory, for the simulator and for tests. A value.
package struct MemorySessionRows: SessionRows, Hashable, Sendable {
    /// Ascending by id. New sessions have the highest id, so they come to the end.
    private var rows: [SessionRow] = []

    package init() {}

    package var count: Int { rows.count }

    package func get(_ id: SessionID) -> SessionRow? {
        let place = place(of: id)
        return place < rows.count && rows[place].id == id ? rows[place] : nil
    }

    package mutating func put(_ row: SessionRow) {
        let place = place(of: row.id)
        if place < rows.count, rows[place].id == row.id { rows[place] = row } else { rows.insert(row, at: place) }
    }

    package mutating func remove(_ id: SessionID) {
        let place = place(of: id)
        if place < rows.count, rows[place].id == id { rows.remove(at: place) }
    }

    package var oldest: SessionID? {
        rows.min { ($0.lastUsed, $0.id) < ($1.lastUsed, $1.id) }?.id
    }

    package func row(after id: SessionID?) -> SessionRow? {
        guard let id else { return rows.first }
        var place = place(of: id)
        if place < rows.count, rows[place].id == id { place += 1 }
        return place < rows.count ? rows[place] : nil
    }

    /// Position of the first row whose id is not below `id`.
    private func place(of id: SessionID) -> Int {
        var low = 0
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
