internal import LMDB
package import Logging
package import OpenSSL
internal import Synchronization

/// Applies committed entries to the state, in order, on a thread of its own that is the only writer of LMDB.
///
/// Each entry is answered as soon as it has been applied inside the open write transaction. The transaction is committed at the
/// thread's own pace: when a reader waits for it, when the queue runs dry, or when it has grown large. Durability is the log's: after
/// a crash the log is replayed from the last commit that survived.
///
/// Safe from any thread.
package final class Applier: Sendable {
    /// An entry of the log that is durable and committed.
    package struct Entry: Sendable {
        package enum Content: Sendable {
            case mutation(Mutation)
            /// A mutation as it stands in a replicated log; the thread opens it.
            case sealed([UInt8])
            /// Moves the position only.
            case noop
            case membership([UInt8])
        }

        package var index: UInt64
        /// 0 in a log without terms.
        package var term: UInt64
        package var content: Content
        /// Length in the log, in bytes.
        package var byteCount: Int
        package var completion: (@Sendable (Result<Outcome, ProposalFailure>) -> Void)?

        package init(
            index: UInt64, term: UInt64, content: Content, byteCount: Int,
            completion: (@Sendable (Result<Outcome, ProposalFailure>) -> Void)? = nil
        ) {
            self.index = index
            self.term = term
            self.content = content
            self.byteCount = byteCount
            self.completion = completion
        }
    }

    /// What others want to hear of. Called on the thread; must not block.
    package struct Listener: Sendable {
        /// Every mutation with its outcome, when it is applied; readers may have to wait for the commit, see ``isVisible(_:)``.
        package var applied: @Sendable (ProposalID, Outcome) -> Void
        /// ``appliedIndex`` or ``removableIndex`` grew. Called once until the next ``acknowledge()``.
        package var advanced: @Sendable () -> Void
        /// The hash of the state after every ``Applier/hashInterval``th entry.
        package var hashed: @Sendable (UInt64, Digest) -> Void

        package init(
            applied: @escaping @Sendable (ProposalID, Outcome) -> Void = { _, _ in }, advanced: @escaping @Sendable () -> Void = {},
            hashed: @escaping @Sendable (UInt64, Digest) -> Void = { _, _ in }
        ) {
            self.applied = applied
            self.advanced = advanced
            self.hashed = hashed
        }
    }

    /// An image that takes the place of the state.
    fileprivate struct Image: Sendable {
        let path: String
        let completion: @Sendable (SnapshotSummary) -> Void
    }

    fileprivate enum Work: Sendable {
        case entry(Entry)
        case install(Image)
    }

    /// Indexes that are multiples of this are the ones at which nodes compare their states.
    package static let hashInterval: UInt64 = 64

    private let queue = WorkQueue<Work>(countMax: .max, byteCountMax: .max)
    private let listener: Listener
    private let isAnnounced = Atomic<Bool>(false)
    private let appliedIndexStorage: Atomic<UInt64>
    private let visibility: Visibility
    private let isClosing = Atomic<Bool>(false)
    private let isStalledStorage = Atomic<Bool>(false)
    private let removableIndexStorage: Atomic<UInt64>
    private let thread = Mutex<WorkerThread?>(nil)

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - appliedIndex: Position of the last entry that is committed and durable.
    ///   - fatal: Called once with a sentence when the state can no longer be written; nothing is applied after that.
    package init(
        stateMachine: any ReplicatedStateMachine, appliedIndex: UInt64, logger: Logger, listener: Listener = Listener(),
        fatal: @escaping @Sendable (String) -> Void
    ) {
        self.listener = listener
        appliedIndexStorage = Atomic(appliedIndex)
        visibility = Visibility(visibleIndex: appliedIndex)
        removableIndexStorage = Atomic(appliedIndex)
        let worker = WorkerThread { [unowned self] in
            // `close` joins this thread before the last reference may go.
            var loop = ApplyLoop(stateMachine: stateMachine, lastCommitted: appliedIndex, logger: logger, owner: self)
            do { try loop.run() } catch { fatal("the state cannot be written: \(error)") }
        }
        thread.withLock { $0 = worker }
    }

    /// Log entries through this position are in a checkpoint that is certainly on disk: they may be removed from the log.
    ///
    /// With `MDB_NOMETASYNC` the last commit may be lost in a crash of the machine, so this is the commit before the last.
    package var removableIndex: UInt64 { removableIndexStorage.load(ordering: .relaxed) }

    /// Everything up to here is applied, and visible to queries or waited for by them.
    package var appliedIndex: UInt64 { appliedIndexStorage.load(ordering: .acquiring) }

    /// Another call of ``Listener/advanced`` is wanted for what comes from now on. Call it before looking at the indexes.
    package func acknowledge() { isAnnounced.store(false, ordering: .sequentiallyConsistent) }

    /// Whether a full disk keeps the state from being written: nothing more should enter the log.
    package var isStalled: Bool { isStalledStorage.load(ordering: .relaxed) }

    /// Takes durable entries, in log order, from one thread.
    package func enqueue(_ entry: Entry) {
        do throws(WorkQueue<Work>.Refusal) {
            try queue.add(.entry(entry))
        } catch {
            // Only after `close`: the entry is durable and will be applied at the next start.
            entry.completion?(.failure(.outcomeUnknown))
        }
    }

    /// Replaces the state by that of an image file, behind what is queued; entries that the image covers are passed over then.
    ///
    /// - Parameter completion: Called on the thread when the new state is durable. A failure is fatal, as the log is the image's already.
    package func install(_ path: String, completion: @escaping @Sendable (SnapshotSummary) -> Void) {
        // After `close` the image is installed at the next start.
        try? queue.add(.install(Image(path: path, completion: completion)))
    }

    /// Applies and commits what is queued, then ends the thread.
    package func close() {
        isClosing.store(true, ordering: .relaxed)
        queue.close()
        thread.withLock { $0.take() }?.join()
    }

    // MARK: Readers

    /// Whether a read transaction that starts now shows every acknowledged change of `secret`.
    package func isVisible(_ secret: SecretKey) -> Bool { visibility.isVisible(secret) }

    /// Calls `body` when a read transaction shows every acknowledged change of `secret`: at once on this thread if it does already,
    /// else on the apply thread after the commit, which this call speeds up. `body` must not block.
    package func whenVisible(_ secret: SecretKey, _ body: @escaping @Sendable () -> Void) { wait(for: secret, body) }

    /// The same for every acknowledged change, for readers of lists.
    package func whenEverythingIsVisible(_ body: @escaping @Sendable () -> Void) { wait(for: nil, body) }

    /// Whether a read transaction that starts now shows every acknowledged change.
    package var isEverythingVisible: Bool { visibility.isVisible(nil) }

    private func wait(for secret: SecretKey?, _ body: @escaping @Sendable () -> Void) {
        if visibility.isVisible(secret) || visibility.wait(for: secret, body) == .notNeeded { return body() }
        queue.nudge()
    }

    /// The same for one secret, or for every acknowledged change if `nil`, for those who would rather know than wait: `body` gets false
    /// when a full disk keeps the change from being written, which may last.
    package func whenVisibleOrStalled(_ secret: SecretKey?, _ body: @escaping @Sendable (_ isVisible: Bool) -> Void) {
        if visibility.isVisible(secret) { return body(true) }
        switch visibility.wait(for: secret, { body(true) }, onStall: { body(false) }) {
        case .notNeeded: body(true)
        case .stalled: body(false)
        case .begun: queue.nudge()
        }
    }

    // MARK: For the thread

    /// Waits for entries; see `WorkQueue.takeAll`.
    fileprivate func take(waiting milliseconds: Int?) -> (elements: [Work], isClosed: Bool) { queue.takeAll(waiting: milliseconds) }
    fileprivate func didApply(_ index: UInt64, touching secret: SecretKey?) {
        visibility.applied(index, touching: secret)
        appliedIndexStorage.store(index, ordering: .releasing)
    }
    fileprivate func tell(_ mutation: Mutation, _ outcome: Outcome) { listener.applied(mutation.id, outcome) }
    fileprivate func tellHash(_ hash: Digest, at index: UInt64) { listener.hashed(index, hash) }
    fileprivate func announce() {
        if !isAnnounced.exchange(true, ordering: .sequentiallyConsistent) { listener.advanced() }
    }
    fileprivate func didCommit() { visibility.committed() }
    fileprivate var hasWaiters: Bool { visibility.hasWaiters }
    fileprivate var isAskedToStop: Bool { isClosing.load(ordering: .relaxed) }
    fileprivate func setRemovableIndex(_ index: UInt64) { removableIndexStorage.store(index, ordering: .relaxed) }
    /// Returns whether this is news.
    fileprivate func setStalled(_ isStalled: Bool) -> Bool {
        if isStalled { visibility.stalled() }
        return isStalledStorage.exchange(isStalled, ordering: .relaxed) != isStalled
    }
}

