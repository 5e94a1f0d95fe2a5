internal import Keyring
package import Logging
package import NIOCore
package import Raft
package import SecretStore
internal import Synchronization
internal import WriteAheadLog

/// One member of a cluster: the consensus core with its log, its state machine and its links, behind the protocol that the API asks.
///
/// A cluster of one is one member that needs no peers. Safe from any thread, but where it says otherwise.
package final class Node: ReplicatedLog {
    package let id: NodeID
    /// Readers ask it when they see what was acknowledged.
    package let applier: Applier
    /// What the node is at the moment.
    package let board: NodeBoard
    package let eventLoop: any EventLoop

    private let settings: NodeSettings
    private let keyring: Keyring
    private let space: DiskSpace
    private let book: ProposalBook
    private let intake: Intake
    private let log: LogThread<PosixLogDirectory>
    private let snapshots: SnapshotDepot
    private let driver: NIOLoopBound<RaftDriver>
    private let clusterDiskLow = Atomic<Bool>(false)

    /// What others want to know of a node. Called on the node's event loop; must not block.
    package struct Listener: Sendable {
        /// The node stops for good, and the process should end.
        package var halted: @Sendable (HaltReason) -> Void
        package var standingChanged: @Sendable (Standing) -> Void = { _ in }
        /// A membership was committed; also the one in force at the start.
        package var membershipCommitted: @Sendable (MembershipRecord) -> Void = { _ in }

        package init(halted: @escaping @Sendable (HaltReason) -> Void) { self.halted = halted }
    }

    /// Opens log and state, and drives the core from then on.
    ///
    /// - Parameters:
    ///   - eventLoop: Where the core lives. It must not be blocked by anything else.
    ///   - peers: Makes the links, on the event loop; what they receive goes to ``receive(_:)``.
    ///   - fatal: Called once, with a sentence, when a disk can no longer be written: the process must end without another acknowledgement.
    /// - Throws: ``NodeProblem``, `LogProblem`, `RecoveryProblem`, ``StoreError``, `LMDBError`: the node does not start, and nothing was changed.
    static func start(
        _ settings: NodeSettings, store: SecretStore, eventLoop: any EventLoop, logger: Logger, listener: Listener,
        hashes: StateHashes = StateHashes(), fatal: @escaping @Sendable (String) -> Void, peers: @escaping @Sendable (Node) throws -> (any PeerSender)?
    ) async throws -> Node {
        let opened = try OpenedLog(settings, store: store, logger: logger)
        return try await eventLoop.submit {
            try Node(settings, opened, store: store, eventLoop: eventLoop, logger: logger, listener: listener, hashes: hashes, fatal: fatal, peers: peers)
        }.get()
    }

    /// On the event loop.
    private init(
        _ settings: NodeSettings, _ opened: OpenedLog, store: SecretStore, eventLoop: any EventLoop, logger: Logger, listener: Listener,
        hashes: StateHashes, fatal: @escaping @Sendable (String) -> Void, peers: (Node) throws -> (any PeerSender)?
    ) throws {
        self.settings = settings
        id = settings.id
        keyring = store.keyring
        self.eventLoop = eventLoop
        space = DiskSpace(path: settings.logDirectory, reserveByteCount: settings.reserveFreeByteCount)
        let core = try RaftCore(
            id: settings.id, incarnation: settings.incarnation, settings: settings.raft, recovered: opened.state, now: BootClock.now)
        let book = ProposalBook(countMax: settings.proposalsMax, byteCountMax: settings.proposalBytesMax)
        let intake = Intake(readCountMax: settings.readsMax)
        let board = NodeBoard()
        let post = DriverPost(eventLoop: eventLoop)
        // What waits for the disk is bounded by the core: by what a leader leaves uncommitted, and by what it has under way to a follower.
        let log = LogThread(opened.take(), byteCountMax: .max) { event in post.run { $0.logSays(event) } }
        let applier = Applier(
            stateMachine: store, appliedIndex: opened.state.applied.raw, logger: logger,
            listener: Applier.Listener(applied: { book.applied($0, $1) }, advanced: { post.run { $0.applierAdvanced() } }, hashed: { hashes.add($1, at: $0) }),
            fatal: fatal)
        let snapshots = SnapshotDepot(
            directory: settings.snapshotDirectory, store: store, id: settings.id, founding: settings.founding, logger: logger
        ) { news in
            post.run { driver in
                switch news {
                case .input(let input): driver.step(input)
                case .message(let message): driver.peers?.send(message)
                }
            }
        }
        let driver = RaftDriver(
            core: core, log: log, applier: applier, book: book, intake: intake, board: board, snapshots: snapshots, eventLoop: eventLoop,
            logger: logger)
        self.book = book
        self.intake = intake
        self.board = board
        self.log = log
        self.applier = applier
        self.snapshots = snapshots
        self.driver = NIOLoopBound(driver, eventLoop: eventLoop)
        post.deliver(to: driver)
        driver.onHalt = listener.halted
        driver.onStanding = listener.standingChanged
        driver.onMembership = listener.membershipCommitted
        driver.peers = try peers(self)
        driver.start()
    }

    /// A node without links to others: a cluster of one.
    package static func start(
        _ settings: NodeSettings, store: SecretStore, eventLoop: any EventLoop, logger: Logger, fatal: @escaping @Sendable (String) -> Void
    ) async throws -> Node {
        try await start(
            settings, store: store, eventLoop: eventLoop, logger: logger, listener: Listener { fatal("the node halts: \($0)") }, fatal: fatal,
            peers: { _ in nil })
    }

    // MARK: The replicated log

    package func propose(_ mutation: Mutation, completion: @escaping @Sendable (Result<Outcome, ProposalFailure>) -> Void) {
        if isDiskLow || clusterDiskLow.load(ordering: .relaxed) { return completion(.failure(.diskFull)) }
        var mutation = mutation
        mutation.basis = max(applier.appliedIndex, 1)
        let sealed = keyring.sealLogEntry(mutation.encode().span.bytes)
        let deadline = BootClock.now + .milliseconds(settings.requestMilliseconds)
        let proposal = ProposalBook.Proposal(command: Raft.Command(sealed), deadline: deadline, completion: completion)
        guard book.open(mutation.id, proposal) else { return completion(.failure(.overloaded)) }
        switch intake.add(mutation.id, deadline: deadline) {
        case .first: wake()
        case .more: break
        case .refusedFull: book.fail(mutation.id, .overloaded)
        case .refusedClosed: book.fail(mutation.id, .stopping)
        }
    }

    package func readBarrier(completion: @escaping @Sendable (Result<Void, ProposalFailure>) -> Void) {
        if board.isReadableNow { return completion(.success(())) }
        let deadline = BootClock.now + .milliseconds(settings.requestMilliseconds)
        switch intake.add(Intake.Read(deadline: deadline, completion: completion)) {
        case .first: wake()
        case .more: break
        case .refusedFull: completion(.failure(.overloaded))
        case .refusedClosed: completion(.failure(.stopping))
        }
    }

    package var isReadableNow: Bool { board.isReadableNow }

    private func wake() { onLoop { $0.takeIntake() } }

    // MARK: Peers

    /// A message of an authenticated peer. On the event loop.
    package func receive(_ message: Message) { driver.value.step(.message(message)) }

    /// A link to a peer opened or broke. On the event loop.
    package func connectionChanged(to node: NodeID, isUp: Bool) { driver.value.step(.peerConnection(node, isUp: isUp)) }

    // MARK: The operator's

    /// From any thread; completes on the event loop.
    package func change(_ change: MembershipChange) -> EventLoopFuture<CommandResult.Outcome> {
        eventLoop.flatSubmit { [driver] in driver.value.change(change) }
    }

    /// From any thread; completes on the event loop.
    ///
    /// - Parameter target: Nil for the voter that has caught up best.
    package func transferLeadership(to target: NodeID?) -> EventLoopFuture<CommandResult.Outcome> {
        eventLoop.flatSubmit { [driver] in driver.value.transferLeadership(to: target) }
    }

    /// Proposals of this node's clients that have no outcome yet.
    package var openProposalCount: Int { book.count }

    // MARK: The disk

    /// Free bytes on the log's file system; nil if it cannot tell.
    package var freeByteCount: Int? { space.freeByteCount }
    /// Whether less than the reserve is free here.
    package var isDiskLow: Bool { space.isLow || applier.isStalled }

    /// Some member has too little space: no node takes writes until it has, so that none of them fails to apply one.
    func setClusterDiskLow(_ isLow: Bool) { clusterDiskLow.store(isLow, ordering: .relaxed) }

    // MARK: The end

    /// Refuses what comes from now on, makes what was handed to the log durable and what is committed applied, and ends the threads.
    package func close() async {
        intake.close()
        try? await eventLoop.submit { [driver] in driver.value.stop() }.get()
        log.close()
        snapshots.close()
        applier.close()
    }

    private func onLoop(_ body: @escaping @Sendable (RaftDriver) -> Void) {
        eventLoop.execute { [driver] in body(driver.value) }
    }
}

/// Brings other threads' news to the driver, which does not exist yet when they are made.
private final class DriverPost: Sendable {
    private let eventLoop: any EventLoop
    private let box: NIOLoopBoundBox<RaftDriver?>

    /// On the event loop.
    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        box = NIOLoopBoundBox(nil, eventLoop: eventLoop)
    }

    func deliver(to driver: RaftDriver) { box.value = driver }

    func run(_ body: @escaping @Sendable (RaftDriver) -> Void) {
        eventLoop.execute { [box] in
            if let driver = box.value { body(driver) }
        }
    }
}
