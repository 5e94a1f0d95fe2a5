import Raft

/// The whole cluster at one moment, as a value: nodes, messages under way, what is left to do, and what the oracle remembers.
struct ModelState {
    static let clock = Instant(nanoseconds: 1_000_000_000)
    private static let founding = Membership(voters: [1, 2, 3].map(NodeID.init))

    enum Action {
        case deliver(Int)
        case completeWrite(Int)
        case campaign(Int)
        case propose(Int)
        case read(Int)
        case change(Int)
        case reconnect(Int, to: NodeID)
        case crash(Int)
    }

    private let scope: ExplorationScope
    private(set) var nodes: [ModelNode] = []
    /// Ascending by digest, each once.
    private(set) var flights: [Flight] = []
    private(set) var oracle = ModelOracle()
    private var campaigns = 0
    private var proposals = 0
    private var reads = 0
    private var reconnects = 0
    private var crashes = 0
    private var isChanged = false

    init(_ scope: ExplorationScope) throws(ModelViolation) {
        self.scope = scope
        for id in Self.founding.voters { nodes.append(ModelNode(core: try makeCore(id, life: 1, disk: ModelDisk()))) }
        for position in nodes.indices { try step(position, .tick) }
        if scope.start == .elected { try elect() }
    }

    private func makeCore(_ id: NodeID, life: UInt64, disk: ModelDisk) throws(ModelViolation) -> RaftCore {
        do throws(RecoveryProblem) {
            let core = try RaftCore(
                id: id, incarnation: Incarnation(id.raw * 100 + life), settings: Settings(), recovered: disk.recovered(Self.founding), now: Self.clock)
            #if CONCLAVE_MUTANTS
            var faulty = core
            faulty.plantedFault = scope.plantedFault
            return faulty
            #else
            return core
            #endif
        } catch {
            throw ModelViolation(rule: "V7 recovery", text: "\(error)")
        }
    }

    /// Node 1 campaigns, and everything that follows is done until nothing is left.
    private mutating func elect() throws(ModelViolation) {
        _ = try perform(.campaign(0))
        while let action = quiet.first { _ = try perform(action) }
        campaigns = 0
    }

    /// What the cluster does by itself.
    private var quiet: [Action] {
        flights.indices.map(Action.deliver) + nodes.indices.filter { !nodes[$0].writes.isEmpty }.map(Action.completeWrite)
    }

    var digest: UInt64 {
        var digest = StateDigest()
        for node in nodes { digest.fold(node.digest) }
        for flight in flights { digest.fold(flight.digest) }
        for count in [campaigns, proposals, reads, reconnects, crashes] { digest.fold(UInt64(count)) }
        digest.fold(isChanged)
        oracle.fold(into: &digest)
        return digest.value
    }

    // MARK: Actions

    func actions() -> [Action] {
        var actions = quiet
        for position in nodes.indices where nodes[position].core.halted == nil {
            let isLeader = nodes[position].core.role == .leader
            let isFirst = scope.start == .founded && campaigns == 0
            if campaigns < scope.campaigns, !isLeader, !isFirst || position == 0 { actions.append(.campaign(position)) }
            if proposals < scope.proposals, isLeader { actions.append(.propose(position)) }
            if reads < scope.reads { actions.append(.read(position)) }
            if scope.change != nil, !isChanged, isLeader { actions.append(.change(position)) }
            if reconnects < scope.reconnects, isLeader {
                for other in nodes where other.core.id != nodes[position].core.id { actions.append(.reconnect(position, to: other.core.id)) }
            }
            if crashes < scope.crashes { actions.append(.crash(position)) }
        }
        return actions
    }

    func describe(_ action: Action) -> String {
        switch action {
        case .deliver(let place): "deliver \(flights[place].message)"
        case .completeWrite(let position): "node \(nodes[position].core.id) syncs \(nodes[position].writes[0])"
        case .campaign(let position): "node \(nodes[position].core.id) campaigns"
        case .propose(let position): "node \(nodes[position].core.id) is given a proposal"
        case .read(let position): "node \(nodes[position].core.id) is asked for a read"
        case .change(let position): "node \(nodes[position].core.id) is asked for the membership change"
        case .reconnect(let position, let peer): "node \(nodes[position].core.id) connects anew to \(peer)"
        case .crash(let position): "node \(nodes[position].core.id) crashes and starts again"
        }
    }

