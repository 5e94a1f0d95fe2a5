internal import Logging
internal import NIOCore
internal import Raft
internal import SecretStore
internal import WriteAheadLog
internal import enum WriteAheadLog.LogEvent

/// Gives a core its inputs, one at a time, and carries out its effects: the only place where the core meets time, disk and network.
///
/// Everything here happens on one event loop, and between an input and its effects there is no wait. What may block is done by others, which
/// come back with an input: the log thread, the apply thread, the thread of the snapshots.
final class RaftDriver {
    let id: NodeID
    let eventLoop: any EventLoop
    let logger: Logger
    private(set) var core: RaftCore
    private var effects = Effects()
    private var rng = SystemRandomNumberGenerator()
    private let log: LogThread<PosixLogDirectory>
    let applier: Applier
    let book: ProposalBook
    let intake: Intake
    let board: NodeBoard
    private let snapshots: SnapshotDepot
    var peers: (any PeerSender)?
    /// Told when the core stops for good.
    var onHalt: (HaltReason) -> Void = { _ in }
    /// Told about every change of role, term or leader.
    var onStanding: (Standing) -> Void = { _ in }
    /// Told about every membership that is committed, and once at the start.
    var onMembership: (MembershipRecord) -> Void = { _ in }

    /// Messages that promise a write, in the order of the writes.
    private var heldMessages: [OutgoingMessage] = []
    private var heldInstall: (meta: SnapshotMeta, after: WriteSequence)?
    /// Committed and not handed to the apply thread.
    private var applyQueue: [ClosedRange<LogIndex>] = []
    private var isFetchingForApply = false
    private var handedToApplier = LogIndex.zero
    private var stateDurable = LogIndex.zero
    private(set) var appliedIndex = LogIndex.zero
    /// The newest round of reads that was confirmed: see ``NodeBoard/isReadableNow``.
    private var confirmed: (term: Term, index: LogIndex)?

    private var timer: Scheduled<Void>?
    private var timerAt = Instant.zero
    private var sweep: RepeatedTask?

    var reads = PendingReads()
    var attempts = OpenAttempts()
    var commands: [Ticket: EventLoopPromise<CommandResult.Outcome>] = [:]
    private var lastTicket: UInt64 = 0
    private var isStopped = false

    /// How much is handed to the apply thread ahead of what it has done, in entries.
    private static let applyAheadMax: UInt64 = 8_192
    /// How much is read from the log's memory at once for the apply thread, in bytes.
    private static let applyBatchByteCount = 1 << 20
    /// How often waiting requests are looked through, in milliseconds.
    private static let sweepMilliseconds: Int64 = 50

    init(
        core: RaftCore, log: LogThread<PosixLogDirectory>, applier: Applier, book: ProposalBook, intake: Intake, board: NodeBoard,
        snapshots: SnapshotDepot, eventLoop: any EventLoop, logger: Logger
    ) {
        id = core.id
        self.core = core
        self.log = log
        self.applier = applier
        self.book = book
        self.intake = intake
        self.board = board
        self.snapshots = snapshots
        self.eventLoop = eventLoop
        self.logger = logger
        appliedIndex = core.applied
        handedToApplier = core.applied
        stateDurable = core.applied
    }

    func start() {
        board.update(from: core)
        onMembership(core.committedMembership)
        step(.tick)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        sweep = eventLoop.scheduleRepeatedTask(
            initialDelay: .milliseconds(Self.sweepMilliseconds), delay: .milliseconds(Self.sweepMilliseconds)
        ) { _ in bound.value.sweepRequests() }
    }

    /// No input is taken from now on; what waits is told so.
    func stop() {
        guard !isStopped else { return }
        isStopped = true
        timer?.cancel()
        sweep?.cancel()
        for read in reads.takeAll() { read.completion(.failure(.stopping)) }
        for promise in commands.values { promise.succeed(.unknown) }
        commands = [:]
        attempts.markInFlight(in: book)
        book.failAll(.stopping)
    }

    func nextTicket() -> Ticket {
        lastTicket += 1
        return Ticket(lastTicket)
    }

    // MARK: Steps

    func step(_ input: Input) {
        guard !isStopped else { return }
        core.step(input, now: BootClock.now, log: log.tail, rng: &rng, into: &effects)
        perform()
        planTimer()
    }

    private func perform() {
        if let write = effects.write, !log.submit(write) {
            // The thread refuses only once its log is dead, which it has reported.
            logger.debug("a write comes after the end of the log thread")
        }
        for outgoing in effects.messages {
            if outgoing.after == nil { peers?.send(outgoing.message) } else { heldMessages.append(outgoing) }
        }
        if let range = effects.apply {
            applyQueue.append(range)
            feedApplier()
        }
        for result in effects.proposals { conclude(result) }
        for result in effects.reads { conclude(result) }
        for result in effects.commands { commands.removeValue(forKey: result.ticket)?.succeed(result.outcome) }
        for action in effects.snapshots { perform(action) }
        if let index = effects.compactBefore { log.compact(before: index) }
        if let index = effects.prefetch { log.prefetch(from: index) }
        if let record = effects.committedMembership { onMembership(record) }
        if effects.standing != nil || effects.committedMembership != nil {
            board.update(from: core)
            updateReadability()
        }
        if let standing = effects.standing { standingChanged(standing) }
        if let reason = effects.halt { onHalt(reason) }
    }

