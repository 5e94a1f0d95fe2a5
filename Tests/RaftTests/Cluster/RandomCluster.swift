import Raft

/// A cluster in one thread under virtual time: everything that happens, and when, follows from the seed.
///
/// A small forerunner of the full simulator: the real core, and models of the log, the state machine and the network.
struct RandomCluster {
    enum Event {
        case deliver(Message)
        case tick(NodeID, life: UInt64)
        case diskDone(NodeID, life: UInt64)
        case apply(NodeID, life: UInt64)
        case checkpoint(NodeID, life: UInt64)
        case input(NodeID, life: UInt64, Input)
        case restart(NodeID)
        case heal
        case client
        case nemesis
    }

    let seed: UInt64
    /// The rule that every node of the cluster breaks, in builds that can.
    let fault: PlantedFault?
    private(set) var mix: FaultMix
    private(set) var rng: SplitMix
    private(set) var nodes: [TestNode] = []
    private(set) var checker = ClusterChecker()
    private(set) var now: UInt64 = 1_000
    private(set) var eventCount = 0
    var trace: ((String) -> Void)?

    private var queue = EventQueue<Event>()
    private var images: [SnapshotImage: TestMachine] = [:]
    private var crashed: Set<NodeID> = []
    private var retired: Set<NodeID> = []
    private var pausedUntil: [NodeID: UInt64] = [:]
    private var diskBusyUntil: [NodeID: UInt64] = [:]
    private var drift: [NodeID: Int64] = [:]
    /// Cut links, one way each.
    private var cut: Set<Link> = []
    private var ticketsOf: [NodeID: Set<Ticket>] = [:]
    private var nextTicket: UInt64 = 1
    private var nextNode: UInt64
    private var scheduledTick: [NodeID: UInt64] = [:]
    private var isCalm = false

    private struct Link: Hashable {
        let from: NodeID
        let to: NodeID
    }

    // MARK: Setting up

    init(seed: UInt64, fault: PlantedFault? = nil) throws {
        self.seed = seed
        self.fault = fault
        rng = SplitMix(seed: seed)
        mix = FaultMix(rng: &rng)
        nextNode = UInt64(mix.nodeCount) + 1
        let ids = (1...mix.nodeCount).map { NodeID(UInt64($0)) }
        let learners = mix.nodeCount > 3 && rng.chance(300) ? [ids[ids.count - 1]] : []
        let founding = Membership(voters: ids.filter { !learners.contains($0) }, learners: learners)
        for id in ids { try addNode(id, founding: founding) }
        schedule(.client, in: 20)
        schedule(.nemesis, in: 30)
    }

    private var settings: Settings {
        var settings = Settings()
        settings.electionTimeout = .milliseconds(100)
        settings.heartbeatInterval = .milliseconds(20)
        settings.diskStallTimeout = .milliseconds(200)
        settings.retryInterval = .milliseconds(40)
        settings.unknownOutcomeTimeout = .milliseconds(250)
        settings.usesLeases = mix.usesLeases
        settings.limits.appendBytesMax = 300
        settings.limits.inflightAppendsMax = 4
        settings.limits.inflightBytesMax = 900
        settings.limits.uncommittedBytesMax = 3_000
        settings.limits.catchUpEntriesMax = 20
        settings.limits.trailingEntries = 6
        settings.limits.compactionStep = 4
        settings.limits.snapshotChunkBytes = 10
        return settings
    }

    private mutating func addNode(_ id: NodeID, founding: Membership) throws {
        var settings = settings
        // A node that joins was never a member of an earlier generation; founding members were of the first.
        settings.joinGeneration = 0
        let rate = mix.usesLeases ? Int64(rng.below(41)) - 20 : Int64(rng.below(101)) - 50
        drift[id] = rate
        let node = try TestNode(id: id, founding: founding, settings: settings, now: clock(of: id))
        #if CONCLAVE_MUTANTS
        node.plant(fault)
        #endif
        nodes.append(node)
        try step(node, .tick)
    }

    /// Each node's clock has its own origin and runs up to 2 % (5 % without leases) fast or slow.
    private func clock(of id: NodeID) -> Instant {
        let rate = UInt64(1_000 + (drift[id] ?? 0))
        return Instant(nanoseconds: (id.raw * 77_777 + now * rate / 1_000) * 1_000_000)
    }

