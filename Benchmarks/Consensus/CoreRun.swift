import Raft

/// Three cores in one thread that pass messages in memory, on disks that take no time: what the algorithm itself costs.
///
/// A window of proposals is always open at the leader: as many are made as have just been committed. Time is virtual, so that
/// reading a clock costs nothing.
struct CoreRun {
    struct Outcome {
        var steps = 0
        var committed = 0
        var nanoseconds: UInt64 = 0
        /// At the leader; nil when they were not counted.
        var allocations: UInt64?
    }

    /// The state counts as durable, and the log is cut, after so many entries.
    private static let checkpointEntries: UInt64 = 4_096

    private var nodes: [CoreNode] = []
    private var now = Instant.zero
    private let window: Int
    private let command: Command
    private var random = SystemRandomNumberGenerator()
    private var nextTicket: UInt64 = 1
    private let leader = 0

    init(window: Int, payloadByteCount: Int) throws {
        self.window = window
        command = Command([UInt8](repeating: 7, count: payloadByteCount))
        let ids = (1...3).map { NodeID($0) }
        let membership = Membership(voters: ids)
        for id in ids { nodes.append(try CoreNode(id: id, membership: membership)) }
        step(leader, .campaign)
        while nodes[leader].core.role != .leader || nodes[leader].core.commit == .zero { turn() }
    }

    /// Measures for at least so long.
    mutating func run(nanoseconds: UInt64) -> Outcome {
        var outcome = Outcome(allocations: MallocCounter.current.map { _ in 0 })
        for node in nodes { node.steps = 0; node.allocations = 0; node.committed = 0 }
        let clock = ContinuousClock()
        let start = clock.now
        propose(window)
        repeat {
            // The clock is read seldom, for it costs as much as a step.
            for _ in 0..<100 {
                let before = nodes[leader].committed
                turn()
                propose(nodes[leader].committed - before)
            }
            outcome.nanoseconds = (clock.now - start).nanoseconds
        } while outcome.nanoseconds < nanoseconds
        outcome.steps = nodes.reduce(0) { $0 + $1.steps }
        outcome.committed = nodes[leader].committed
        if outcome.allocations != nil { outcome.allocations = nodes[leader].allocations }
        return outcome
    }

    private mutating func propose(_ count: Int) {
        guard count > 0 else { return }
        var batch: [Proposal] = []
        batch.reserveCapacity(count)
        for _ in 0..<count {
            batch.append(Proposal(ticket: Ticket(nextTicket), command: command))
            nextTicket += 1
        }
        step(leader, .propose(batch))
    }

    /// Every node takes what has arrived, syncs once, and applies once: a server's loop.
    private mutating func turn() {
        now = now + Interval(nanoseconds: 1_000)
        let isTick = now.nanoseconds % 10_000_000 == 0
        for position in nodes.indices {
            let node = nodes[position]
            if isTick { step(position, .tick) }
            for message in node.takeInbox() { step(position, .message(message)) }
            if let sequence = node.finishWrites() { step(position, .logDurable(sequence)) }
            guard let index = node.takeApplied() else { continue }
            step(position, .applied(index))
            guard index.distance(from: node.checkpoint) >= Self.checkpointEntries else { continue }
            node.checkpoint = index
            step(position, .stateDurable(index))
        }
    }

    private mutating func step(_ position: Int, _ input: Input) {
        nodes[position].step(input, now: now, rng: &random)
        for message in nodes[position].takeOutbox() { nodes[Int(message.to.raw) - 1].inbox.append(message) }
    }
}

extension Duration {
    var nanoseconds: UInt64 { UInt64(components.seconds) * 1_000_000_000 + UInt64(components.attoseconds / 1_000_000_000) }
}
