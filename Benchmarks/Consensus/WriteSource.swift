import Raft

/// Writes for a log, as a leader hands them out: made by the core of a cluster of one, so that they are what a log really gets.
struct WriteSource {
    private var core: RaftCore
    private var effects = Effects()
    private var random = SystemRandomNumberGenerator()
    private let command: Command
    private var nextTicket: UInt64 = 1

    init(payloadByteCount: Int) throws {
        command = Command([UInt8](repeating: 7, count: payloadByteCount))
        core = try RaftCore(
            id: NodeID(1), incarnation: Incarnation(1), settings: Settings(),
            recovered: .founding(Membership(voters: [NodeID(1)])), now: .zero)
    }

    /// The writes with which the node becomes the leader.
    mutating func election() -> [LogWrite] {
        var writes = step(.campaign)
        while core.role != .leader { writes += step(.logDurable(writes[writes.count - 1].sequence)) }
        return writes + confirm(writes)
    }

    /// One write for each batch of proposals; the entry before it counts as committed.
    mutating func next(entryCount: Int) -> [LogWrite] {
        var batch: [Proposal] = []
        for _ in 0..<entryCount {
            batch.append(Proposal(ticket: Ticket(nextTicket), command: command))
            nextTicket += 1
        }
        let writes = step(.propose(batch))
        return writes + confirm(writes)
    }

    /// The log and the state machine are done at once.
    private mutating func confirm(_ writes: [LogWrite]) -> [LogWrite] {
        guard let last = writes.last else { return [] }
        let more = step(.logDurable(last.sequence)) + step(.applied(core.commit))
        return more + step(.stateDurable(core.commit))
    }

    private mutating func step(_ input: Input) -> [LogWrite] {
        core.step(input, now: .zero, log: NoLog(), rng: &random, into: &effects)
        return effects.write.map { [$0] } ?? []
    }
}

/// A leader without followers never asks for an entry.
private struct NoLog: LogView {
    func entries(from first: LogIndex, through last: LogIndex, byteCountMax: Int) -> [Entry]? { nil }
}