    private func time(of instant: Instant, at id: NodeID) -> UInt64 {
        let rate = UInt64(1_000 + (drift[id] ?? 0))
        let local = (instant.nanoseconds + 999_999) / 1_000_000
        let origin = id.raw * 77_777
        return local <= origin ? now : max(now, (local - origin) * 1_000 / rate + 1)
    }

    func node(_ id: NodeID) -> TestNode? { nodes.first { $0.id == id } }

    private func isUp(_ id: NodeID) -> Bool { !crashed.contains(id) && !retired.contains(id) }

    private mutating func schedule(_ event: Event, in delay: Int) { queue.push(event, at: now + UInt64(max(0, delay))) }

    // MARK: Running

    /// Runs under faults, then without, and checks everything.
    mutating func run(events: Int) throws {
        while eventCount < events, try advance() {}
        try calmDown()
        try checker.checkLogMatching(nodes)
    }

    /// One event.
    private mutating func advance() throws -> Bool {
        guard let (time, event) = queue.pop() else { return false }
        now = max(now, time)
        eventCount += 1
        if eventCount % 64 == 0 { try checker.checkLogMatching(nodes) }
        try handle(event)
        return true
    }

    private mutating func handle(_ event: Event) throws {
        switch event {
        case .deliver(let message):
            guard isUp(message.to), let node = node(message.to), !cut.contains(Link(from: message.from, to: message.to)) else { return }
            if postpone(event, for: message.to) { return }
            try step(node, .message(message))
        case .tick(let id, let life):
            guard let node = live(id, life) else { return }
            if postpone(event, for: id) { return }
            scheduledTick[id] = nil
            try step(node, .tick)
        case .diskDone(let id, let life):
            guard let node = live(id, life) else { return }
            if postpone(event, for: id) { return }
            try completeWrites(of: node)
        case .apply(let id, let life):
            guard let node = live(id, life) else { return }
            if postpone(event, for: id) { return }
            if let entries = try node.applyNext() {
                try checker.noteApplied(entries, by: node)
                try step(node, .applied(node.machine.applied.index))
                schedule(.checkpoint(id, life: life), in: rng.within(1...60))
            }
        case .checkpoint(let id, let life):
            guard let node = live(id, life) else { return }
            try step(node, .stateDurable(node.takeCheckpoint()))
        case .input(let id, let life, let input):
            guard let node = live(id, life) else { return }
            if postpone(event, for: id) { return }
            try install(input, at: node)
            try step(node, input)
        case .restart(let id): try restart(id)
        case .heal: cut = []
        case .client: try clientActs()
        case .nemesis: try nemesisActs()
        }
    }

    private func live(_ id: NodeID, _ life: UInt64) -> TestNode? {
        guard isUp(id), let node = node(id), node.incarnation == life else { return nil }
        return node
    }

    /// A paused process handles nothing; all of it comes later, in order.
    private mutating func postpone(_ event: Event, for id: NodeID) -> Bool {
        guard let until = pausedUntil[id], until > now else { return false }
        queue.push(event, at: until)
        return true
    }

    // MARK: One step and its effects

    private mutating func step(_ node: TestNode, _ input: Input) throws {
        let commit = node.core.commit
        let membership = node.core.membership
        let wasRecovering = node.core.role == .recovering
        let effects = node.step(input, now: clock(of: node.id), rng: &rng)
        trace?("\(now) \(node.id) ← \(input)")
        if let trace { for line in lines(of: effects) { trace("      \(line)") } }
        try checker.check(node, commitBefore: commit, membershipBefore: membership, all: nodes)
        if wasRecovering, node.core.role != .recovering { checker.noteRecovery() }
        if effects.committedMembership != nil { checker.noteMembershipChange() }
        for outgoing in effects.messages where outgoing.after == nil { try transmit(outgoing.message) }
        for result in effects.proposals { ticketsOf[node.id]?.remove(result.ticket) }
        for result in effects.reads {
            switch result {
            case .ready(let tickets, _), .failed(let tickets, _): ticketsOf[node.id]?.subtract(tickets)
            }
        }
        try checker.note(effects.proposals)
        try checker.note(effects.reads)
        if effects.write != nil { scheduleDisk(node) }
        if effects.apply != nil { schedule(.apply(node.id, life: node.incarnation), in: rng.within(0...4)) }
        for action in effects.snapshots { try perform(action, at: node) }
        if effects.prefetch != nil { schedule(.input(node.id, life: node.incarnation, .logFetched), in: 1) }
        if case .retired? = effects.halt { retired.insert(node.id) }
        scheduleTick(node)
    }

