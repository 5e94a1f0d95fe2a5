import Raft

/// When a leader may append a command: not while it hands over (thesis §3.10), not from a batch that was forwarded in another term or that it took
/// before (`reference/raft.md` C8, C11). From what goes in and comes out of one node.
struct ProposalLedger {
    private struct Origin: Hashable {
        let node: NodeID
        let incarnation: Incarnation
    }

    private struct Batch: Hashable {
        let origin: Origin
        let number: UInt64
    }

    private var origins: [Origin] = []
    private var taken: Set<Batch> = []
    private var isHandingOver = false

    /// - Parameter core: After the step.
    mutating func stepped(_ input: Input, _ effects: Effects, _ core: RaftCore, before: CoreGlance) throws(BrokenRule) {
        guard before.role == .leader else { return self = ProposalLedger() }
        let command = effects.write?.entries.first { if case .command = $0.body { true } else { false } }
        if let command, isHandingOver { throw BrokenRule(rule: "thesis 3.10 transfer", text: "\(command) is appended while the leader hands over") }
        if case .message(let message) = input, case .forward(let forward) = message.payload { try take(forward, message, command, core, before) }
        noteTransfer(input, effects)
        if core.role != .leader || core.term != before.term { self = ProposalLedger() }
    }

    private mutating func take(
        _ forward: Forward, _ message: Message, _ command: Entry?, _ core: RaftCore, _ before: CoreGlance
    ) throws(BrokenRule) {
        guard message.term == before.term else {
            if let command { throw BrokenRule(rule: "V26 only in its term", text: "\(command) was forwarded in term \(message.term)") }
            return
        }
        let origin = Origin(node: message.from, incarnation: forward.incarnation)
        if !origins.contains(origin) { origins.append(origin) }
        // A leader remembers so many origins and no more; behind them stand the sessions.
        let isNew = taken.insert(Batch(origin: origin, number: forward.number)).inserted
        if let command, !isNew, origins.count <= core.settings.limits.forwardOriginsMax {
            throw BrokenRule(rule: "V27 refused is not done", text: "\(command) comes from batch \(forward.number) of node \(message.from), which was taken before")
        }
    }

    /// The answers to transfers say whether one is under way: one that replaces another leaves one, too.
    private mutating func noteTransfer(_ input: Input, _ effects: Effects) {
        if case .transferLeadership = input {
            let isRefused = effects.commands.contains { result in
                if case .transferRefused(let reason) = result.outcome { reason != .replaced } else { false }
            }
            if !isRefused { isHandingOver = true }
        }
        for result in effects.commands where result.outcome == .transferTimedOut || result.outcome == .transferRefused(.targetRemoved) { isHandingOver = false }
    }
}
