import Raft

/// What is durable of one node's log. Changes by whole writes only.
struct ModelDisk: LogView {
    private(set) var hardState = HardState(term: .zero, vote: nil)
    private(set) var entries: [Entry] = []
    private var commitHint = LogIndex.zero

    var lastIndex: LogIndex { .zero + entries.count }

    func entry(at index: LogIndex) -> Entry? {
        index > .zero && index <= lastIndex ? entries[Int(index.raw) - 1] : nil
    }

    func entries(from first: LogIndex, through last: LogIndex, byteCountMax: Int) -> [Entry]? {
        guard first <= min(last, lastIndex) else { return nil }
        return Array(entries[Int(first.raw) - 1..<Int(min(last, lastIndex).raw)])
    }

    mutating func perform(_ write: LogWrite) {
        if let state = write.hardState { hardState = state }
        if let index = write.truncateFrom { entries.removeLast(max(0, entries.count - Int(index.raw) + 1)) }
        entries += write.entries
        commitHint = max(commitHint, write.commit)
    }

    /// The state machine is in memory, so it starts empty.
    func recovered(_ founding: Membership) -> RecoveredState {
        var state = RecoveredState.founding(founding)
        state.hardState = hardState
        state.lastIndex = lastIndex
        for entry in entries {
            if state.termRuns.last?.term != entry.term { state.termRuns.append(TermRun(term: entry.term, first: entry.index)) }
            if let membership = entry.membership { state.memberships.append(MembershipRecord(index: entry.index, membership: membership)) }
        }
        state.commit = min(commitHint, lastIndex)
        return state
    }

    func fold(into digest: inout StateDigest) {
        digest.fold(hardState.term.raw)
        digest.fold(hardState.vote)
        for entry in entries { digest.fold(entry) }
        digest.fold(commitHint.raw)
    }
}