/// What the apply thread does; its state is never seen by another.
private struct ApplyLoop: ~Copyable {
    /// Largest transaction, in entries and in bytes of entries.
    private static let entriesPerCommitMax = 2_048
    private static let bytesPerCommitMax = 8 << 20
    /// How long an idle thread waits for more before it commits, in milliseconds.
    private static let idleMilliseconds = 20
    /// How long to wait before a commit that met a full disk is tried again, in milliseconds.
    private static let retryMilliseconds = 100

    private let stateMachine: any ReplicatedStateMachine
    private let logger: Logger
    private unowned let owner: Applier

    private var transaction: WriteTransaction?
    private var lastCommitted: UInt64
    /// Taken from the queue, not applied yet.
    private var waiting: ArraySlice<Applier.Work> = []
    /// Applied since the last commit; applied again if the commit fails.
    private var uncommitted: [Applier.Entry] = []
    private var uncommittedByteCount = 0
    /// Of the entry that is being applied.
    private var completion: (@Sendable (Result<Outcome, ProposalFailure>) -> Void)?
    /// The node stops while the disk is full: the rest is the log's, until the next start.
    private var isAbandoned = false

    init(stateMachine: any ReplicatedStateMachine, lastCommitted: UInt64, logger: Logger, owner: Applier) {
        self.stateMachine = stateMachine
        self.lastCommitted = lastCommitted
        self.logger = logger
        self.owner = owner
    }

