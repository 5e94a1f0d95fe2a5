package import Raft

/// What a log holds when it is opened: its part of `RecoveredState`.
package struct RecoveredLog: Hashable, Sendable {
    package var hardState = HardState(term: .zero, vote: nil)
    /// The entry before the first one in the log.
    package var compactedThrough = EntryID.zero
    package var termRuns: [TermRun] = []
    package var lastIndex = LogIndex.zero
    /// Ascending. The first stands at or before `compactedThrough`, unless the log began without any.
    package var memberships: [MembershipRecord] = []
    /// The newest commit hint, not beyond `lastIndex`.
    package var commit = LogIndex.zero
    /// The snapshot that the log was last reset to: the state machine must be there at least, or install it again.
    package var boundary: SnapshotMeta?
    /// Something that was durable is gone from the end of the log. The node takes the role `recovering`.
    package var isDamaged = false
    /// What this opening found to be damaged, and where what lay behind it is kept: one sentence for the operator.
    package var damage: String?
    /// Whether a write that was not synced, or only in part on the disk, was cut off.
    package var wasTorn = false
}
