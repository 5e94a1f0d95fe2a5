import Glibc

/// Knows which transactions of this process run in an environment, lends parked read transactions, and gives a growth
/// of the map the moment without transactions that LMDB demands but does not check.
///
/// One writer at a time is inside (waiting for LMDB's own writer lock or holding it). Only the writer, between its
/// transactions, grows the map; so a growth never meets a writer, and has to wait for readers only:
/// first for copies, which take long, while reads go on; then new reads wait until the running ones have ended.
/// A read inside another read of the same thread never waits, since the growth waits for that thread.
final class TransactionGate: Sendable {
    /// A read transaction that was reset: it keeps its reader slot and its memory, but no snapshot.
    ///
    /// Sendable: with `MDB_NOTLS` a read transaction belongs to no thread, and only one holder has it at a time.
    struct ParkedReader: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    fileprivate struct State: Sendable {
        var parked: [ParkedReader] = []
        /// The threads of the running reads, one element for each read.
        var readers: [pthread_t] = []
        /// The thread inside the writer's place.
        var writer: pthread_t?
        var copies = 0
        /// A growth waits for the copies: no further one starts.
        var isGrowthWanted = false
        /// A growth waits for the reads or is at work: no further one starts.
        var isGrowing = false
    }

    /// How many reset transactions are kept. Each holds a reader slot; more readers than this at one time make and free
    /// theirs as they come and go.
    static let parkedReadersMax = 64

    private let state: Monitor<State>

    init() {
        var state = State()
        state.parked.reserveCapacity(Self.parkedReadersMax)
        state.readers.reserveCapacity(Self.parkedReadersMax)
        self.state = Monitor(state)
    }

    // MARK: Reads

    /// Counts a read of this thread in, and lends it a parked transaction if there is one.
    func enterRead() -> ParkedReader? {
        let thread = pthread_self()
        let admission = state.withLock { $0.admit(thread) }
        if admission.isAdmitted { return admission.reader }
        return waitAndEnterRead(thread)
    }

    @inline(never)
    private func waitAndEnterRead(_ thread: pthread_t) -> ParkedReader? {
        var reader: ParkedReader?
        state.wait { state in
            let admission = state.admit(thread)
            reader = admission.reader
            return admission.isAdmitted
        }
        return reader
    }

    /// Counts a read of this thread out.
    /// - Parameter reader: Its transaction, reset, to be kept for the next read.
    /// - Returns: The transaction when there are enough of them: the caller frees it.
    func leaveRead(parking reader: ParkedReader?) -> ParkedReader? {
        let thread = pthread_self()
        let (surplus, isAwaited) = state.withLock { state -> (ParkedReader?, Bool) in
            state.remove(thread)
            let isAwaited = state.isGrowing && state.readers.isEmpty
            guard let reader, state.parked.count < Self.parkedReadersMax else { return (reader, isAwaited) }
            state.parked.append(reader)
            return (nil, isAwaited)
        }
        if isAwaited { state.signal() }
        return surplus
    }

    /// Whether this thread is inside a read.
    var isReading: Bool {
        let thread = pthread_self()
        return state.withLock { $0.readers.contains(thread) }
    }

    /// Takes all parked transactions, to free them.
    func takeParked() -> [ParkedReader] {
        state.withLock { state in
            let parked = state.parked
            state.parked.removeAll(keepingCapacity: true)
            return parked
        }
    }

    // MARK: The writer's place

    /// Waits for the writer's place and takes it.
    /// - Precondition: This thread is not inside a transaction of the environment: it would wait for itself.
    func enterWrite() {
        let thread = pthread_self()
        let isFree = state.withLock { state in
            precondition(
                state.writer != thread, "a write transaction inside another one of the same thread never begins")
            precondition(
                !state.readers.contains(thread),
                "a write transaction inside a read transaction of the same thread could wait for it forever")
            return state.takeWriter(thread)
        }
        if !isFree { state.wait { $0.takeWriter(thread) } }
    }

    /// Gives the writer's place up.
    func leaveWrite() {
        let thread = pthread_self()
        state.withLock { state in
            precondition(state.writer == thread, "a write transaction must end on the thread that began it")
            state.writer = nil
        }
        state.signal()
    }

    /// Whether this thread is in the writer's place.
    var isWriting: Bool {
        let thread = pthread_self()
        return state.withLock { $0.writer == thread }
    }

    /// Traps when this thread is not the one in the writer's place.
    func checkWriter() {
        let thread = pthread_self()
        state.withLock { precondition($0.writer == thread, "a write transaction must end on the thread that began it") }
    }

    // MARK: Growth and copies

    /// Runs `body` while no transaction of this process runs. Called by the thread in the writer's place, outside of a
    /// transaction.
    func withoutTransactions<Result>(_ body: () -> Result) -> Result {
        state.withLock { $0.isGrowthWanted = true }
        state.wait { state in
            guard state.copies == 0 else { return false }
            state.isGrowing = true
            return true
        }
        state.wait { $0.readers.isEmpty && $0.copies == 0 }
        let result = body()
        state.withLock { state in
            state.isGrowthWanted = false
            state.isGrowing = false
        }
        state.signal()
        return result
    }

    /// Counts a copy in, which is a long read that LMDB does by itself.
    /// - Precondition: This thread has no write transaction: the copy waits for the writer at its start.
    func enterCopy() {
        let thread = pthread_self()
        state.withLock {
            precondition($0.writer != thread, "a copy inside a write transaction waits for itself forever")
        }
        state.wait { state in
            guard !state.isGrowthWanted || state.readers.contains(thread) else { return false }
            state.copies += 1
            return true
        }
    }

    /// Counts a copy out.
    func leaveCopy() {
        state.withLock { $0.copies -= 1 }
        state.signal()
    }
}

extension TransactionGate.State {
    mutating func admit(_ thread: pthread_t) -> (isAdmitted: Bool, reader: TransactionGate.ParkedReader?) {
        if isGrowing, !readers.contains(thread) { return (false, nil) }
        readers.append(thread)
        return (true, parked.popLast())
    }

    mutating func remove(_ thread: pthread_t) {
        // The inner read of a thread ends first, but the elements of one thread are all alike.
        guard let place = readers.lastIndex(of: thread) else {
            preconditionFailure("a read transaction must end on the thread that began it")
        }
        readers.swapAt(place, readers.count - 1)
        readers.removeLast()
    }

    mutating func takeWriter(_ thread: pthread_t) -> Bool {
        guard writer == nil else { return false }
        writer = thread
        return true
    }
}
