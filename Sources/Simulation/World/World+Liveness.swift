import Raft
import SimulatedDisk
import WriteAheadLog

/// The end of a run: a quorum is healed, everything else stays broken for ever, and the cluster has to work (`reference/raft.md` §3.1, V23).
extension World {
    /// In election timeouts. Far more than a healthy cluster needs: only standstill is a finding.
    private static let patience: UInt64 = 400
    private static let eventsMax = 3_000_000

    /// Elects, commits, answers fresh reads and writes of every client.
    func live() throws(Finding) {
        try enter(.liveness)
        livenessBegin = now
        survivors = try chooseSurvivors()
        for node in nodes {
            if survivors.contains(node.position) { heal(node) } else if node.isMember { try breakForEver(node) }
        }
        note { "survivors: \(self.survivors.map { self.nodes[$0].id })" }
        for index in clients.indices { clients[index].target = nil }
        try run(until: "every client has a fresh answer to a read and to a write") {
            self.clients.allSatisfy { $0.freshReads > 0 && $0.freshWrites > 0 }
        }
    }

    /// Clients fall silent, and all survivors that are members become equal.
    func settleDown() throws(Finding) {
        try enter(.settling)
        try run(until: "convergence") { self.isConverged }
    }

    private func run(until what: String, _ isDone: () -> Bool) throws(Finding) {
        let end = now + mix.electionTimeout * Self.patience
        let lastEvent = eventCount + Self.eventsMax
        while !isDone() {
            for _ in 0..<32 { try advance() }
            guard now < end else { throw finding("V23 progress", nil, "no progress: \(what); \(standings)") }
            guard eventCount < lastEvent else { throw finding("V28 busy loop", nil, "\(Self.eventsMax) events, and no end: \(what); \(standings)") }
        }
    }

    private var standings: String {
        nodes.map { node in
            "\(node.id): \(node.condition)\(survivors.contains(node.position) ? " survivor" : "") \(node.core.role) t\(node.core.term) last \(node.core.lastEntry) "
                + "commit \(node.core.commit) applied \(node.machine.applied.index) {\(node.core.membership)}"
        }.joined(separator: "; ")
    }

    var isConverged: Bool {
        let leaders = survivors.map { nodes[$0] }.filter { $0.isRunning && $0.core.role == .leader }
        guard clients.allSatisfy({ $0.operation == nil }), let leader = leaders.max(by: { $0.core.term < $1.core.term }) else { return false }
        let core = leader.core
        guard core.commit == core.lastEntry.index, core.term(at: core.commit) == core.term, !core.membership.isJoint else { return false }
        return survivors.map { nodes[$0] }.allSatisfy { node in
            !node.isMember || !core.membership.contains(node.id) || (node.machine.applied.index == core.commit && node.core.commit == core.commit && node.core.role != .recovering)
        }
    }

    // MARK: Who lives

    /// A random set, often a smallest one, that has a whole majority in every membership that may be in force.
    private func chooseSurvivors() throws(Finding) -> [Int] {
        let candidates = nodes.filter(\.isMember)
        let committed = nodes.map(\.core.committedMembership).max { $0.index < $1.index }
        guard let committed else { return [] }
        var memberships = [committed.membership]
        for record in candidates.flatMap(\.core.memberships) where record.index > committed.index { memberships.append(record.membership) }
        func suffices(_ chosen: [Int]) -> Bool {
            let whole = chosen.map { nodes[$0] }.filter { !$0.isDamaged }.map(\.id)
            return memberships.flatMap { [$0.voters, $0.outgoing] }.allSatisfy { voters in
                voters.isEmpty || voters.filter(whole.contains).count > voters.count / 2
            }
        }
        var chosen = candidates.map(\.position)
        guard suffices(chosen) else { throw finding("fault atlas", nil, "too much was lost: \(standings)") }
        var order = chosen
        rng.shuffle(&order)
        let rigour = rng.one(of: [800, 800, 300])
        for position in order where rng.chance(perMille: rigour) {
            let fewer = chosen.filter { $0 != position }
            if suffices(fewer) { chosen = fewer }
        }
        return chosen
    }

    private func heal(_ node: SimulatedNode) {
        for other in survivors where other != node.position {
            network[node.position, other].cutUntil = 0
            network[node.position, other].clogUntil = 0
        }
        node.disk.cancelPlannedFaults()
        node.disk.byteCountMax = .max
        node.pausedUntil = min(node.pausedUntil, now.nanoseconds)
        node.slowUntil = 0
        node.hungUntil = 0
        node.effectsToLive = nil
        node.callsToStart = nil
        if node.condition == .down { push(.restart(node: node.position, life: node.life), in: .milliseconds(1)) }
    }

    private func breakForEver(_ node: SimulatedNode) throws(Finding) {
        let kind = rng.below(6)
        for other in nodes.indices where other != node.position {
            // Deaf, dumb or both; a deaf node goes on campaigning.
            if kind == 0 || kind == 2 { network[other, node.position].cutUntil = .max }
            if kind == 1 || kind == 2 { network[node.position, other].cutUntil = .max }
        }
        switch kind {
        case 3: node.pausedUntil = .max
        case 4: node.hungUntil = .max / 2
        case 5 where node.isRunning: try crash(node, .stopped)
        default: break
        }
        if node.condition == .down, kind >= 3 { node.condition = .stopped }
    }
}
