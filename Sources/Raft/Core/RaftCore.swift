/// One member of a Raft cluster as a value: something happens, ``step(_:now:log:rng:into:)`` says what to do about it.
///
/// Holds no clock, no file, no socket, no thread and no randomness. The same state and the same inputs give the same effects, in every
/// process. A copy is an independent fork of the state. Not thread-safe by itself: one owner calls it.
///
/// Each step has two halves. The first *reacts*: state changes, and answers are queued. The second *settles*: a leader sends its followers what
/// they lack, what became applicable is handed over, and all that must be on disk leaves as one ``LogWrite``. So the log view and
/// the random numbers are used in one place each, and everything one step decides shares one sync.
///
/// Sections cited are those of the Raft paper ("In Search of an Understandable Consensus Algorithm", extended version) and of Ongaro's thesis.
package struct RaftCore: Sendable {
    package let id: NodeID
    package let settings: Settings
    package let incarnation: Incarnation

    // MARK: Durable (paper, figure 2), as of the newest write handed out

    package internal(set) var hardState: HardState
    var shape: LogShape
    var tail = UnstableTail()
    /// Every membership in the log that can still be rolled back to, ascending; never empty. The last is in force.
    package internal(set) var memberships: [MembershipRecord]

    // MARK: Progress

    package internal(set) var commit: LogIndex
    /// The end of what was given to the apply thread.
    var handedOver: LogIndex
    package internal(set) var applied: LogIndex
    var stateDurable: LogIndex
    /// No campaign before the state machine has caught up with what was committed at the start.
    let replayTarget: LogIndex

    // MARK: Role

    /// What this node does in its term, with all that belongs only to that.
    enum State: Sendable {
        case following
        case campaigning(Ballot)
        case leading(Leadership)
    }
    var state = State.following
    package internal(set) var leader: NodeID?
    var lastLeader: NodeID?
    var lastLeaderContact: Instant?
    var recovery: Recovery?
    var followerReads = FollowerReads()
    var proposals = PendingProposals()
    var fetch: SnapshotFetch?
    var installing: SnapshotMeta?
    /// What an earlier life had staged of an image.
    var stagedEarlier: SnapshotFetch.Staged?
    /// The highest entry that this term's leader is known to share with us.
    var matchedWithLeader = LogIndex.zero

    // MARK: Time

    /// The latest reading of the clock; never goes back.
    var clock: Instant
    let startedAt: Instant
    var electionDeadline: Instant
    /// The election timer restarts when the step settles.
    var restartsElectionTimer = true

    // MARK: Writes

    var lastIssued = WriteSequence.zero
    var lastDurable = WriteSequence.zero
    /// When unfinished writes were handed out, to notice a stalled disk.
    var writeMarks = Queue<WriteMark>()
    /// The write that this step is putting together.
    var pendingWrite: LogWrite?

    // MARK: Counters of this life

    var readEpoch: UInt64 = 0
    var nextRequest: UInt64 = 1
    var nextForward: UInt64 = 1
    /// The term that this life began in: what it did in terms up to here is not known to it.
    let firstTerm: Term
    /// The newest term that this life led.
    var lastLedTerm: Term?

    // MARK: Within a step

    var out = Effects()
    var announced: Standing?
    package internal(set) var halted: HaltReason?
    #if CONCLAVE_MUTANTS
    /// The one rule that this core breaks.
    package var plantedFault: PlantedFault?
    #endif

    struct WriteMark: Sendable {
        var through: WriteSequence
        let issuedAt: Instant
    }

    /// Makes a core from what the disks hold. Follow with one ``Input/tick``.
    ///
    /// - Parameter now: Reading of the clock that every later `now` continues.
    /// - Throws: ``RecoveryProblem`` when log, state and votes do not fit together.
    package init(
        id: NodeID, incarnation: Incarnation, settings: Settings, recovered: RecoveredState, now: Instant
    ) throws(RecoveryProblem) {
        try recovered.validate(settings)
        self.id = id
        self.incarnation = incarnation
        self.settings = settings
        hardState = recovered.hardState
        firstTerm = recovered.hardState.term
        shape = LogShape(
            compactedThrough: recovered.compactedThrough, runs: recovered.termRuns, lastIndex: recovered.lastIndex)
        memberships = recovered.memberships
        commit = recovered.commit
        handedOver = recovered.applied
        applied = recovered.applied
        stateDurable = recovered.stateDurable
        replayTarget = recovered.commit
        recovery = recovered.isDamaged ? Recovery() : nil
        stagedEarlier = recovered.staged.map { SnapshotFetch.Staged(image: $0.meta.image, offset: $0.offset) }
        clock = now
        startedAt = now
        electionDeadline = now
        // Alone there is nobody to wait for.
        restartsElectionTimer = recovered.memberships.last?.membership.allVoters != [id]
    }

    /// The only way in. Total: it never throws and never blocks.
    ///
    /// - Parameters:
    ///   - now: The node's clock. A reading before an earlier one counts as that one.
    ///   - log: Bodies of durable entries; read only while the step settles.
    ///   - rng: Asked once for each restart of the election timer, for nothing else.
    ///   - effects: Overwritten. Its buffers are used again, so keep one per node.
    package mutating func step(
        _ input: Input, now: Instant, log: borrowing some LogView, rng: inout some RandomNumberGenerator,
        into effects: inout Effects
    ) {
        effects.removeAll()
        guard halted == nil else { return }
        clock = max(clock, now)
        swap(&out, &effects)
        react(to: input)
        if halted == nil { settle(log: log, rng: &rng) }
        if let halted { stop(halted) }
        swap(&out, &effects)
    }

    private mutating func react(to input: Input) {
        switch input {
        case .tick: tick()
        case .message(let message): receive(message)
        case .propose(let batch): propose(batch)
        case .read(let tickets): read(tickets)
        case .changeMembership(let change, let ticket): changeMembership(change, ticket: ticket)
        case .transferLeadership(let target, let ticket): transferLeadership(to: target, ticket: ticket)
        case .campaign: campaignOnRequest()
        case .logDurable(let sequence): logBecameDurable(upTo: sequence)
        case .logFailed(_, let fault): halt(.storage(fault))
        case .logFetched: logWasFetched()
        case .applied(let index): applied = max(applied, min(index, handedOver))
        case .stateDurable(let index): stateBecameDurable(upTo: index)
        case .snapshotReady(let meta): snapshotIsReady(meta)
        case .snapshotUnavailable: snapshotIsUnavailable()
        case .snapshotChunkStored(let image, let next, let isComplete): chunkWasStored(image, next: next, isComplete: isComplete)
        case .snapshotFailed(let image, let fault): snapshotFailed(image, fault)
        case .snapshotInstalled(let image): snapshotWasInstalled(image)
        case .peerConnection(let node, let isUp): connectionChanged(to: node, isUp: isUp)
        }
    }

    private mutating func settle(log: borrowing some LogView, rng: inout some RandomNumberGenerator) {
        if isLeader { replicate(log: log) }
        if !isLeader { askForReads() }
        if restartsElectionTimer {
            restartsElectionTimer = false
            let jitter = Interval(nanoseconds: rng.next() % settings.electionTimeout.nanoseconds)
            electionDeadline = clock + settings.electionTimeout + jitter
        }
        handOver()
        issueWrite()
        announceStanding()
    }

    /// The next moment at which a ``Input/tick`` has something to do. Ask again after every step.
    package var nextDeadline: Instant? {
        guard halted == nil else { return nil }
        return deadlines.min()
    }

    // MARK: Asking

    package var term: Term { hardState.term }
    package var lastEntry: EntryID { shape.last }
    package var firstIndex: LogIndex { shape.firstIndex }
    package func term(at index: LogIndex) -> Term? { shape.term(at: index) }

    /// The end of the log that is known to be on this node's disk.
    package var durableIndex: LogIndex { tail.firstIndex?.previous ?? shape.lastIndex }

    /// The membership in force: the newest in the log, committed or not (paper §6).
    package var membership: Membership { memberships[forceIndex].membership }

    /// The newest membership that is committed.
    package var committedMembership: MembershipRecord {
        memberships.last { $0.index <= commit } ?? memberships[0]
    }

    private var forceIndex: Int {
        if isPlanted(.membershipAppliedOnCommit) { return memberships.lastIndex { $0.index <= commit } ?? 0 }
        return memberships.count - 1
    }

    var isLeader: Bool {
        if case .leading = state { true } else { false }
    }

    /// What this node is now.
    package var role: Role {
        if case .retired = halted { return .retired }
        switch state {
        case .leading: return .leader
        case .campaigning(let ballot): return ballot.kind == .pre ? .preCandidate : .candidate
        case .following:
            if recovery != nil { return .recovering }
            return membership.isVoter(id) ? .follower : .learner
        }
    }

    /// The leader's part of the state, changed in place.
    var leadership: Leadership {
        get {
            guard case .leading(let leadership) = state else { preconditionFailure("only a leader has this state") }
            return leadership
        }
        _modify {
            guard case .leading(var leadership) = state else { preconditionFailure("only a leader has this state") }
            // Gives up the enum's reference, so that the arrays inside are changed and not copied.
            state = .following
            defer { state = .leading(leadership) }
            yield &leadership
        }
    }

    /// Whether a rule is broken on purpose in this build; see ``PlantedFault``.
    #if CONCLAVE_MUTANTS
    func isPlanted(_ fault: PlantedFault) -> Bool { plantedFault == fault }
    #else
    @inline(__always) func isPlanted(_ fault: PlantedFault) -> Bool { false }
    #endif
}
