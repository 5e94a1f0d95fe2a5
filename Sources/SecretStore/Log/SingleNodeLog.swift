internal import Glibc
package import Keyring
internal import LMDB
package import Logging
internal import Synchronization

/// The log of a node that stands alone: durable order by itself, behind the protocol that a Raft node implements too.
///
/// A thread takes all proposals that wait, writes them as one group and makes them durable with one `fdatasync`; the duration of the
/// previous one is the window in which the next group gathers. Durable entries go to the ``Applier``.
///
/// Safe from any thread.
package final class SingleNodeLog: ReplicatedLog {
    package struct Configuration: Sendable {
        /// Directory of the segments; it exists.
        package var directory: String
        /// Free bytes on its file system below which proposals are refused.
        package var reserveFreeByteCount: Int
        /// Size of a segment file, in bytes: what is allocated at a time, and what is freed at a time.
        package var segmentByteCount = 16 << 20
        /// Most proposals that are neither answered nor refused, and most bytes of them.
        package var proposalsInFlightMax = 16_384
        package var bytesInFlightMax = 64 << 20

        package init(directory: String, reserveFreeByteCount: Int) {
            self.directory = directory
            self.reserveFreeByteCount = reserveFreeByteCount
        }
    }

    private struct Proposal: Sendable {
        var sealed: [UInt8]
        var mutation: Mutation
        var completion: @Sendable (Result<Outcome, ProposalFailure>) -> Void
    }

    /// Readers ask it when they see what was acknowledged.
    package let applier: Applier

    private let configuration: Configuration
    private let keyring: Keyring
    private let queue = WorkQueue<Proposal>(countMax: .max, byteCountMax: .max)
    private let space: DiskSpace
    private let proposalsInFlight = Atomic<Int>(0)
    private let bytesInFlight = Atomic<Int>(0)
    private let thread = Mutex<WorkerThread?>(nil)

    /// Opens the log, brings the state up to its end, and starts the threads.
    ///
    /// - Throws: ``LogDamage`` when log and state do not fit together or the log is damaged; `KeyringError` for entries of another
    ///   cluster; `LMDBError`; `FileFailure`.
    package convenience init(
        _ configuration: Configuration, stateMachine: any ReplicatedStateMachine, keyring: Keyring, logger: Logger
    ) throws {
        try self.init(configuration, stateMachine: stateMachine, keyring: keyring, logger: logger, files: PosixFileSystem()) { sentence in
            logger.critical("the node stops: a write to its disk failed, and what is on it is no longer known", metadata: ["error": "\(sentence)"])
            // Not `exit`: nothing may run, and above all nothing may be acknowledged, after a failed synchronisation.
            _exit(1)
        }
    }

    init(
        _ configuration: Configuration, stateMachine: any ReplicatedStateMachine, keyring: Keyring, logger: Logger,
        files: any LogFileSystem, fatal: @escaping @Sendable (String) -> Void
    ) throws {
        self.configuration = configuration
        self.keyring = keyring
        space = DiskSpace(files: files, path: configuration.directory, reserveByteCount: configuration.reserveFreeByteCount)
        var replay = Replay(stateMachine: stateMachine)
        let segments = try LogSegments(
            directory: configuration.directory, segmentByteCount: configuration.segmentByteCount, files: files,
            appliedIndex: try stateMachine.committedIndex(), logger: logger
        ) { index, sealed in
            let encoded = try keyring.openLogEntry(sealed.span.bytes)
            try replay.add(try Mutation(decoding: encoded.span.bytes), at: index)
        }
        try replay.finish()
        // What this process reads now must survive the machine before the log below it may go.
        try stateMachine.environment.synchronize()
        applier = Applier(stateMachine: stateMachine, appliedIndex: segments.nextIndex - 1, logger: logger, fatal: fatal)
        let worker = WorkerThread { [unowned self] in
            // `close` joins this thread before the last reference may go.
            do { try self.run(segments, logger: logger) } catch { fatal("\(error)") }
        }
        thread.withLock { $0 = worker }
    }

    package func propose(_ mutation: Mutation, completion: @escaping @Sendable (Result<Outcome, ProposalFailure>) -> Void) {
        if space.isLow || applier.isStalled { return completion(.failure(.diskFull)) }
        let sealed = keyring.sealLogEntry(mutation.encode().span.bytes)
        guard admit(sealed.count) else { return completion(.failure(.overloaded)) }
        let byteCount = sealed.count
        let proposal = Proposal(sealed: sealed, mutation: mutation) { [unowned self] result in
            // Called by the threads that `close` joins, or below.
            release(byteCount)
            completion(result)
        }
        do throws(WorkQueue<Proposal>.Refusal) {
            try queue.add(proposal)
        } catch {
            proposal.completion(.failure(.stopping))
        }
    }

    /// A single node is never behind itself.
    package func readBarrier(completion: @escaping @Sendable (Result<Void, ProposalFailure>) -> Void) { completion(.success(())) }

    /// Always.
    package var isReadableNow: Bool { true }

    /// Makes everything proposed durable, applied and committed, then ends the threads. Proposals from now on are refused.
    package func close() {
        queue.close()
        thread.withLock { $0.take() }?.join()
        applier.close()
    }

    // MARK: Admission

    private func admit(_ byteCount: Int) -> Bool {
        let count = proposalsInFlight.add(1, ordering: .relaxed).newValue
        let bytes = bytesInFlight.add(byteCount, ordering: .relaxed).newValue
        guard count > configuration.proposalsInFlightMax || bytes > configuration.bytesInFlightMax else { return true }
        release(byteCount)
        return false
    }

    private func release(_ byteCount: Int) {
        proposalsInFlight.subtract(1, ordering: .relaxed)
        bytesInFlight.subtract(byteCount, ordering: .relaxed)
    }

    // MARK: The log thread

    private func run(_ opened: LogSegments, logger: Logger) throws {
        var segments = opened
        while true {
            let (proposals, isClosed) = queue.takeAll()
            var rest = proposals[...]
            while !rest.isEmpty {
                let group = Self.nextGroup(&rest)
                try write(group, to: &segments)
            }
            do throws(FileFailure) {
                try segments.removeSegments(through: applier.removableIndex)
            } catch {
                // An old segment that stays costs space, nothing else; the next group tries again.
                logger.warning("an old segment of the log cannot be removed", metadata: ["error": "\(error)"])
            }
            if isClosed && proposals.isEmpty { return }
        }
    }

    /// The proposals that fit into one group, at least one.
    private static func nextGroup(_ rest: inout ArraySlice<Proposal>) -> ArraySlice<Proposal> {
        var byteCount = 0
        let end = rest.firstIndex { proposal in
            byteCount += proposal.sealed.count + 4
            return byteCount > LogSegments.groupByteCountMax
        }
        let group = rest[..<max(end ?? rest.endIndex, rest.startIndex + 1)]
        rest = rest[group.endIndex...]
        return group
    }

    private func write(_ group: ArraySlice<Proposal>, to segments: inout LogSegments) throws {
        let firstIndex: UInt64
        do throws(FileFailure) {
            firstIndex = try segments.append(group.map(\.sealed))
        } catch {
            // No room for a new segment: nothing was written. Every other failure leaves the disk in a state that nobody knows.
            guard error.isDiskFull else { throw error }
            for proposal in group { proposal.completion(.failure(.diskFull)) }
            return
        }
        for (offset, proposal) in group.enumerated() {
            let index = firstIndex + UInt64(offset)
            applier.enqueue(
                Applier.Entry(
                    index: index, term: 0, content: .mutation(proposal.mutation), byteCount: proposal.sealed.count, completion: proposal.completion))
        }
    }
}

/// Applies what the log has and the state has not, at start.
private struct Replay {
    private static let entriesPerTransaction = 1_024

    let stateMachine: any ReplicatedStateMachine
    private var entries: [(index: UInt64, mutation: Mutation)] = []

    init(stateMachine: any ReplicatedStateMachine) { self.stateMachine = stateMachine }

    mutating func add(_ mutation: Mutation, at index: UInt64) throws {
        entries.append((index, mutation))
        if entries.count == Self.entriesPerTransaction { try finish() }
    }

    mutating func finish() throws {
        guard !entries.isEmpty else { return }
        try stateMachine.environment.write { transaction in
            for (index, mutation) in entries { _ = try stateMachine.apply(mutation, at: index, term: 0, in: &transaction) }
        }
        entries.removeAll(keepingCapacity: true)
    }
}
