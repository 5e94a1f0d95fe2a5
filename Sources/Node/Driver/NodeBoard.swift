package import Raft
internal import Synchronization

/// What a node is at the moment, for threads other than the driver's: a copy, a moment old.
///
/// Safe from any thread.
package final class NodeBoard: Sendable {
    package struct Facts: Sendable {
        package var role: Role = .follower
        package var term = Term.zero
        package var leader: NodeID?
        package var membership = MembershipRecord(index: .zero, membership: .none)
        package var commit = LogIndex.zero
        package var applied = LogIndex.zero
        package var lastIndex = LogIndex.zero
    }

    private let state = Mutex(Facts())
    private let readable = Atomic<Bool>(false)

    /// Whether nothing can have been acknowledged that this node has not applied: it leads, and no other node votes.
    package internal(set) var isReadableNow: Bool {
        get { readable.load(ordering: .acquiring) }
        set { readable.store(newValue, ordering: .releasing) }
    }
    package var facts: Facts { state.withLock { $0 } }

    func update(from core: RaftCore) {
        state.withLock {
            $0.role = core.role
            $0.term = core.term
            $0.leader = core.leader
            $0.membership = core.committedMembership
            $0.commit = core.commit
            $0.lastIndex = core.lastEntry.index
        }
    }

    func applied(_ applied: LogIndex, commit: LogIndex) {
        state.withLock {
            $0.applied = applied
            $0.commit = commit
        }
    }
}
