import Raft

/// What the cluster promised along a path, and whether it keeps it (`reference/raft.md` §3.2, V1–V9, V11, V14, V15).
struct ModelOracle {
    private struct Vote {
        let node: NodeID
        let term: Term
        let candidate: NodeID
    }

    private struct Read {
        let ticket: Ticket
        let node: NodeID
        let floor: LogIndex
    }

    /// By term. A path has few, so lists do.
    private var leaders: [(term: Term, node: NodeID)] = []
    private var votes: [Vote] = []
    /// The one history, from index 1: what any node ever called committed.
    private var committed: [EntryID] = []
    private var bodies: [Entry] = []
    /// The highest index whose effect some client has seen.
    private var seen = LogIndex.zero
    private var reads: [Read] = []

    // MARK: Cores

    func fail(_ rule: String, _ text: String) -> ModelViolation { ModelViolation(rule: rule, text: text) }

    mutating func stepped(_ position: Int, before: RaftCore, _ nodes: [ModelNode]) throws(ModelViolation) {
        let core = nodes[position].core
        do throws(Violation) { try core.checkInvariants() } catch { throw fail("V8 invariants", "\(error)") }
        if core.term < before.term || core.commit < before.commit {
            throw fail("V7 monotone", "node \(core.id) went from term \(before.term) commit \(before.commit) to term \(core.term) commit \(core.commit)")
        }
        if core.role == .leader { try checkLeader(core, before) }
        if core.commit > before.commit {
            try noteCommit(core, from: before.commit)
            if before.role == .leader, core.term == before.term { try checkQuorum(core, before, nodes) }
        }
        if core.memberships != before.memberships { try checkMembership(core, nodes) }
    }

    private mutating func checkLeader(_ core: RaftCore, _ before: RaftCore) throws(ModelViolation) {
        if before.role == .leader, before.term == core.term {
            let last = before.lastEntry
            if core.term(at: last.index) != last.term { throw fail("V2 leader append-only", "leader \(core.id) dropped \(last)") }
            return
        }
        if let known = leaders.first(where: { $0.term == core.term }) {
            if known.node != core.id { throw fail("V1 election safety", "nodes \(known.node) and \(core.id) both lead term \(core.term)") }
        } else {
            leaders.append((core.term, core.id))
        }
        for id in committed where id.term < core.term && core.term(at: id.index) != id.term {
            throw fail("V4 leader completeness", "leader \(core.id) of term \(core.term) lacks the committed entry \(id)")
        }
    }

    private mutating func noteCommit(_ core: RaftCore, from before: LogIndex) throws(ModelViolation) {
        var index = before.next
        while index <= core.commit {
            let id = EntryID(term: core.term(at: index) ?? .zero, index: index)
            if Int(index.raw) <= committed.count {
                let known = committed[Int(index.raw) - 1]
                if known != id { throw fail("V5 state machine safety", "node \(core.id) commits \(id) where \(known) is committed") }
            } else {
                committed.append(id)
            }
            index = index.next
        }
    }

    /// By counting, a leader commits only entries of its own term (paper §5.4.2), and only what is on the disks of a quorum.
    private func checkQuorum(_ core: RaftCore, _ before: RaftCore, _ nodes: [ModelNode]) throws(ModelViolation) {
        let id = EntryID(term: core.term(at: core.commit) ?? .zero, index: core.commit)
        if id.term != core.term { throw fail("V6 committed on a quorum", "leader \(core.id) of term \(core.term) commits \(id) by counting") }
        func isHeld(_ membership: Membership) -> Bool {
            membership.reached { node in
                nodes.first { $0.core.id == node }.map { $0.disk.entry(at: id.index)?.id == id ? 1 : 0 } ?? 0
            } == 1
        }
        // The membership that the entry itself ends may have decided.
        if !isHeld(before.membership), !core.memberships.contains(where: { $0.index >= before.commit && isHeld($0.membership) }) {
            throw fail("V6 committed on a quorum", "leader \(core.id) commits \(id) without a quorum of disks")
        }
    }

    /// At most one membership is open, and every quorum of one that may be in force meets every quorum of the newest committed one.
    private func checkMembership(_ core: RaftCore, _ nodes: [ModelNode]) throws(ModelViolation) {
        let open = core.memberships.filter { $0.index > core.commit }
        if core.role == .leader, open.count > 1 {
            throw fail("V15 membership safety", "leader \(core.id) has \(open.count) memberships that are not committed")
        }
        let settled = nodes.map(\.core.committedMembership).max { $0.index < $1.index }
        guard let settled else { return }
        for node in nodes {
            guard let newest = node.core.memberships.last, newest.index > settled.index else { continue }
            if !Self.meet(newest.membership, settled.membership) {
                throw fail("V15 membership safety", "{\(newest.membership)} on node \(node.core.id) and the committed {\(settled.membership)} can decide apart")
            }
        }
        for (place, a) in nodes.enumerated() {
            for b in nodes.dropFirst(place + 1) where a.core.membership.generation != 0 || b.core.membership.generation != 0 {
                guard let x = a.core.memberships.last, let y = b.core.memberships.last, min(x.index, y.index) >= settled.index else { continue }
                if !Self.meet(x.membership, y.membership) {
                    throw fail("V15 membership safety", "{\(x.membership)} on node \(a.core.id) and {\(y.membership)} on node \(b.core.id) can decide apart")
                }
            }
        }
    }

