import Raft

/// Something that a node does and after which trouble hurts most. The nemesis lies in wait for it; the trouble comes in the same step.
enum Ambush: Sendable {
    /// A leader appends a membership.
    case membership
    /// A leader tells another node to take over.
    case handOver
}

extension World {
    func lie(inWaitFor ambush: Ambush) {
        if !ambushes.contains(ambush) { ambushes.append(ambush) }
    }

    /// Before the effects of a step are carried out.
    func springAmbush(on node: SimulatedNode, _ effects: Effects) {
        guard phase == .safety, !ambushes.isEmpty else { return }
        if isSprung(.membership, node.core.role == .leader && effects.write?.entries.contains { $0.membership != nil } ?? false) { strikeChangingLeader(node) }
        if isSprung(.handOver, effects.messages.contains { if case .timeoutNow = $0.message.payload { true } else { false } }) { strikeOldLeader(node) }
    }

    private func isSprung(_ ambush: Ambush, _ isThere: Bool) -> Bool {
        guard isThere, let place = ambushes.firstIndex(of: ambush) else { return false }
        ambushes.remove(at: place)
        coverage.mark(.ambush)
        note { "ambush: \(ambush)" }
        return true
    }

    /// The membership reaches nobody, or one other node, before the leader is gone.
    private func strikeChangingLeader(_ leader: SimulatedNode) {
        let friend = rng.below(nodes.count)
        for other in nodes.indices where other != leader.position && (other != friend || rng.chance(perMille: 200)) { cutOff(leader.position, other) }
        if rng.chance(perMille: 500) { push(.ambushCrash(node: leader.position, life: leader.life), in: rng.around(mix.delayMean * 4)) }
    }

    /// The old leader does not hear of the new one for a while. Clients go on asking it.
    private func strikeOldLeader(_ leader: SimulatedNode) {
        for other in nodes.indices where other != leader.position { cutOff(other, leader.position) }
        for index in clients.indices where rng.chance(perMille: 500) { clients[index].target = leader.position }
    }

    private func cutOff(_ from: Int, _ to: Int) {
        network[from, to].cutUntil = max(network[from, to].cutUntil, now.nanoseconds + mix.electionTimeout.nanoseconds)
    }
}

extension World {
    /// The term for which a command is meant, as of when its proposer made up its mind: mostly now, sometimes before an election.
    func drawOnlyIfTerm(_ node: SimulatedNode) -> Term? {
        guard rng.chance(perMille: 100) else { return nil }
        let term = node.core.term
        return rng.chance(perMille: 200) && term.raw > 1 ? Term(term.raw - 1) : term
    }
}
