internal import Raft
internal import SecretStore
internal import Synchronization

/// What clients' threads hand to the thread that drives the core: gathered, so that one wake-up and one step serve all that came meanwhile.
///
/// Safe from any thread.
final class Intake: Sendable {
    /// A read that waits for its index.
    struct Read: Sendable {
        let deadline: Instant
        let completion: @Sendable (Result<Void, ProposalFailure>) -> Void
    }

    struct Batch: Sendable {
        var proposals: [(id: ProposalID, deadline: Instant)] = []
        var reads: [Read] = []
        /// Whether somebody was woken to take this.
        var isAnnounced = false
        var isClosed = false
    }

    private let batch = Mutex(Batch())
    private let readCountMax: Int

    init(readCountMax: Int) { self.readCountMax = readCountMax }

    enum Added { case first, more, refusedFull, refusedClosed }

    /// - Returns: ``Added/first`` when the caller must wake the driver.
    func add(_ id: ProposalID, deadline: Instant) -> Added {
        add { $0.proposals.append((id, deadline)) }
    }

    func add(_ read: Read) -> Added {
        add { [readCountMax] batch in
            guard batch.reads.count < readCountMax else { return false }
            batch.reads.append(read)
            return true
        }
    }

    private func add(_ body: (inout Batch) -> Void) -> Added {
        add { batch in
            body(&batch)
            return true
        }
    }

    private func add(_ body: (inout Batch) -> Bool) -> Added {
        batch.withLock { batch in
            guard !batch.isClosed else { return .refusedClosed }
            guard body(&batch) else { return .refusedFull }
            guard !batch.isAnnounced else { return .more }
            batch.isAnnounced = true
            return .first
        }
    }

    /// Everything that came since the last call.
    func take() -> Batch {
        batch.withLock { batch in
            defer { batch = Batch(isClosed: batch.isClosed) }
            return batch
        }
    }

    /// Nothing is taken from now on.
    func close() { batch.withLock { $0.isClosed = true } }
}