    private mutating func scheduleTick(_ node: TestNode) {
        guard let deadline = node.core.nextDeadline else { return }
        let at = time(of: deadline, at: node.id)
        if let known = scheduledTick[node.id], known <= at, known >= now { return }
        scheduledTick[node.id] = at
        queue.push(.tick(node.id, life: node.incarnation), at: at)
    }

    private mutating func scheduleDisk(_ node: TestNode) {
        var delay = rng.within(0...mix.diskMax)
        if !isCalm, rng.chance(mix.diskHang) { delay += rng.within(200...800) }
        // One disk, one queue: nothing overtakes.
        let at = max(now + UInt64(delay), diskBusyUntil[node.id] ?? 0)
        diskBusyUntil[node.id] = at
        queue.push(.diskDone(node.id, life: node.incarnation), at: at)
    }

    private mutating func completeWrites(of node: TestNode) throws {
        guard !node.writes.isEmpty else { return }
        let count = rng.chance(300) ? node.writes.count : 1
        guard let (sequence, messages) = node.completeWrites(count) else { return }
        for outgoing in messages { try transmit(outgoing.message) }
        try step(node, .logDurable(sequence))
        if !node.writes.isEmpty { scheduleDisk(node) }
    }

    private mutating func transmit(_ message: Message) throws {
        try checker.noteSent(message)
        guard !cut.contains(Link(from: message.from, to: message.to)) else { return }
        if !isCalm, rng.chance(mix.drop) { return }
        let copies = !isCalm && rng.chance(mix.duplicate) ? 2 : 1
        for copy in 0..<copies {
            var delay = rng.within(0...mix.delayMax)
            if !isCalm, rng.chance(mix.longDelay) || (copy > 0 && rng.chance(200)) { delay += rng.within(50...1_500) }
            schedule(.deliver(message), in: delay)
        }
    }

    // MARK: Snapshots

    private static let imageByteCount: UInt64 = 25

    private mutating func perform(_ action: SnapshotAction, at node: TestNode) throws {
        let life = node.incarnation
        switch action {
        case .make:
            if rng.chance(100) { return schedule(.input(node.id, life: life, .snapshotUnavailable), in: 5) }
            let meta = node.machine.image(maker: node.id, byteCount: Self.imageByteCount)
            images[meta.image] = node.machine
            schedule(.input(node.id, life: life, .snapshotReady(meta)), in: rng.within(1...20))
        case .sendChunk(let to, let term, let image, let offset, let byteCount):
            let end = min(Self.imageByteCount, offset + UInt64(byteCount))
            let chunk = SnapshotChunk(
                image: image, offset: offset, bytes: Array(repeating: 7, count: Int(end - offset)), isLast: end == Self.imageByteCount)
            try transmit(Message(from: node.id, to: to, term: term, payload: .snapshotChunk(chunk)))
        case .store(let chunk):
            if !isCalm, rng.chance(20) { return schedule(.input(node.id, life: life, .snapshotFailed(chunk.image, .damaged)), in: 2) }
            let next = chunk.offset + UInt64(chunk.bytes.count)
            node.disk.staged?.offset = next
            schedule(.input(node.id, life: life, .snapshotChunkStored(chunk.image, next: next, isComplete: chunk.isLast)), in: rng.within(0...5))
        case .install(let meta, _):
            schedule(.input(node.id, life: life, .snapshotInstalled(meta.image)), in: rng.within(1...30))
        case .beginFetch, .discard, .release: break
        }
    }

    /// The state is swapped only when the boundary is on disk; until then, wait.
    private mutating func install(_ input: Input, at node: TestNode) throws {
        guard case .snapshotInstalled(let image) = input else { return }
        while node.disk.boundary?.image != image, !node.writes.isEmpty { try completeWrites(of: node) }
        guard let state = images[image] else { throw ClusterFailure("node \(node.id) installs an image nobody made") }
        node.install(state)
        checker.noteInstall()
        try checker.noteState(of: node)
    }

