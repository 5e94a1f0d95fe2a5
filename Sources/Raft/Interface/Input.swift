/// Everything that can happen to a core. Given one at a time to ``RaftCore/step(_:now:log:rng:into:)``.
package enum Input: Sendable {
    /// Time passed. Give one at or soon after ``RaftCore/nextDeadline``; one too many does no harm.
    case tick
    case message(Message)
    case propose([Proposal])
    case read([Ticket])
    case changeMembership(MembershipChange, Ticket)
    /// Leader only. Without a target the voter that has caught up best.
    case transferLeadership(to: NodeID?, Ticket)
    /// Campaign now instead of at the deadline, with pre-vote as always. For tools and tests.
    case campaign

    /// Every write up to this one is on disk, in order, and ``LogView`` shows them.
    case logDurable(WriteSequence)
    /// A log write failed. Terminal: the node halts, and the process ends.
    case logFailed(WriteSequence, StorageFault)
    /// Entries that ``Effects/prefetch`` asked for are in memory.
    case logFetched

    /// The state machine has applied everything up to here, and reads see it.
    case applied(LogIndex)
    /// The state up to here survives any crash (with LMDB: the applied index of the checkpoint *before* the last).
    case stateDurable(LogIndex)

    /// A local image for other nodes exists; answers ``SnapshotAction/make``.
    case snapshotReady(SnapshotMeta)
    /// Making one failed, or nothing can be made now; the core asks again when it still needs one.
    case snapshotUnavailable
    /// The chunk asked for by ``SnapshotAction/store(_:)`` is staged up to `next`. `isComplete`: it was the last, and content hash and trailer
    /// were verified and everything staged is synced.
    case snapshotChunkStored(SnapshotImage, next: UInt64, isComplete: Bool)
    case snapshotFailed(SnapshotImage, SnapshotFault)
    /// The state machine now is the snapshot, durably; answers ``SnapshotAction/install(_:)``.
    case snapshotInstalled(SnapshotImage)

    /// The transport to a peer opened or broke. Optional hints: they only speed things up.
    case peerConnection(NodeID, isUp: Bool)
}

package struct Proposal: Hashable, Sendable {
    package let ticket: Ticket
    package let command: Command

    package init(ticket: Ticket, command: Command) {
        self.ticket = ticket
        self.command = command
    }
}

package enum StorageFault: Hashable, Sendable {
    case io(errno: Int32)
    case noSpace
}