    private func standingChanged(_ standing: Standing) {
        logger.info(
            "standing changed",
            metadata: ["role": "\(standing.role)", "term": "\(standing.term)", "leader": "\(standing.leader.map(\.description) ?? "none")"])
        onStanding(standing)
        guard standing.leader != nil else { return }
        // Not within a step.
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { bound.value.askParked() }
    }

    private func planTimer() {
        guard let deadline = core.nextDeadline else { return }
        let now = BootClock.now
        if timer != nil, timerAt <= deadline, timerAt > now { return }
        timer?.cancel()
        timerAt = max(deadline, now)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        timer = eventLoop.scheduleTask(in: .nanoseconds(Int64(deadline.elapsed(since: now).nanoseconds))) {
            bound.value.timer = nil
            bound.value.step(.tick)
        }
    }

    // MARK: The log thread's news

    func logSays(_ event: LogEvent) {
        switch event {
        case .durable(let sequence):
            step(.logDurable(sequence))
            releaseMessages(through: sequence)
            if let install = heldInstall, install.after <= sequence {
                heldInstall = nil
                beginInstall(install.meta)
            }
        case .fetched:
            isFetchingForApply = false
            feedApplier()
            step(.logFetched)
        case .failed(let fault):
            logger.critical("the log failed: the node stops", metadata: ["error": "\(fault)"])
            step(.logFailed(.zero, fault == .noSpace ? .noSpace : .io(errno: 0)))
        }
    }

    private func releaseMessages(through sequence: WriteSequence) {
        let count = heldMessages.firstIndex { ($0.after ?? .zero) > sequence } ?? heldMessages.count
        guard count > 0 else { return }
        for outgoing in heldMessages[..<count] { peers?.send(outgoing.message) }
        heldMessages.removeFirst(count)
    }

    // MARK: The apply thread

    /// Hands committed entries on, not too far ahead of what is applied.
    private func feedApplier() {
        while let range = applyQueue.first, !isFetchingForApply, handedToApplier.distance(from: appliedIndex) < Self.applyAheadMax {
            guard let entries = log.tail.entries(from: range.lowerBound, through: range.upperBound, byteCountMax: Self.applyBatchByteCount),
                let last = entries.last
            else {
                isFetchingForApply = true
                return log.prefetch(from: range.lowerBound)
            }
            for entry in entries { applier.enqueue(Applier.Entry(entry)) }
            handedToApplier = last.index
            if last.index < range.upperBound { applyQueue[0] = last.index.next...range.upperBound } else { applyQueue.removeFirst() }
        }
    }

    /// The apply thread got on: see ``Applier/appliedIndex``.
    func applierAdvanced() {
        applier.acknowledge()
        let applied = LogIndex(applier.appliedIndex)
        let durable = LogIndex(applier.removableIndex)
        if applied > appliedIndex {
            appliedIndex = applied
            attempts.applied(applied)
            feedApplier()
            completeReads()
            step(.applied(applied))
        }
        if durable > stateDurable {
            stateDurable = durable
            step(.stateDurable(durable))
        }
        board.applied(appliedIndex, commit: core.commit)
    }

    // MARK: Reads

    func confirm(_ tickets: [Ticket], at index: LogIndex) {
        reads.confirmed(tickets, at: index)
        confirmed = (core.term, index)
        completeReads()
    }

    private func completeReads() {
        updateReadability()
        for read in reads.take(through: appliedIndex) { read.completion(.success(())) }
    }

    /// A leader without another voter has applied everything that was ever answered, once it has applied what its predecessors answered.
    private func updateReadability() {
        guard let confirmed else { return }
        board.isReadableNow =
            core.role == .leader && core.membership.allVoters == [id] && confirmed.term == core.term && confirmed.index <= appliedIndex
    }

    // MARK: Snapshots

    private func perform(_ action: SnapshotAction) {
        if case .install(let meta, let after) = action {
            // What is queued lies before the snapshot, and its entries leave the log.
            applyQueue.removeAll()
            heldInstall = (meta, after)
        } else {
            snapshots.perform(action)
        }
    }

    private func beginInstall(_ meta: SnapshotMeta) {
        logger.notice("installing a snapshot", metadata: ["last": "\(meta.last)", "bytes": "\(meta.byteCount)"])
        applier.install(snapshots.stagedPath(of: meta.image)) { [eventLoop, bound = NIOLoopBound(self, eventLoop: eventLoop)] _ in
            eventLoop.execute { bound.value.installed(meta.image) }
        }
    }

    /// The state is the snapshot's, durably.
    func installed(_ image: SnapshotImage) {
        appliedIndex = image.last.index
        handedToApplier = image.last.index
        stateDurable = image.last.index
        attempts.installed(image.last.index)
        step(.snapshotInstalled(image))
        snapshots.perform(.discard(image))
        completeReads()
        board.applied(appliedIndex, commit: core.commit)
    }
}
