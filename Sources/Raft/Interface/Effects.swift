/// What the driver must do after one step.
///
/// The order of the fields is the order of the work. Hand `write` to the log thread first; a message whose ``OutgoingMessage/after`` is set
/// leaves only once that write is durable; everything else may happen at once and in parallel.
package struct Effects: Sendable {
    /// At most one per step. Executed strictly in the order of ``LogWrite/sequence``.
    package var write: LogWrite?
    package var messages: [OutgoingMessage] = []
    /// Committed entries that are durable here, for the apply thread, in order, without gap or repetition.
    package var apply: ClosedRange<LogIndex>?
    package var proposals: [ProposalResult] = []
    package var reads: [ReadResult] = []
    package var commands: [CommandResult] = []
    package var snapshots: [SnapshotAction] = []
    /// The log before this index is not needed any more.
    package var compactBefore: LogIndex?
    /// An entry the core wanted to send is not in memory: load from here on, then say ``Input/logFetched``.
    package var prefetch: LogIndex?
    package var standing: Standing?
    package var committedMembership: MembershipRecord?
    /// The core is inert from now on. The process should end, and not restart by itself unless the reason says so.
    package var halt: HaltReason?

    package init() {}

    package mutating func removeAll() {
        write = nil
        messages.removeAll(keepingCapacity: true)
        apply = nil
        proposals.removeAll(keepingCapacity: true)
        reads.removeAll(keepingCapacity: true)
        commands.removeAll(keepingCapacity: true)
        snapshots.removeAll(keepingCapacity: true)
        compactBefore = nil
        prefetch = nil
        standing = nil
        committedMembership = nil
        halt = nil
    }

    package var isEmpty: Bool {
        write == nil && messages.isEmpty && apply == nil && proposals.isEmpty && reads.isEmpty && commands.isEmpty
            && snapshots.isEmpty && compactBefore == nil && prefetch == nil && standing == nil && committedMembership == nil && halt == nil
    }
}

/// One unit of work for the log: all of it in one sync, in the order of the fields, or none of it after a crash.
package struct LogWrite: Hashable, Sendable {
    package var sequence: WriteSequence
    /// Term and vote, one record (hashicorp/raft#661). Never durable after an entry of its term.
    package var hardState: HardState?
    /// The log becomes empty and starts after this snapshot. Also the boundary record that tells a recovery that the staged
    /// image is to be installed.
    package var reset: SnapshotMeta?
    /// Everything from this index on goes away; `entries` takes its place.
    package var truncateFrom: LogIndex?
    package var entries: [Entry]
    /// Everything up to here was committed when the write was made; not beyond what the write makes durable. A hint for recovery, which must work without.
    package var commit: LogIndex
    /// The log is whole again: a mark of damage that recovery left may be dropped.
    package var endsRecovery: Bool
}

/// What Raft must remember besides the log (paper, figure 2: persistent state).
package struct HardState: Hashable, Sendable {
    package var term: Term
    package var vote: NodeID?

    package init(term: Term, vote: NodeID?) {
        self.term = term
        self.vote = vote
    }
}

package struct OutgoingMessage: Hashable, Sendable {
    package let message: Message
    /// Not before this write is durable: the message promises what it holds.
    package let after: WriteSequence?

    package init(message: Message, after: WriteSequence?) {
        self.message = message
        self.after = after
    }
}

/// The end of a proposal's story. Each ticket gets exactly one, on the node that it was given to.
package struct ProposalResult: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        /// The entry is committed. The answer is what applying it gives: now, soon, or a moment ago.
        case committed(EntryID)
        /// Not executed, and never will be.
        case refused(Refusal)
        /// It may or may not be executed. Only a retry with the same request id can tell.
        case unknown
    }

    package let ticket: Ticket
    package let outcome: Outcome
}

package enum Refusal: Error, Hashable, Sendable {
    case notLeader(hint: NodeID?)
    case transferring
    case overloaded
    case tooLarge
    case diskStalled
    case featureLevel
    /// ``Command/onlyIfTerm`` names another term.
    case wrongTerm
    /// Another leader's entry was committed in its place.
    case superseded
}

/// The end of a batch of reads. Each ticket gets exactly one.
package enum ReadResult: Hashable, Sendable {
    /// Linearizable once the state machine has applied `at`.
    case ready([Ticket], at: LogIndex)
    /// Nothing was promised; asking again is always safe.
    case failed([Ticket], ReadFailure)
}

package enum ReadFailure: Hashable, Sendable {
    case noLeader
    case leaderChanged
    case overloaded
    case timedOut
}

/// The end of a membership change or a transfer.
package struct CommandResult: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        case done
        case notLeader(hint: NodeID?)
        case membershipRefused(MembershipRefusal)
        case transferRefused(TransferRefusal)
        /// The target did not take over in time; this node leads on.
        case transferTimedOut
        /// This node lost its leadership meanwhile.
        case unknown
    }

    package let ticket: Ticket
    package let outcome: Outcome
}

package enum TransferRefusal: Hashable, Sendable {
    case alreadyLeader
    case notVoter(NodeID)
    case notCaughtUp(NodeID)
    case noTarget
    /// A request for another target took the place of this one.
    case replaced
    /// The target stopped being a voter.
    case targetRemoved
}

package enum SnapshotAction: Hashable, Sendable {
    /// Make an image of the applied state; answer ``Input/snapshotReady(_:)``.
    case make
    /// Nobody is being sent this image any more.
    case release(SnapshotImage)
    /// Read at most `byteCount` bytes and send them as ``Message/Payload/snapshotChunk(_:)``, in `term`.
    case sendChunk(to: NodeID, term: Term, image: SnapshotImage, offset: UInt64, byteCount: Int)
    /// A fetch begins, or goes on at the offset of an earlier life. Staging of any other image may be deleted.
    case beginFetch(SnapshotMeta, offset: UInt64)
    /// Stage the chunk; answer ``Input/snapshotChunkStored(_:next:isComplete:)``.
    case store(SnapshotChunk)
    /// The fetch is over without an installation.
    case discard(SnapshotImage)
    /// After the write `after` is durable: swap the state for the staged image; answer ``Input/snapshotInstalled(_:)``.
    case install(SnapshotMeta, after: WriteSequence)
}

/// What a node is at the moment, for operators and for routing.
package struct Standing: Hashable, Sendable {
    package let role: Role
    package let term: Term
    package let leader: NodeID?
}

package enum Role: Hashable, Sendable {
    case follower, preCandidate, candidate, leader
    /// Not a voter in the membership it knows; follows and does not campaign.
    case learner
    /// Its log was damaged: replicates, never votes, never counts.
    case recovering
    /// Removed from the cluster. Inert; its data stays where it is.
    case retired
}

package enum HaltReason: Hashable, Sendable {
    case violation(Violation)
    case storage(StorageFault)
    /// A committed membership of this generation does not contain this node.
    case retired(generation: UInt64)
}

/// Something that cannot happen while the rules are kept. Finding one means that replicated data must not be trusted on this node.
package enum Violation: Error, Hashable, Sendable {
    case committedEntryRewritten(LogIndex)
    case twoLeaders(Term)
    case unsupportedFeatureLevel(UInt16, at: LogIndex)
    case inconsistent(String)
}