    mutating func run() throws {
        while !isAbandoned {
            let (works, isClosed) = owner.take(waiting: uncommitted.isEmpty ? nil : Self.idleMilliseconds)
            waiting = works[...]
            while !isAbandoned, let work = waiting.popFirst() {
                switch work {
                case .entry(let entry): try apply(entry)
                case .install(let image): try install(image)
                }
                if uncommitted.count >= Self.entriesPerCommitMax || uncommittedByteCount >= Self.bytesPerCommitMax { try commit() }
            }
            if works.isEmpty || owner.hasWaiters { try commit() }
            if isClosed && works.isEmpty { return }
        }
        // An image among them is installed at the next start.
        try keepUnanswered(waiting + owner.take(waiting: 0).elements)
    }

    private mutating func apply(_ sealed: Applier.Entry) throws {
        // Covered by an image that was installed meanwhile.
        guard sealed.index > owner.appliedIndex else { return }
        let entry = try opened(sealed)
        keep(entry)
        completion = entry.completion
        var outcome: Outcome?
        var isUncommitted = true
        do {
            var open = if let open = transaction.take() { open } else { try stateMachine.environment.beginWrite() }
            outcome = try stateMachine.apply(entry, in: &open)
            if entry.index % Applier.hashInterval == 0 { owner.tellHash(try stateMachine.stateHash(in: open), at: entry.index) }
            transaction = consume open
        } catch let error as LMDBError {
            (outcome, isUncommitted) = try recover(from: error)
        }
        guard isUncommitted else { return }
        if case .mutation(let mutation) = entry.content, let outcome {
            owner.didApply(entry.index, touching: mutation.touchedSecret)
            answer(.success(outcome))
            owner.tell(mutation, outcome)
        } else {
            owner.didApply(entry.index, touching: nil)
        }
        owner.announce()
    }

    private mutating func install(_ image: Applier.Image) throws {
        try commit()
        guard !isAbandoned else { return }
        let summary = try stateMachine.install(snapshot: image.path)
        lastCommitted = summary.head.header.position.appliedIndex
        owner.setRemovableIndex(lastCommitted)
        owner.didApply(lastCommitted, touching: nil)
        owner.didCommit()
        image.completion(summary)
    }

