import Raft

/// One node of a test cluster: a core, its disk, its state machine, and the queues between them. The owner decides when each moves.
final class TestNode {
    let id: NodeID
    private(set) var settings: Settings
    private(set) var core: RaftCore
    var disk: TestDisk
    var machine: TestMachine
    /// The state machine as of the last checkpoint and the one before it; a crash may lose the last.
    private(set) var checkpoint: TestMachine
    private(set) var previousCheckpoint: TestMachine
    private(set) var incarnation: UInt64 = 1
    /// Handed out and not durable.
    private(set) var writes: [LogWrite] = []
    /// Messages that wait for a write.
    private(set) var held: [OutgoingMessage] = []
    private(set) var applyQueue: [ClosedRange<LogIndex>] = []
    private var effects = Effects()
    #if CONCLAVE_MUTANTS
    var plantedFault: PlantedFault?
    #endif

    init(id: NodeID, founding: Membership, settings: Settings, now: Instant) throws {
        self.id = id
        self.settings = settings
        disk = TestDisk()
        disk.base = MembershipRecord(index: .zero, membership: founding)
        machine = TestMachine(membership: founding)
        checkpoint = machine
        previousCheckpoint = machine
        core = try RaftCore(
            id: id, incarnation: Self.incarnation(of: id, life: 1), settings: settings,
            recovered: disk.recovered(applied: .zero, stateDurable: .zero), now: now)
    }

    /// Short to print: the third life of node 2 is 2003.
    private static func incarnation(of id: NodeID, life: UInt64) -> Incarnation { Incarnation(id.raw * 1_000 + life) }

    /// Gives the core an input and takes care of what stays inside the node.
    ///
    /// - Returns: The effects. Of the messages only those that need not wait leave now; for the others see ``completeWrites(_:)``.
    func step(_ input: Input, now: Instant, rng: inout some RandomNumberGenerator) -> Effects {
        core.step(input, now: now, log: disk, rng: &rng, into: &effects)
        let result = effects
        if let write = result.write { writes.append(write) }
        held += result.messages.filter { $0.after != nil }
        if let range = result.apply { applyQueue.append(range) }
        for action in result.snapshots {
            if case .beginFetch(let meta, let offset) = action { disk.staged = (meta, offset) }
            if case .discard(let image) = action, disk.staged?.meta.image == image { disk.staged = nil }
        }
        if let index = result.compactBefore { disk.compact(before: index) }
        return result
    }

    /// Makes the oldest `count` writes durable.
    ///
    /// - Returns: The number to report, and the messages that may leave now.
    func completeWrites(_ count: Int) -> (sequence: WriteSequence, messages: [OutgoingMessage])? {
        guard count > 0, count <= writes.count else { return nil }
        for write in writes.prefix(count) { disk.perform(write) }
        let sequence = writes[count - 1].sequence
        writes.removeFirst(count)
        let free = held.filter { ($0.after ?? .zero) <= sequence }
        held.removeAll { ($0.after ?? .zero) <= sequence }
        return (sequence, free)
    }

    /// Applies the next range that was handed over. The durable log must hold it.
    ///
    /// - Returns: The entries applied, or nil when there is nothing to do.
    func applyNext() throws -> [Entry]? {
        guard !applyQueue.isEmpty else { return nil }
        let range = applyQueue.removeFirst()
        var applied: [Entry] = []
        var index = range.lowerBound
        while index <= range.upperBound {
            guard let entry = disk.entry(at: index) else { throw ClusterFailure("node \(id) is to apply \(index), which is not on its disk") }
            machine.apply(entry)
            applied.append(entry)
            index = index.next
        }
        return applied
    }

    /// Makes the state durable; what may be relied on is the checkpoint before.
    func takeCheckpoint() -> LogIndex {
        previousCheckpoint = checkpoint
        checkpoint = machine
        return previousCheckpoint.applied.index
    }

    /// The staged image becomes the state, durably.
    func install(_ state: TestMachine) {
        machine = state
        checkpoint = state
        previousCheckpoint = state
        applyQueue = []
    }

    /// The process dies: queues are gone, a prefix of the unfinished writes may have reached the disk, the last checkpoint may not have.
    func crash(survivingWrites: Int, losesCheckpoint: Bool) {
        for write in writes.prefix(survivingWrites) { disk.perform(write) }
        writes = []
        held = []
        applyQueue = []
        // A log that was compacted up to a checkpoint needs at least that one.
        let state = losesCheckpoint && previousCheckpoint.applied.index >= disk.compactedThrough.index ? previousCheckpoint : checkpoint
        machine = state
        checkpoint = state
        previousCheckpoint = state
    }

    /// Starts again from what the disks hold. `images` finds the state of a staged image that must be rolled forward.
    func restart(settings: Settings? = nil, now: Instant, images: [SnapshotImage: TestMachine]) throws {
        if let settings { self.settings = settings }
        incarnation += 1
        if let boundary = disk.boundary, machine.applied.index < boundary.last.index {
            guard let state = images[boundary.image] else { throw ClusterFailure("node \(id) staged an image nobody made") }
            install(state)
        }
        core = try RaftCore(
            id: id, incarnation: Self.incarnation(of: id, life: incarnation), settings: self.settings,
            recovered: disk.recovered(applied: machine.applied.index, stateDurable: machine.applied.index), now: now)
        #if CONCLAVE_MUTANTS
        core.plantedFault = plantedFault
        #endif
    }

    #if CONCLAVE_MUTANTS
    func plant(_ fault: PlantedFault?) {
        plantedFault = fault
        core.plantedFault = fault
    }
    #endif
}

/// A promise that a test cluster found broken.
struct ClusterFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
