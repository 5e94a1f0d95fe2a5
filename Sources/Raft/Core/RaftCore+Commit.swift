/// What is committed, and what follows from it (paper §5.3, §5.4.2).
extension RaftCore {
    /// Commits what a quorum holds on disk. An entry of an older term is committed only through one of ours (paper §5.4.2, figure 8).
    ///
    /// The leader counts itself like any follower: up to its own durable entry, also when it is alone (etcd#14370).
    mutating func advanceCommit() {
        // Leaving a joint membership appends an entry that decides with another quorum, so look again.
        while isLeader, halted == nil, let reached = quorumIndex(), reached > commit,
            shape.term(at: reached) == term || isPlanted(.olderTermCommitted)
        {
            moveCommit(to: reached)
        }
    }

    private func quorumIndex() -> LogIndex? {
        let progress = leadership.progress
        let own = isPlanted(.ownWriteCountedBeforeSync) ? shape.lastIndex : durableIndex
        func held(_ node: NodeID) -> LogIndex {
            if node == id { return own }
            return progress.first { $0.node == node }?.countedMatch ?? .zero
        }
        let membership = membership
        if isPlanted(.quorumOffByOne) {
            return Quorum.reached(by: membership.voters, majority: max(1, membership.voters.count / 2), held)
        }
        if isPlanted(.learnerCounted) { return Quorum.reached(by: membership.voters + membership.learners, held) }
        if isPlanted(.jointCommitsWithOldSetOnly), membership.isJoint {
            return Quorum.reached(by: membership.outgoing, held)
        }
        return membership.reached(held)
    }

    /// Moves the commit index forward; it never goes back.
    mutating func moveCommit(to index: LogIndex) {
        guard index > commit else { return }
        precondition(index <= shape.lastIndex, "only what is in the log can be committed")
        let before = commit
        commit = index
        resolveProposals()
        if let newest = memberships.last(where: { $0.index <= index && $0.index > before }) { out.committedMembership = newest }
        if isLeader { leaderCommitted() }
    }

    private mutating func leaderCommitted() {
        leadership.forgetCommitted(through: commit)
        guard isOwnTermCommitted || isPlanted(.finalBeforeJointCommitted) else { return }
        finishMembershipChange()
        if isLeader { startReadRound() }
    }

    /// Whether the leader knows all that is committed (thesis §6.4): nothing that needs this may happen before.
    var isOwnTermCommitted: Bool { isLeader && commit >= leadership.ownTermStart }
}

extension Leadership {
    mutating func forgetCommitted(through index: LogIndex) {
        while let first = uncommitted.first, first.index <= index {
            uncommittedBytes -= first.byteCount
            uncommitted.popFirst()
        }
    }
}