    /// - Returns: False when the result offers nothing that this state does not offer.
    mutating func perform(_ action: Action) throws(ModelViolation) -> Bool {
        switch action {
        case .deliver(let place): return try deliver(place)
        case .completeWrite(let position): try completeWrite(position)
        case .campaign(let position):
            campaigns += 1
            return try campaign(position)
        case .propose(let position):
            proposals += 1
            let command = Command([UInt8(proposals)])
            try step(position, .propose([Proposal(ticket: Ticket(UInt64(proposals)), command: command)]))
        case .read(let position):
            reads += 1
            let ticket = Ticket(UInt64(1_000 + reads))
            oracle.asked(ticket, at: nodes[position].core.id)
            try step(position, .read([ticket]))
        case .change(let position):
            guard let change = scope.change else { return false }
            isChanged = true
            return try stepChangesSomething(position, .changeMembership(change, Ticket(2_000)))
        case .reconnect(let position, let peer):
            reconnects += 1
            return try stepChangesSomething(position, .peerConnection(peer, isUp: true))
        case .crash(let position): try crash(position)
        }
        return true
    }

    private mutating func stepChangesSomething(_ position: Int, _ input: Input) throws(ModelViolation) -> Bool {
        let before = nodes[position].digest
        let saidSomething = try step(position, input)
        return saidSomething || nodes[position].digest != before
    }

    private mutating func deliver(_ place: Int) throws(ModelViolation) -> Bool {
        let message = flights.remove(at: place).message
        guard let position = nodes.firstIndex(where: { $0.core.id == message.to }) else { return false }
        return try stepChangesSomething(position, .message(message))
    }

    /// As if the leader that the node knows, or any node, had told it to.
    private mutating func campaign(_ position: Int) throws(ModelViolation) -> Bool {
        let core = nodes[position].core
        let other = core.leader ?? nodes[(position + 1) % nodes.count].core.id
        return try stepChangesSomething(
            position, .message(Message(from: other, to: core.id, term: core.term, payload: .timeoutNow(expecting: .zero))))
    }

    private mutating func completeWrite(_ position: Int) throws(ModelViolation) {
        let write = nodes[position].writes.removeFirst()
        let before = nodes[position].disk
        nodes[position].disk.perform(write)
        nodes[position].durable = write.sequence
        try oracle.written(position, before: before, nodes)
        let free = nodes[position].held.filter { ($0.after ?? .zero) <= write.sequence }
        nodes[position].held.removeAll { ($0.after ?? .zero) <= write.sequence }
        for outgoing in free { try release(outgoing.message) }
        try step(position, .logDurable(write.sequence))
    }

    private mutating func crash(_ position: Int) throws(ModelViolation) {
        crashes += 1
        let node = nodes[position]
        oracle.crashed(node.core.id)
        nodes[position] = ModelNode(core: try makeCore(node.core.id, life: node.life + 1, disk: node.disk))
        nodes[position].disk = node.disk
        nodes[position].life = node.life + 1
        try step(position, .tick)
    }

    // MARK: Steps

    /// - Returns: Whether there were effects.
    @discardableResult
    private mutating func step(_ position: Int, _ input: Input) throws(ModelViolation) -> Bool {
        let before = nodes[position].core
        var effects = Effects()
        var rng = NoChance()
        let disk = nodes[position].disk
        nodes[position].core.step(input, now: Self.clock, log: disk, rng: &rng, into: &effects)
        try oracle.stepped(position, before: before, nodes)
        if case .violation(let violation)? = effects.halt { throw ModelViolation(rule: "a core halted", text: "\(violation)") }
        if let write = effects.write { nodes[position].writes.append(write) }
        for outgoing in effects.messages {
            if let after = outgoing.after, after > nodes[position].durable { nodes[position].held.append(outgoing) } else { try release(outgoing.message) }
        }
        for result in effects.proposals { try oracle.answered(result) }
        if let range = effects.apply {
            let entries = disk.entries(from: range.lowerBound, through: range.upperBound, byteCountMax: .max) ?? []
            try oracle.applied(entries, range, by: nodes[position].core.id)
            try step(position, .applied(range.upperBound))
        }
        for result in effects.reads { try oracle.answered(result) }
        nodes[position].refresh()
        if !scope.delaysWrites { while !nodes[position].writes.isEmpty { try completeWrite(position) } }
        return !effects.isEmpty
    }

    private mutating func release(_ message: Message) throws(ModelViolation) {
        try oracle.sent(message)
        switch message.payload {
        case .heartbeat, .heartbeatReply: guard scope.carriesHeartbeats else { return }
        default: break
        }
        let flight = Flight(message)
        let place = flights.firstIndex { $0.digest >= flight.digest } ?? flights.count
        if place < flights.count, flights[place].digest == flight.digest { return }
        flights.insert(flight, at: place)
    }
}

/// The clocks stand still, so it does not matter when a timer would fire.
private struct NoChance: RandomNumberGenerator {
    mutating func next() -> UInt64 { 0 }
}
