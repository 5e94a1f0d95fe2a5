import Raft

/// Watches a whole cluster from outside and compares what its nodes claim (`reference/raft.md` §3.2). Knows nothing of how they work.
struct ClusterChecker {
    /// Every leader that any term ever had.
    private var leaders: [Term: NodeID] = [:]
    /// The one history: what any node ever called committed, by index.
    private(set) var committed: [EntryID] = [.zero]
    /// Bodies, as first applied anywhere.
    private var applied: [LogIndex: Entry] = [:]
    private var places: [[UInt8]: LogIndex] = [:]
    private var hashes: [LogIndex: UInt64] = [:]
    private var votes: [Vote: NodeID] = [:]
    private var lastTerm: [NodeID: Term] = [:]
    private var open: [Ticket: [UInt8]] = [:]
    private var refused: Set<[UInt8]> = []
    /// The highest index whose effect some client has seen.
    private(set) var seen = LogIndex.zero
    private var readFloors: [Ticket: LogIndex] = [:]
    private(set) var counts = Counts()

    struct Counts {
        var elections = 0
        var committedProposals = 0
        var refusedProposals = 0
        var unknownProposals = 0
        var reads = 0
        var failedReads = 0
        var installs = 0
        var membershipChanges = 0
        var recoveries = 0
    }

    private struct Vote: Hashable {
        let node: NodeID
        let term: Term
    }

    // MARK: After a step

    mutating func check(_ node: TestNode, commitBefore: LogIndex, membershipBefore: Membership, all: [TestNode]) throws {
        do { try node.core.checkInvariants() } catch { throw ClusterFailure("\(error)") }
        if case .violation(let violation)? = node.core.halted { throw ClusterFailure("node \(node.id) halts: \(violation)") }
        let core = node.core
        if core.term < lastTerm[node.id] ?? .zero { throw ClusterFailure("node \(node.id) went back to term \(core.term)") }
        // What a node may forget in a crash is bounded by its disk, so the term is compared with that.
        lastTerm[node.id] = node.disk.hardState.term
        if core.role == .leader { try checkLeader(core) }
        if core.commit > commitBefore {
            try noteCommit(core, from: commitBefore)
            if core.role == .leader { try checkQuorum(core, before: membershipBefore, all: all) }
        }
    }

    /// V1 and V4: one leader per term, and it holds everything that was ever committed.
    private mutating func checkLeader(_ core: RaftCore) throws {
        if let known = leaders[core.term] {
            if known != core.id { throw ClusterFailure("nodes \(known) and \(core.id) both lead term \(core.term)") }
            return
        }
        leaders[core.term] = core.id
        counts.elections += 1
        for id in committed.dropFirst() where id.term < core.term && id.index >= core.firstIndex && core.term(at: id.index) != id.term {
            throw ClusterFailure("leader \(core.id) of term \(core.term) lacks the committed entry \(id)")
        }
    }

    /// V5: what one node calls committed, all do.
    private mutating func noteCommit(_ core: RaftCore, from before: LogIndex) throws {
        var index = before.next
        while index <= core.commit {
            defer { index = index.next }
            guard let term = core.term(at: index) else { continue }
            let id = EntryID(term: term, index: index)
            let position = Int(index.raw)
            if position < committed.count {
                if committed[position] != .zero && committed[position] != id {
                    throw ClusterFailure("node \(core.id) commits \(id), but \(committed[position]) was committed there")
                }
                committed[position] = id
            } else {
                while committed.count < position { committed.append(.zero) }
                committed.append(id)
            }
        }
    }

    /// V6: what a leader commits is on the disks of a quorum.
    private func checkQuorum(_ core: RaftCore, before: Membership, all: [TestNode]) throws {
        let id = EntryID(term: core.term(at: core.commit) ?? .zero, index: core.commit)
        func isHeld(by membership: Membership) -> Bool {
            [membership.voters, membership.outgoing].filter { !$0.isEmpty }.allSatisfy { voters in
                // A damaged disk held it once, and its node elects nobody who lacks it.
                all.filter { voters.contains($0.id) && ($0.disk.holds(id) || $0.disk.isDamaged) }.count > voters.count / 2
            }
        }
        guard isHeld(by: before) || core.memberships.contains(where: { isHeld(by: $0.membership) }) else {
            throw ClusterFailure("leader \(core.id) commits \(id) without a quorum of disks")
        }
    }

    // MARK: Promises that leave a node

    /// V9: one vote per term.
    mutating func noteSent(_ message: Message) throws {
        guard case .voteReply(let reply) = message.payload, reply.isGranted else { return }
        let vote = Vote(node: message.from, term: reply.campaign)
        if let known = votes[vote], known != message.to {
            throw ClusterFailure("node \(message.from) votes for \(known) and \(message.to) in term \(reply.campaign)")
        }
        votes[vote] = message.to
    }

