/// The bodies of entries that are already durable, from memory.
///
/// The core keeps the terms of the whole log and every entry that is not yet durable itself; it asks only for the bodies of older ones,
/// to send them to followers. It never asks for an index that an unfinished ``LogWrite`` touches, so a view may show such a write
/// early or late.
package protocol LogView {
    /// The entries from `first` on, at most through `last`.
    ///
    /// - Returns: At least one entry, consecutive from `first`; it stops after the entry that reaches `byteCountMax`.
    ///   Nil when `first` is not in memory; the core then emits ``Effects/prefetch``.
    func entries(from first: LogIndex, through last: LogIndex, byteCountMax: Int) -> [Entry]?
}

/// What a node finds on its disks when it starts. The driver merges it from the log and the state machine.
package struct RecoveredState: Sendable {
    package var hardState = HardState(term: .zero, vote: nil)

    /// The entry before the first one in the log: the last that was compacted away or that came with a snapshot.
    package var compactedThrough = EntryID.zero
    /// The terms of the entries after `compactedThrough`, run by run.
    package var termRuns: [TermRun] = []
    package var lastIndex = LogIndex.zero

    /// Every membership in the log, ascending, after one that stands at or before `compactedThrough` (or at the applied
    /// index of the state machine, when the log holds none). The newest is in force, committed or not.
    package var memberships = [MembershipRecord(index: .zero, membership: .none)]

    /// The commit hint of the newest write, or the applied index if that is higher. Not beyond `lastIndex`.
    package var commit = LogIndex.zero
    /// The state machine's applied index: at least `compactedThrough`, at most `commit`.
    package var applied = LogIndex.zero
    package var stateDurable = LogIndex.zero

    /// Acknowledged entries may be missing at the end of the log: it was damaged, not torn.
    package var isDamaged = false
    /// A snapshot image that was being fetched, and how much of it is staged and verified.
    package var staged: (meta: SnapshotMeta, offset: UInt64)?

    package init() {}

    /// A founding member of a new cluster, or, with ``Membership/none``, a node that waits to be added to one.
    package static func founding(_ membership: Membership) -> RecoveredState {
        var state = RecoveredState()
        state.memberships = [MembershipRecord(index: .zero, membership: membership)]
        return state
    }

    /// Checks every relation between log, state and votes in one place, before anything is trusted.
    ///
    /// - Throws: ``RecoveryProblem`` with all numbers in it. The node must not start; nothing is repaired by guessing.
    package func validate(_ settings: Settings) throws(RecoveryProblem) {
        var problem: String?
        if !settings.isValid { problem = "settings contradict each other" }
        if lastIndex < compactedThrough.index { problem = "log ends before its beginning" }
        if applied < compactedThrough.index { problem = "state is behind the beginning of the log" }
        if applied > commit { problem = "state is ahead of the commit index" }
        if commit > lastIndex { problem = "commit index is beyond the log" }
        if stateDurable > applied { problem = "durable state is ahead of the state" }
        var previousTerm = compactedThrough.term
        var nextFirst: LogIndex? = compactedThrough.index.next
        for run in termRuns {
            if let nextFirst, run.first != nextFirst { problem = "first term run does not start the log" }
            nextFirst = nil
            if run.term < previousTerm || run.first > lastIndex { problem = "term runs are not ascending" }
            previousTerm = run.term
        }
        for (a, b) in zip(termRuns, termRuns.dropFirst()) where a.first >= b.first || a.term >= b.term {
            problem = "term runs are not ascending"
        }
        if termRuns.isEmpty && lastIndex != compactedThrough.index { problem = "entries without terms" }
        if previousTerm > hardState.term { problem = "log has a newer term than the vote record" }
        if memberships.isEmpty || !memberships.allSatisfy(\.membership.isWellFormed) { problem = "membership is malformed" }
        if !zip(memberships, memberships.dropFirst()).allSatisfy({ $0.index < $1.index }) { problem = "memberships out of order" }
        if let newest = memberships.last {
            if newest.index > lastIndex { problem = "membership beyond the log" }
            if newest.membership.featureLevel > settings.featureLevelMax { problem = "this program is too old for the cluster's data" }
        }
        if let problem { throw RecoveryProblem(problem: problem, state: self) }
    }
}

/// The first entry of a stretch of entries that share a term.
package struct TermRun: Hashable, Sendable {
    package let term: Term
    package let first: LogIndex

    package init(term: Term, first: LogIndex) {
        self.term = term
        self.first = first
    }
}

/// Why a node refuses to start, with every number that took part in the decision.
package struct RecoveryProblem: Error, CustomStringConvertible {
    package let problem: String
    package let state: RecoveredState

    package var description: String {
        let runs = state.termRuns.map { "\($0.term)@\($0.first)" }.joined(separator: " ")
        return "\(problem): term \(state.hardState.term), log after \(state.compactedThrough) through \(state.lastIndex) [\(runs)], "
            + "commit \(state.commit), applied \(state.applied), durable state \(state.stateDurable), "
            + "memberships at \(state.memberships.map(\.index.description).joined(separator: ","))"
    }
}
