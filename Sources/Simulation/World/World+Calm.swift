import Raft

/// Calm weather after the storm: one node out of reach for a while must not cost a healthy cluster its leader (thesis §4.2.3 and §9.6).
///
/// Looks at the outcome alone: whichever rule keeps the peace, it has to.
extension World {
    func stayCalm() throws(Finding) {
        // What the storm left under way is lost: a late TimeoutNow may rightly end a term.
        for from in nodes.indices {
            for to in nodes.indices where from != to { network[from, to].connection += 1 }
        }
        try pass(electionTimeouts: 3)
        guard let leader = steadyLeader, let lonely = rng.pick(spare(besides: leader)) else { return }
        let term = leader.core.term
        coverage.mark(.calmWeather)
        note { "calm weather: \(lonely.id) is out of reach, \(leader.id) leads" }
        cutOff(lonely, isDumb: rng.chance(perMille: 500))
        try pass(electionTimeouts: 2)
        // A timer that fires too early changes nothing.
        for position in survivors where nodes[position].isRunning { try step(nodes[position], .tick) }
        try pass(electionTimeouts: 2)
        for other in survivors { mend(lonely.position, other) }
        try pass(electionTimeouts: 4)
        guard leader.core.role == .leader, leader.core.term == term else {
            throw finding("thesis 9.6 calm weather", leader, "led term \(term) until \(lonely.id) was out of reach for a while; now \(leader.core.role) of term \(leader.core.term)")
        }
        guard lonely.core.leader == leader.id else { throw finding("thesis 9.6 calm weather", lonely, "does not follow \(leader.id) again") }
    }

    private func pass(electionTimeouts count: UInt64) throws(Finding) {
        let end = now + mix.electionTimeout * count
        while now < end { try advance() }
    }

    /// The leader of a cluster that is at rest, if it is here to stay.
    private var steadyLeader: SimulatedNode? {
        guard isConverged else { return nil }
        let leaders = survivors.map { nodes[$0] }.filter { $0.isRunning && $0.core.role == .leader && $0.core.membership.voters.contains($0.id) }
        return leaders.max { $0.core.term < $1.core.term }
    }

    /// Members without which the leader still hears a majority.
    private func spare(besides leader: SimulatedNode) -> [SimulatedNode] {
        let membership = leader.core.membership
        return survivors.map { nodes[$0] }.filter { node in
            let heard = membership.voters.filter { $0 != node.id && survivors.contains(position(of: $0)) && self.node($0).isRunning }
            return node !== leader && node.isRunning && membership.contains(node.id) && heard.count > membership.voters.count / 2
        }
    }

    private func cutOff(_ node: SimulatedNode, isDumb: Bool) {
        for other in survivors where other != node.position {
            network[other, node.position].cutUntil = .max
            if isDumb { network[node.position, other].cutUntil = .max }
        }
    }

    private func mend(_ a: Int, _ b: Int) {
        guard a != b else { return }
        network[a, b].cutUntil = 0
        network[b, a].cutUntil = 0
    }
}