    // MARK: Clients

    private mutating func newTicket(at node: TestNode) -> Ticket {
        defer { nextTicket += 1 }
        let ticket = Ticket(nextTicket)
        ticketsOf[node.id, default: []].insert(ticket)
        return ticket
    }

    private mutating func clientActs() throws {
        if !isCalm { schedule(.client, in: rng.within(1...25)) }
        guard let node = rng.pick(nodes.filter { isUp($0.id) && (pausedUntil[$0.id] ?? 0) <= now }) else { return }
        switch rng.below(10) {
        case 0...5: try propose(at: node, count: rng.within(1...3))
        default:
            let tickets = (0..<rng.within(1...2)).map { _ in newTicket(at: node) }
            for ticket in tickets { checker.asked(ticket) }
            try step(node, .read(tickets))
        }
    }

    private mutating func propose(at node: TestNode, count: Int) throws {
        var batch: [Proposal] = []
        for _ in 0..<count {
            let ticket = newTicket(at: node)
            var payload = withUnsafeBytes(of: ticket.raw.bigEndian) { Array($0) }
            payload += Array(repeating: 0, count: rng.below(80))
            checker.proposed(ticket, payload: payload)
            let only = rng.chance(100) ? node.core.term : nil
            batch.append(Proposal(ticket: ticket, command: Command(payload, onlyIfTerm: only)))
        }
        try step(node, .propose(batch))
    }

    // MARK: Faults

    private mutating func nemesisActs() throws {
        if isCalm { return }
        schedule(.nemesis, in: rng.within(5...30))
        if rng.chance(mix.crash * 10), let node = rng.pick(nodes.filter { isUp($0.id) }) { try crash(node) }
        if rng.chance(mix.pause * 10), let node = rng.pick(nodes) { pausedUntil[node.id] = now + UInt64(rng.within(20...600)) }
        if rng.chance(mix.partition * 10) { partition() }
        if rng.chance(mix.membership), let leader = currentLeader { try changeMembership(at: leader) }
        if rng.chance(mix.transfer), let leader = currentLeader {
            let target = rng.chance(300) ? nil : rng.pick(nodes.map(\.id))
            try step(leader, .transferLeadership(to: target, Ticket(0)))
        }
        if rng.chance(20), let node = rng.pick(nodes.filter { isUp($0.id) }) { try step(node, .campaign) }
        if rng.chance(20), let node = currentLeader, let peer = rng.pick(nodes) { try step(node, .peerConnection(peer.id, isUp: rng.chance(500))) }
    }

    private var currentLeader: TestNode? {
        nodes.filter { isUp($0.id) && $0.core.role == .leader }.max { $0.core.term < $1.core.term }
    }

    private mutating func crash(_ node: TestNode) throws {
        trace?("\(now) \(node.id) crashes")
        node.crash(survivingWrites: rng.below(node.writes.count + 1), losesCheckpoint: rng.chance(500))
        crashed.insert(node.id)
        checker.forget(ticketsOf.removeValue(forKey: node.id) ?? [])
        if rng.chance(mix.damage) { damage(node) }
        schedule(.restart(node.id), in: rng.within(1...300))
    }

    /// Loses acknowledged entries, of one node at a time: another intact copy must exist somewhere.
    private mutating func damage(_ node: TestNode) {
        guard !nodes.contains(where: { $0.disk.isDamaged }) else { return }
        for membership in nodes.flatMap(\.core.memberships).map(\.membership) {
            for voters in [membership.voters, membership.outgoing] where voters.contains(node.id) && voters.count < 3 { return }
        }
        let keep = max(node.machine.applied.index, node.disk.compactedThrough.index)
        let loss = rng.below(Int(node.disk.lastIndex.distance(from: keep)) + 1)
        node.disk.entries.removeLast(loss)
        node.disk.isDamaged = true
        trace?("\(now) \(node.id) is damaged after \(node.disk.lastIndex)")
    }

    private mutating func restart(_ id: NodeID) throws {
        guard crashed.remove(id) != nil, let node = node(id) else { return }
        pausedUntil[id] = nil
        diskBusyUntil[id] = nil
        scheduledTick[id] = nil
        try node.restart(now: clock(of: id), images: images)
        try checker.noteState(of: node)
        try step(node, .tick)
    }