    mutating func noteApplied(_ entries: [Entry], by node: TestNode) throws {
        for entry in entries {
            if let known = applied[entry.index], known != entry { throw ClusterFailure("node \(node.id) applies \(entry), others \(known)") }
            applied[entry.index] = entry
            if case .command(let command) = entry.body {
                if let other = places[command.payload], other != entry.index { throw ClusterFailure("\(entry) was applied at \(other) already") }
                places[command.payload] = entry.index
                if refused.contains(command.payload) { throw ClusterFailure("a refused proposal is applied as \(entry)") }
                if let only = command.onlyIfTerm, only != entry.term { throw ClusterFailure("\(entry) is only for term \(only)") }
            }
        }
        try noteState(of: node)
    }

    /// V18, V19: equal states at equal indexes.
    mutating func noteState(of node: TestNode) throws {
        let index = node.machine.applied.index
        if let known = hashes[index], known != node.machine.hash { throw ClusterFailure("node \(node.id) has another state at \(index)") }
        hashes[index] = node.machine.hash
    }

    // MARK: Clients

    mutating func proposed(_ ticket: Ticket, payload: [UInt8]) { open[ticket] = payload }
    mutating func asked(_ ticket: Ticket) { readFloors[ticket] = seen }
    /// The process that was asked is gone: its clients know nothing.
    mutating func forget(_ tickets: some Sequence<Ticket>) { for ticket in tickets { open[ticket] = nil; readFloors[ticket] = nil } }

    mutating func note(_ results: [ProposalResult]) throws {
        for result in results {
            guard let payload = open.removeValue(forKey: result.ticket) else { throw ClusterFailure("\(result) answers nothing, or again") }
            switch result.outcome {
            case .committed(let id):
                counts.committedProposals += 1
                guard committed.count > Int(id.index.raw), committed[Int(id.index.raw)] == id else { throw ClusterFailure("\(result), but it is not") }
                if let entry = applied[id.index], entry.body != .command(Command(payload)) , case .command(let command) = entry.body, command.payload != payload {
                    throw ClusterFailure("\(result), but another command is there")
                }
                seen = max(seen, id.index)
            case .refused:
                counts.refusedProposals += 1
                refused.insert(payload)
                if places[payload] != nil {
                    throw ClusterFailure("\(result), but it was applied")
                }
            case .unknown: counts.unknownProposals += 1
            }
        }
    }

    /// V14: a read sees everything that any client had seen when it began.
    mutating func note(_ results: [ReadResult]) throws {
        for result in results {
            switch result {
            case .ready(let tickets, let index):
                for ticket in tickets {
                    guard let floor = readFloors.removeValue(forKey: ticket) else { throw ClusterFailure("\(result) answers nothing, or again") }
                    if index < floor { throw ClusterFailure("stale read: \(result), but \(floor) had been seen") }
                    counts.reads += 1
                }
                seen = max(seen, index)
            case .failed(let tickets, _):
                for ticket in tickets where readFloors.removeValue(forKey: ticket) == nil { throw ClusterFailure("\(result) answers nothing, or again") }
                counts.failedReads += tickets.count
            }
        }
    }

    mutating func noteInstall() { counts.installs += 1 }
    mutating func noteMembershipChange() { counts.membershipChanges += 1 }
    mutating func noteRecovery() { counts.recoveries += 1 }

    // MARK: Now and then

    /// V3: where two logs share an entry, they are the same up to there.
    func checkLogMatching(_ nodes: [TestNode]) throws {
        for (position, a) in nodes.enumerated() {
            for b in nodes.dropFirst(position + 1) {
                var index = min(a.disk.lastIndex, b.disk.lastIndex)
                let first = max(a.disk.compactedThrough.index, b.disk.compactedThrough.index).next
                while index >= first, a.disk.entry(at: index)?.term != b.disk.entry(at: index)?.term { index = index.previous }
                while index >= first {
                    if a.disk.entry(at: index) != b.disk.entry(at: index) { throw ClusterFailure("logs of \(a.id) and \(b.id) differ at \(index)") }
                    index = index.previous
                }
            }
        }
    }

    /// Everything that was asked was answered.
    func checkAllAnswered() throws {
        if let ticket = open.keys.min(by: { $0.raw < $1.raw }) { throw ClusterFailure("proposal \(ticket) was never answered") }
        if let ticket = readFloors.keys.min(by: { $0.raw < $1.raw }) { throw ClusterFailure("read \(ticket) was never answered") }
    }
}
