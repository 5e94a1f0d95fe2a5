import Raft

/// Who a node is and how it ceases to be a member (V17; `reference/raft.md` C5 h and j).
struct IdentityLedger {
    private var incarnations: Set<Incarnation> = []

    /// A process begins: what counts its forwards and reads may never have counted another's.
    mutating func begins(_ incarnation: Incarnation) throws(BrokenRule) {
        if !incarnations.insert(incarnation).inserted { throw BrokenRule(rule: "V17 identity", text: "incarnation \(incarnation) is used for a second process") }
    }

    /// A node draws no conclusion of its own from a membership: it is told.
    static func halted(_ reason: HaltReason, by input: Input) throws(BrokenRule) {
        guard case .retired(let generation) = reason else { return }
        if case .message(let message) = input, message.payload == .retire(generation: generation) { return }
        throw BrokenRule(rule: "V17 identity", text: "retires for generation \(generation), and nobody told it to")
    }
}

/// A leader that is no voter of the committed membership hands over and leaves, within the time of a transfer.
struct DepartureLedger {
    private var since: Instant?

    /// - Parameters:
    ///   - core: After the step.
    ///   - now: The node's clock.
    mutating func stepped(_ input: Input, _ core: RaftCore, now: Instant) throws(BrokenRule) {
        guard core.role == .leader, core.term(at: core.commit) == core.term, case let membership = core.membership, !membership.isVoter(core.id),
            core.committedMembership.membership == membership
        else { return since = nil }
        guard let since else { return since = now }
        // Only its timer can end it; a node that was paused hears its messages first.
        guard case .tick = input, now.elapsed(since: since) > core.settings.electionTimeout * 2 else { return }
        throw BrokenRule(rule: "V17 identity", text: "leads since \(since) out of {\(membership)}, now \(now)")
    }
}