    private mutating func partition() {
        cut = []
        let ids = nodes.map(\.id)
        switch rng.below(4) {
        case 0:  // Two halves
            let side = Set(ids.filter { _ in rng.chance(500) })
            for a in ids { for b in ids where side.contains(a) != side.contains(b) { cut.insert(Link(from: a, to: b)) } }
        case 1:  // One node hears nobody, or nobody hears it, or both
            guard let lonely = rng.pick(ids) else { return }
            let kind = rng.below(3)
            for other in ids where other != lonely {
                if kind != 1 { cut.insert(Link(from: lonely, to: other)) }
                if kind != 0 { cut.insert(Link(from: other, to: lonely)) }
            }
        case 2:  // Any links
            for a in ids { for b in ids where a != b && rng.chance(250) { cut.insert(Link(from: a, to: b)) } }
        default:  // A chain: each reaches its neighbours only
            for (i, a) in ids.enumerated() { for (j, b) in ids.enumerated() where abs(i - j) > 1 { cut.insert(Link(from: a, to: b)) } }
        }
        schedule(.heal, in: rng.within(50...500))
    }

    private mutating func changeMembership(at leader: TestNode) throws {
        // Taking votes away from intact nodes while one is damaged may leave no quorum: beyond what a cluster can bear.
        guard !nodes.contains(where: { $0.disk.isDamaged }) else { return }
        let membership = leader.core.membership
        let change: MembershipChange
        switch rng.below(6) {
        case 0, 1:
            guard membership.members.count < 7 else { return }
            let id = NodeID(nextNode)
            nextNode += 1
            try addNode(id, founding: .none)
            change = .addLearner(id)
        case 2:
            guard let node = rng.pick(membership.learners) else { return }
            change = .promote(node)
        case 3:
            guard let node = rng.pick(membership.voters) else { return }
            change = .demote(node)
        case 4:
            guard let node = rng.pick(membership.members) else { return }
            change = .remove(node)
        default:
            guard let old = rng.pick(membership.voters), let new = rng.pick(membership.learners) else { return }
            change = .replace(old, by: new)
        }
        trace?("\(now) change \(change)")
        try step(leader, .changeMembership(change, Ticket(0)))
    }

    // MARK: Liveness

    /// Ends all faults and requires that the cluster recovers: everything asked is answered, a new write commits, all members agree.
    private mutating func calmDown() throws {
        isCalm = true
        cut = []
        mix.delayMax = 5
        mix.diskMax = 4
        pausedUntil = pausedUntil.mapValues { min($0, now) }
        for id in crashed.sorted() { try restart(id) }
        try runUntil(limit: 8_000, "a leader that has committed in its term") { $0.currentLeader.map { $0.core.term(at: $0.core.commit) == $0.core.term } ?? false }
        guard let leader = currentLeader else { return }
        try propose(at: leader, count: 1)
        let ticket = newTicket(at: leader)
        checker.asked(ticket)
        try step(leader, .read([ticket]))
        try runUntil(limit: 8_000, "convergence") { cluster in
            guard let leader = cluster.currentLeader else { return false }
            let members = leader.core.membership.members
            return !leader.core.membership.isJoint && leader.core.commit == leader.core.lastEntry.index
                && cluster.nodes.filter { members.contains($0.id) }.allSatisfy {
                    $0.machine.applied == leader.machine.applied && $0.core.commit == leader.core.commit && $0.core.role != .recovering
                }
        }
        let end = now + 800
        while now < end, try advance() {}
        try checker.checkAllAnswered()
    }

    private mutating func runUntil(limit: UInt64, _ what: String, _ isDone: (RandomCluster) -> Bool) throws {
        let end = now + limit
        while !isDone(self) {
            guard now < end, try advance() else {
                let state = nodes.map { "\($0.id): \($0.core.role) t\($0.core.term) \($0.core.lastEntry) commit \($0.core.commit) {\($0.core.membership)}" }
                throw ClusterFailure("no progress: \(what) not within \(limit) ms; \(state.joined(separator: "; "))")
            }
        }
    }

    var digest: UInt64 {
        var digest = StateDigest()
        for node in nodes { digest.fold(node.core.digest()); digest.fold(node.machine.hash) }
        digest.fold(now)
        digest.fold(UInt64(eventCount))
        return digest.value
    }
}
