import Raft
import Sessions
import SimulatedDisk

/// A cluster with its network, disks, clocks, clients, operator and troubles, in one thread under virtual time (`reference/raft.md` §3).
///
/// Everything that happens, and when, follows from the seed: nothing here looks at a clock, starts a thread, or walks through a hash table.
/// An ``WorldObserver`` hears of all of it.
package final class World {
    package let seed: UInt64
    package internal(set) var now = VirtualTime(nanoseconds: 1_000_000_000)
    package internal(set) var phase = Phase.warmUp
    package internal(set) var eventCount = 0
    package internal(set) var nodes: [SimulatedNode] = []
    package internal(set) var history: [ClientOperation] = []
    package internal(set) var coverage = Coverage()
    /// Takes one line for each thing that happens. Nil costs nothing.
    package var trace: ((String) -> Void)?

    let observer: any WorldObserver
    var mix: FaultMix
    var rng: SplitMix
    var heap = EventHeap()
    var messages = Pool<Transit>()
    var inputs = Pool<Input>()
    var requests = Pool<Attempt>()
    var replies = Pool<Answer>()
    var network = Network()
    /// What the nemesis waits for.
    var ambushes: [Ambush] = []
    var clients: [Client] = []
    var nextTicket: UInt64 = 1
    var nextValue: UInt64 = 1
    var nextNode: UInt64 = 1
    /// In the liveness phase: the nodes that were healed; clients and the operator go to no others.
    var survivors: [Int] = []
    var livenessBegin = VirtualTime.zero
    #if CONCLAVE_MUTANTS
    let mutant: Mutant?
    #endif

    #if CONCLAVE_MUTANTS
    package init(seed: UInt64, observer: any WorldObserver, mutant: Mutant? = nil) {
        self.seed = seed
        self.observer = observer
        self.mutant = mutant
        rng = SplitMix(seed: seed)
        mix = FaultMix(rng: &rng)
        if case .sessions(let fault)? = mutant { mix.sessions.plantedFault = fault }
    }
    #else
    package init(seed: UInt64, observer: any WorldObserver) {
        self.seed = seed
        self.observer = observer
        rng = SplitMix(seed: seed)
        mix = FaultMix(rng: &rng)
    }
    #endif

    /// What this run is like, in one line.
    package var character: String { mix.description }

    // MARK: A run

    /// Runs all phases.
    ///
    /// - Parameter events: How many events the first two phases have; the others end when the cluster has shown what it must.
    /// - Throws: The first promise that was broken.
    package func run(events: Int) throws(Finding) {
        note { "\(self.mix.description)" }
        try found()
        try observer.began(self)
        while eventCount < events / 10 { try advance() }
        try enter(.safety)
        push(.nemesis, in: rng.around(mix.nemesisInterval))
        if let interval = mix.operatorInterval { push(.operator, in: rng.around(interval)) }
        while eventCount < events { try advance() }
        try live()
        try settleDown()
        if rng.chance(perMille: 500) { try stayCalm() }
        try observer.audit(self)
    }

    func enter(_ next: Phase) throws(Finding) {
        phase = next
        note { "phase \(next)" }
        try observer.phaseChanged(to: next, in: self)
    }

    /// The next event happens.
    func advance() throws(Finding) {
        guard let event = heap.pop() else { preconditionFailure("clients never stop planning, so the heap is never empty") }
        now = max(now, VirtualTime(nanoseconds: event.time))
        eventCount += 1
        try handle(event.what)
    }

    private func handle(_ what: Event.What) throws(Finding) {
        switch what {
        case .deliver(let slot): try arrive(slot)
        case .request(let slot): try requestArrives(slot)
        case .reply(let slot): try answerArrives(slot)
        case .client(let client, let generation): try clientWakes(client, generation)
        case .timer(let position, let life):
            guard let node = live(position, life, what), node.timerAt.map({ $0 <= now.nanoseconds }) ?? false else { return }
            node.timerAt = nil
            try step(node, .tick)
        case .logWork(let position, let life):
            if let node = live(position, life, what) { try logWorks(node) }
        case .logSync(let position, let life):
            if let node = live(position, life, what) { try logSyncs(node) }
        case .apply(let position, let life):
            if let node = live(position, life, what) { try applyNext(node) }
        case .checkpoint(let position, let life):
            if let node = live(position, life, what) { try takeCheckpoint(node) }
        case .input(let position, let life, let slot):
            guard nodes[position].life == life, nodes[position].isRunning else {
                _ = inputs.take(slot)
                return
            }
            guard let node = live(position, life, what) else { return }
            try inputArrives(inputs.take(slot), at: node)
        case .restart(let position, let life):
            guard nodes[position].life == life, nodes[position].condition == .down else { return }
            try restart(nodes[position])
        case .ambushCrash(let position, let life):
            if nodes[position].life == life, nodes[position].isRunning { try crash(nodes[position]) }
        case .nemesis: try nemesisActs()
        case .operator: try operatorActs()
        }
    }

    /// The node that an event is for, if that process still runs and is not paused; a paused one gets all its events at once when it goes on.
    private func live(_ position: Int, _ life: Int, _ what: Event.What) -> SimulatedNode? {
        let node = nodes[position]
        guard node.life == life, node.isRunning else { return nil }
        return postpone(what, for: node) ? nil : node
    }

    func postpone(_ what: Event.What, for node: SimulatedNode) -> Bool {
        guard node.pausedUntil > now.nanoseconds else { return false }
        heap.push(what, at: node.pausedUntil)
        return true
    }

    // MARK: Planning

    func push(_ what: Event.What, in delay: Interval) { heap.push(what, at: now.nanoseconds + delay.nanoseconds) }

    /// An input for this life of the node, some time from now.
    func plan(_ input: Input, at node: SimulatedNode, in delay: Interval) {
        push(.input(node: node.position, life: node.life, slot: inputs.put(input)), in: delay)
    }

    // MARK: Telling

    func note(_ line: () -> String) {
        if let trace { trace("\(now) \(line())") }
    }

    func finding(_ rule: String, _ node: SimulatedNode? = nil, _ text: String) -> Finding {
        Finding(rule: rule, node: node?.id, time: now, text: text)
    }

    /// Whether a mistake of the driver is built in; see ``PlantedDriverFault``.
    #if CONCLAVE_MUTANTS
    func isPlanted(_ fault: PlantedDriverFault) -> Bool { mutant == .driver(fault) }
    #else
    @inline(__always) func isPlanted(_ fault: PlantedDriverFault) -> Bool { false }
    #endif
}
