import Raft

/// What one node's disks hold of the log. Only ``perform(_:)`` changes it, one whole write at a time.
struct TestDisk: LogView {
    var hardState = HardState(term: .zero, vote: nil)
    var compactedThrough = EntryID.zero
    var entries: [Entry] = []
    /// The membership at or before `compactedThrough`.
    var base = MembershipRecord(index: .zero, membership: .none)
    var commitHint = LogIndex.zero
    /// The snapshot that the state machine must be at, at least.
    var boundary: SnapshotMeta?
    var isDamaged = false
    var staged: (meta: SnapshotMeta, offset: UInt64)?

    var lastIndex: LogIndex { compactedThrough.index + entries.count }

    func entry(at index: LogIndex) -> Entry? {
        guard index > compactedThrough.index, index <= lastIndex else { return nil }
        return entries[position(of: index)]
    }

    /// Whether the entry is here, in the log or in what became of it.
    func holds(_ id: EntryID) -> Bool {
        if id.index <= compactedThrough.index { return true }
        return entry(at: id.index)?.id == id
    }

    private func position(of index: LogIndex) -> Int { Int(index.raw - compactedThrough.index.raw - 1) }

    func entries(from first: LogIndex, through last: LogIndex, byteCountMax: Int) -> [Entry]? {
        var found: [Entry] = []
        var byteCount = 0
        var index = first
        while index <= last, byteCount < byteCountMax, let entry = entry(at: index) {
            found.append(entry)
            byteCount += entry.byteCount
            index = index.next
        }
        return found.isEmpty ? nil : found
    }

    mutating func perform(_ write: LogWrite) {
        if let hardState = write.hardState { self.hardState = hardState }
        if let meta = write.reset {
            entries = []
            compactedThrough = meta.last
            base = MembershipRecord(index: meta.membershipIndex, membership: meta.membership)
            boundary = meta
            staged = nil
        }
        if let index = write.truncateFrom { entries.removeLast(min(entries.count, max(0, entries.count - position(of: index)))) }
        for entry in write.entries {
            precondition(entry.index == lastIndex.next, "the log has no holes")
            entries.append(entry)
        }
        commitHint = max(commitHint, write.commit)
        if write.endsRecovery { isDamaged = false }
    }

    mutating func compact(before index: LogIndex) {
        guard index > compactedThrough.index.next, let boundary = entry(at: index.previous) else { return }
        let dropped = entries.prefix(position(of: index))
        if let newest = dropped.last(where: { $0.membership != nil }), let membership = newest.membership {
            base = MembershipRecord(index: newest.index, membership: membership)
        }
        entries.removeFirst(dropped.count)
        compactedThrough = boundary.id
    }

    /// What a node finds when it starts, beside a state machine at `applied`.
    func recovered(applied: LogIndex, stateDurable: LogIndex) -> RecoveredState {
        var state = RecoveredState()
        state.hardState = hardState
        state.compactedThrough = compactedThrough
        state.lastIndex = lastIndex
        for entry in entries where state.termRuns.last?.term != entry.term {
            state.termRuns.append(TermRun(term: entry.term, first: entry.index))
        }
        state.memberships = [base]
        for entry in entries { if let membership = entry.membership { state.memberships.append(.init(index: entry.index, membership: membership)) } }
        state.commit = max(applied, min(commitHint, lastIndex))
        state.applied = applied
        state.stateDurable = min(stateDurable, applied)
        state.isDamaged = isDamaged
        state.staged = staged
        return state
    }
}
