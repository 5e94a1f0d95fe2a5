/// Executes every request of a client once, however often it comes (thesis §6.3; `reference/raft.md` §0 point 9, V12).
///
/// Part of the replicated state: all nodes make the same calls in the order of the log and so hold the same table. It takes no clock and no
/// randomness; "longest ago" is by log index.
///
/// The rule. A session has a mark m, which starts at 1 and only grows. Sequences m ..< m + width are the window. A request brings its client's
/// mark along, and the higher mark counts.
/// - Below the window, the client has its answer: ``SessionRefusal/sequenceTooLow``.
/// - Above it: ``SessionRefusal/sequenceTooHigh``.
/// - In it, in any order: executed if it was not, else the first outcome again.
/// - What is refused changes nothing. What is not moves the mark, drops what the mark has passed, and renews the session's use.
///
/// Why once. To be executed twice, a request would have to be in the window twice with nothing remembered of it. What was executed is dropped
/// only when the mark passes it, and the mark does not come back, or with its whole session, and a session's id is never given out again.
package struct SessionTable<Rows: SessionRows> {
    package private(set) var rows: Rows
    package let settings: SessionSettings

    /// - Precondition: Every limit is at least 1.
    package init(rows: Rows, settings: SessionSettings) {
        precondition(settings.sessionCountMax >= 1 && settings.windowWidth >= 1 && settings.outcomeByteCountMax >= 1, "limits are positive")
        self.rows = rows
        self.settings = settings
    }

    /// Opens a session.
    ///
    /// - Parameter nonce: Random, chosen by the client before it proposed.
    /// - Parameter index: Of the entry that is applied.
    package mutating func register(nonce: UInt64, at index: UInt64) throws(Rows.Failure) -> SessionRegistration {
        let id = SessionID(registeredAt: index, nonce: nonce)
        guard try rows.get(id) == nil else { return .known(id) }
        var evicted: [SessionID] = []
        while try rows.count >= settings.sessionCountMax, let oldest = try sessionToEvict() {
            try rows.remove(oldest)
            evicted.append(oldest)
        }
        try rows.put(SessionRow(id: id))
        return .registered(id, evicted: evicted)
    }

    private func sessionToEvict() throws(Rows.Failure) -> SessionID? {
        guard settings.isPlanted(.evictsNewest) else { return try rows.oldest }
        var newest: SessionRow?
        var next = try rows.row(after: nil)
        while let row = next {
            if row.lastUsed >= newest?.lastUsed ?? 0 { newest = row }
            next = try rows.row(after: row.id)
        }
        return newest?.id
    }

    /// What ``begin(_:at:)`` would say. Changes nothing.
    package func verdict(on request: SessionRequest) throws(Rows.Failure) -> SessionVerdict {
        guard let row = try rows.get(request.session) else { return .refused(.noSession) }
        return row.verdict(on: request, settings: settings)
    }

    /// A request is applied.
    ///
    /// - Parameter index: Of the entry that is applied.
    /// - Returns: ``SessionVerdict/fresh`` when it must be executed now, before anything else is applied.
    package mutating func begin(_ request: SessionRequest, at index: UInt64) throws(Rows.Failure) -> SessionVerdict {
        guard var row = try rows.get(request.session) else { return .refused(.noSession) }
        let verdict = row.verdict(on: request, settings: settings)
        if case .refused = verdict { return verdict }
        row.use(request, at: index)
        try rows.put(row)
        return verdict
    }

    /// A fresh request was executed.
    ///
    /// - Parameter outcome: What every later copy is answered with. Also for an outcome that is an error: it was decided by the state at this
    ///   index, and must not be decided again by another.
    /// - Precondition: ``begin(_:at:)`` said fresh, and nothing was applied since.
    package mutating func finish(_ request: SessionRequest, outcome: [UInt8]) throws(Rows.Failure) {
        guard var row = try rows.get(request.session) else { preconditionFailure("a request is finished in a session that is there") }
        let outcome = settings.isPlanted(.outcomeNotStored) ? [] : outcome
        row.record(request.sequence, outcome: outcome, byteCountMax: settings.outcomeByteCountMax)
        try rows.put(row)
    }
}

extension SessionTable: Equatable where Rows: Equatable {}
extension SessionTable: Hashable where Rows: Hashable {}
extension SessionTable: Sendable where Rows: Sendable {}