    private mutating func commit() throws {
        while !uncommitted.isEmpty, !isAbandoned {
            guard let open = transaction.take() else { preconditionFailure("what is not committed was applied in an open transaction") }
            do throws(LMDBError) {
                try open.commit()
                didCommit()
            } catch {
                _ = try recover(from: error)
            }
        }
    }

    private mutating func didCommit() {
        owner.setRemovableIndex(lastCommitted)
        if let last = uncommitted.last { lastCommitted = last.index }
        uncommitted.removeAll(keepingCapacity: true)
        uncommittedByteCount = 0
        owner.didCommit()
        owner.announce()
    }

    private mutating func answer(_ result: Result<Outcome, ProposalFailure>) {
        completion?(result)
        completion = nil
    }

    private func opened(_ sealed: Applier.Entry) throws -> Applier.Entry {
        guard case .sealed(let bytes) = sealed.content else { return sealed }
        var entry = sealed
        entry.content = .mutation(try stateMachine.openMutation(bytes))
        return entry
    }

    private mutating func keep(_ entry: Applier.Entry) {
        var durable = entry
        durable.completion = nil
        uncommitted.append(durable)
        uncommittedByteCount += entry.byteCount
    }

    /// Keeps entries to be applied when there is room; their callers, and the one being served, need not wait for that.
    private mutating func keepUnanswered(_ works: ArraySlice<Applier.Work>) throws {
        answer(.failure(.outcomeUnknown))
        for case .entry(let entry) in works where entry.index > owner.appliedIndex {
            keep(try opened(entry))
            entry.completion?(.failure(.outcomeUnknown))
        }
    }

    // MARK: Trouble

    /// Applies everything since the last commit again in a fresh transaction, once there is room.
    ///
    /// The outcomes are the ones that were already given out, since `apply` is deterministic.
    ///
    /// - Returns: The outcome of the last entry, which is not committed yet, if it has one; false if a full disk kept everybody waiting: then
    ///   all is committed, or abandoned because the node stops.
    private mutating func recover(from first: LMDBError) throws -> (outcome: Outcome?, isUncommitted: Bool) {
        var error = first
        var hasStalled = false
        while true {
            switch error.code {
            case .mapFull:
                let statistics = try stateMachine.environment.statistics()
                try stateMachine.environment.growMap(toAtLeast: statistics.mapSizeBytes * 2)
            case .diskFull:
                hasStalled = true
                try waitForSpace()
                if isAbandoned { return (nil, false) }
            default: throw error
            }
            do {
                let outcomes = try applyAgain()
                guard hasStalled else { return (outcomes.last?.outcome, true) }
                try commitAfterStall()
                for (mutation, outcome) in outcomes { owner.tell(mutation, outcome) }
                return (nil, false)
            } catch let next as LMDBError {
                error = next
            }
        }
    }

    private mutating func applyAgain() throws -> [(mutation: Mutation, outcome: Outcome)] {
        var outcomes: [(Mutation, Outcome)] = []
        var open = try stateMachine.environment.beginWrite()
        for entry in uncommitted {
            let outcome = try stateMachine.apply(entry, in: &open)
            if case .mutation(let mutation) = entry.content, let outcome { outcomes.append((mutation, outcome)) }
        }
        transaction = consume open
        return outcomes
    }

    private mutating func waitForSpace() throws {
        if owner.setStalled(true) { logger.warning("the disk is full: the state waits for space, new writes are refused") }
        let works = waiting + owner.take(waiting: Self.retryMilliseconds).elements
        // An image waits for its turn, and what is behind it too.
        let end = works.firstIndex { if case .install = $0 { true } else { false } } ?? works.endIndex
        try keepUnanswered(works[..<end])
        waiting = works[end...]
        isAbandoned = owner.isAskedToStop
    }

    /// Commits at once, so that nobody hears of space that is not there.
    private mutating func commitAfterStall() throws(LMDBError) {
        guard let open = transaction.take() else { preconditionFailure("a transaction was opened a line above") }
        try open.commit()
        if let last = uncommitted.last { owner.didApply(last.index, touching: nil) }
        didCommit()
        if owner.setStalled(false) { logger.notice("the disk has room again: the state is written") }
    }
}
