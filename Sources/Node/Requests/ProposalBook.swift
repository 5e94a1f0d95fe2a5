internal import Raft
internal import SecretStore
internal import Synchronization

/// The proposals of this node's clients that have no outcome yet.
///
/// A proposal is answered when the apply thread meets it in the log, under whatever attempt it got there: the state machine executes a
/// proposal id once, so the first to be applied is the one that counts (`reference/raft.md` C11).
///
/// Safe from any thread.
final class ProposalBook: Sendable {
    typealias Completion = @Sendable (Result<Outcome, ProposalFailure>) -> Void

    /// One proposal, sealed, and until when it is worth trying.
    struct Proposal: Sendable {
        let command: Raft.Command
        let deadline: Instant
        let completion: Completion
        /// Whether some attempt may be, or come to be, in the log.
        var mayBeInLog = false
    }

    private struct Book {
        var proposals: [ProposalID: Proposal] = [:]
        var byteCount = 0
    }

    private let countMax: Int
    private let byteCountMax: Int
    private let book = Mutex(Book())

    /// - Parameters:
    ///   - countMax: Most open proposals.
    ///   - byteCountMax: Most bytes of them.
    init(countMax: Int, byteCountMax: Int) {
        self.countMax = countMax
        self.byteCountMax = byteCountMax
    }

    /// - Returns: False when too much is open; the proposal was not taken then.
    func open(_ id: ProposalID, _ proposal: Proposal) -> Bool {
        book.withLock { book in
            let byteCount = proposal.command.payload.count
            guard book.proposals.count < countMax, book.byteCount + byteCount <= byteCountMax || book.proposals.isEmpty else { return false }
            book.proposals[id] = proposal
            book.byteCount += byteCount
            return true
        }
    }

    /// The command of a proposal that is still open.
    func command(of id: ProposalID) -> Raft.Command? { book.withLock { $0.proposals[id]?.command } }

    /// From now on nobody may be told that it was not done.
    func mayBeInLog(_ id: ProposalID) { book.withLock { $0.proposals[id]?.mayBeInLog = true } }

    /// The proposal was applied. Does nothing for one that is not of this node, or answered already.
    func applied(_ id: ProposalID, _ outcome: Outcome) { take(id)?.completion(.success(outcome)) }

    /// Gives up on a proposal.
    ///
    /// - Parameter refusal: What the client is told when certainly no attempt is in the log.
    func fail(_ id: ProposalID, _ refusal: ProposalFailure) {
        guard let proposal = take(id) else { return }
        proposal.completion(.failure(proposal.mayBeInLog ? .outcomeUnknown : refusal))
    }

    func failAll(_ refusal: ProposalFailure) {
        let all = book.withLock { book in
            defer { book = Book() }
            return Array(book.proposals.values)
        }
        for proposal in all { proposal.completion(.failure(proposal.mayBeInLog ? .outcomeUnknown : refusal)) }
    }

    /// How many are open.
    var count: Int { book.withLock { $0.proposals.count } }

    private func take(_ id: ProposalID) -> Proposal? {
        book.withLock { book in
            guard let proposal = book.proposals.removeValue(forKey: id) else { return Proposal?.none }
            book.byteCount -= proposal.command.payload.count
            return proposal
        }
    }
}
