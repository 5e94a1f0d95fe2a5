internal import LMDB
internal import Logging
internal import Synchronization

/// Applies durable entries to the state, in order, on a thread of its own that is the only writer of LMDB.
///
/// Each entry is answered as soon as it has been applied inside the open write transaction. The transaction is committed at the
/// thread's own pace: when a reader waits for it, when the queue runs dry, or when it has grown large. Durability is the log's: after
/// a crash the log is replayed from the last commit that survived.
///
/// Safe from any thread.
package final class Applier: Sendable {
    /// An entry of the log that is durable.
    struct Entry: Sendable {
        var index: UInt64
        var mutation: Mutation
        /// Length of the sealed entry, in bytes.
        var byteCount: Int
        var completion: (@Sendable (Result<Outcome, ProposalFailure>) -> Void)?
    }

    private let queue = WorkQueue<Entry>(countMax: .max, byteCountMax: .max)
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
    init(
        stateMachine: any ReplicatedStateMachine, appliedIndex: UInt64, logger: Logger, fatal: @escaping @Sendable (String) -> Void
    ) {
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
    var removableIndex: UInt64 { removableIndexStorage.load(ordering: .relaxed) }

    /// Whether a full disk keeps the state from being written: nothing more should enter the log.
    var isStalled: Bool { isStalledStorage.load(ordering: .relaxed) }

    /// Takes durable entries, in log order, from one thread.
    func enqueue(_ entry: Entry) {
        do throws(WorkQueue<Entry>.Refusal) {
            try queue.add(entry)
        } catch {
            // Only after `close`: the entry is durable and will be applied at the next start.
            entry.completion?(.failure(.outcomeUnknown))
        }
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
    fileprivate func take(waiting milliseconds: Int?) -> (elements: [Entry], isClosed: Bool) { queue.takeAll(waiting: milliseconds) }
    fileprivate func didApply(_ index: UInt64, touching secret: SecretKey?) { visibility.applied(index, touching: secret) }
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
    private var waiting: ArraySlice<Applier.Entry> = []
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
            let (entries, isClosed) = owner.take(waiting: uncommitted.isEmpty ? nil : Self.idleMilliseconds)
            waiting = entries[...]
            while !isAbandoned, let entry = waiting.popFirst() {
                try apply(entry)
                if uncommitted.count >= Self.entriesPerCommitMax || uncommittedByteCount >= Self.bytesPerCommitMax { try commit() }
            }
            if entries.isEmpty || owner.hasWaiters { try commit() }
            if isClosed && entries.isEmpty { return }
        }
        keepUnanswered(waiting + owner.take(waiting: 0).elements)
    }

    private mutating func apply(_ entry: Applier.Entry) throws {
        keep(entry)
        completion = entry.completion
        let outcome: Outcome?
        do {
            var open = if let open = transaction.take() { open } else { try stateMachine.environment.beginWrite() }
            outcome = try stateMachine.apply(entry.mutation, at: entry.index, in: &open)
            transaction = consume open
        } catch let error as LMDBError {
            outcome = try recover(from: error)
        }
        guard let outcome else { return }
        owner.didApply(entry.index, touching: entry.mutation.touchedSecret)
        answer(.success(outcome))
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
    }

    private mutating func answer(_ result: Result<Outcome, ProposalFailure>) {
        completion?(result)
        completion = nil
    }

    private mutating func keep(_ entry: Applier.Entry) {
        var durable = entry
        durable.completion = nil
        uncommitted.append(durable)
        uncommittedByteCount += entry.byteCount
    }

    /// Keeps entries to be applied when there is room; their callers, and the one being served, need not wait for that.
    private mutating func keepUnanswered(_ entries: ArraySlice<Applier.Entry>) {
        answer(.failure(.outcomeUnknown))
        for entry in entries {
            keep(entry)
            entry.completion?(.failure(.outcomeUnknown))
        }
    }

    // MARK: Trouble

    /// Applies everything since the last commit again in a fresh transaction, once there is room.
    ///
    /// The outcomes are the ones that were already given out, since `apply` is deterministic.
    ///
    /// - Returns: The outcome of the last entry, which is not committed yet; `nil` if a full disk kept everybody waiting: then all is
    ///   committed, or abandoned because the node stops.
    private mutating func recover(from first: LMDBError) throws -> Outcome? {
        var error = first
        var hasStalled = false
        while true {
            switch error.code {
            case .mapFull:
                let statistics = try stateMachine.environment.statistics()
                try stateMachine.environment.growMap(toAtLeast: statistics.mapSizeBytes * 2)
            case .diskFull:
                hasStalled = true
                waitForSpace()
                if isAbandoned { return nil }
            default: throw error
            }
            do {
                let outcome = try applyAgain()
                guard hasStalled else { return outcome }
                try commitAfterStall()
                return nil
            } catch let next as LMDBError {
                error = next
            }
        }
    }

    private mutating func applyAgain() throws -> Outcome? {
        var outcome: Outcome?
        var open = try stateMachine.environment.beginWrite()
        for entry in uncommitted { outcome = try stateMachine.apply(entry.mutation, at: entry.index, in: &open) }
        transaction = consume open
        return outcome
    }

    private mutating func waitForSpace() {
        if owner.setStalled(true) { logger.warning("the disk is full: the state waits for space, new writes are refused") }
        keepUnanswered(waiting + owner.take(waiting: Self.retryMilliseconds).elements)
        waiting = []
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