    /// Whether no set of nodes and its complement are quorums of the one and of the other.
    private static func meet(_ a: Membership, _ b: Membership) -> Bool {
        let all = (a.allVoters + b.allVoters).sorted()
        for bits in 0..<(1 << all.count) {
            func isIn(_ node: NodeID) -> Bool { all.firstIndex(of: node).map { bits & (1 << $0) != 0 } ?? false }
            if a.outcome({ isIn($0) }) == .won, b.outcome({ !isIn($0) }) == .won { return false }
        }
        return true
    }

    // MARK: Disks and messages

    mutating func written(_ position: Int, before: ModelDisk, _ nodes: [ModelNode]) throws(ModelViolation) {
        let disk = nodes[position].disk
        for id in committed where before.entry(at: id.index)?.id == id && disk.entry(at: id.index)?.id != id {
            throw fail("V11 durability", "node \(nodes[position].core.id) drops the committed entry \(id)")
        }
        for other in nodes where other.core.id != nodes[position].core.id {
            var index = min(disk.lastIndex, other.disk.lastIndex)
            while index > .zero, disk.entry(at: index)?.id != other.disk.entry(at: index)?.id { index = index.previous }
            while index > .zero {
                if disk.entry(at: index) != other.disk.entry(at: index) {
                    throw fail("V3 log matching", "nodes \(nodes[position].core.id) and \(other.core.id) differ at \(index) and share a later entry")
                }
                index = index.previous
            }
        }
    }

    mutating func sent(_ message: Message) throws(ModelViolation) {
        switch message.payload {
        case .voteReply(let reply) where reply.isGranted: try noteVote(message.from, reply.campaign, for: message.to)
        case .vote(let request): try noteVote(message.from, request.campaign, for: message.from)
        default: break
        }
    }

    private mutating func noteVote(_ node: NodeID, _ term: Term, for candidate: NodeID) throws(ModelViolation) {
        guard let known = votes.first(where: { $0.node == node && $0.term == term }) else {
            votes.append(Vote(node: node, term: term, candidate: candidate))
            return
        }
        if known.candidate != candidate { throw fail("V9 one vote per term", "node \(node) votes for \(known.candidate) and \(candidate) in term \(term)") }
    }

    // MARK: State machines and clients

    mutating func applied(_ entries: [Entry], _ range: ClosedRange<LogIndex>, by node: NodeID) throws(ModelViolation) {
        guard entries.first?.index == range.lowerBound, entries.last?.index == range.upperBound else {
            throw fail("V8 invariants", "node \(node) is to apply \(range), which is not on its disk")
        }
        for entry in entries {
            if Int(entry.index.raw) > bodies.count {
                bodies.append(entry)
            } else if bodies[Int(entry.index.raw) - 1] != entry {
                throw fail("V5 state machine safety", "node \(node) applies \(entry), others \(bodies[Int(entry.index.raw) - 1])")
            }
        }
    }

    mutating func answered(_ result: ProposalResult) throws(ModelViolation) {
        guard case .committed(let id) = result.outcome else { return }
        if Int(id.index.raw) > committed.count || committed[Int(id.index.raw) - 1] != id { throw fail("V11 durability", "\(result), but it is not") }
        seen = max(seen, id.index)
    }

    mutating func asked(_ ticket: Ticket, at node: NodeID) { reads.append(Read(ticket: ticket, node: node, floor: seen)) }

    mutating func answered(_ result: ReadResult) throws(ModelViolation) {
        guard case .ready(let tickets, let index) = result else { return }
        for read in reads where tickets.contains(read.ticket) && index < read.floor {
            throw fail("V14 fresh reads", "\(result), but \(read.floor) had been seen when it began")
        }
        reads.removeAll { tickets.contains($0.ticket) }
    }

    mutating func crashed(_ node: NodeID) { reads.removeAll { $0.node == node } }

    func fold(into digest: inout StateDigest) {
        // In an order that does not depend on who was first.
        for leader in leaders.sorted(by: { $0.term < $1.term }) { digest.fold(leader.node) }
        for vote in votes.sorted(by: { ($0.term, $0.node) < ($1.term, $1.node) }) {
            digest.fold(vote.node)
            digest.fold(vote.term.raw)
            digest.fold(vote.candidate)
        }
        for id in committed { digest.fold(id) }
        for entry in bodies { digest.fold(entry) }
        digest.fold(seen.raw)
        for read in reads {
            digest.fold(read.ticket.raw)
            digest.fold(read.floor.raw)
        }
    }
}
