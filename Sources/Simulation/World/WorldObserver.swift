package import Raft
package import SimulatedDisk
package import WriteAheadLog

/// Hears everything that happens in a ``World``, and says when it must not have happened (`reference/raft.md` §3.2).
///
/// All calls come from the world's one thread, in the order of events, and must not change anything: an observer that draws a number or moves a node
/// would make the run another one. What is not passed can be read from the node or the world, which are in the state after the
/// event. Each call has an empty default.
package protocol WorldObserver: AnyObject {
    /// Once, when every founding node runs and before the first event.
    func began(_ world: World) throws(Finding)
    func phaseChanged(to phase: Phase, in world: World) throws(Finding)

    /// A core took one input. None of the effects is carried out yet.
    func stepped(_ node: SimulatedNode, _ input: Input, _ effects: Effects, before: CoreGlance, in world: World) throws(Finding)
    /// The log has synced a write, and the core is about to be told.
    func durable(_ node: SimulatedNode, _ write: LogWrite, in world: World) throws(Finding)

    /// A message leaves its node. What it waited for is durable, if the driver keeps its contract.
    func sent(_ outgoing: OutgoingMessage, by node: SimulatedNode, in world: World) throws(Finding)
    /// A message reaches its node, and is about to be given to the core.
    func delivered(_ message: Message, to node: SimulatedNode, in world: World) throws(Finding)

    /// The state machine took one entry: ``SimulatedNode/machine`` has it already.
    func applied(_ node: SimulatedNode, _ entry: Entry, _ result: ApplyResult, in world: World) throws(Finding)
    /// ``SimulatedNode/checkpoints`` changed.
    func checkpointed(_ node: SimulatedNode, in world: World) throws(Finding)
    /// The state machine was replaced by a snapshot; also when a restart finishes an installation that a crash had cut short.
    func installed(_ meta: SnapshotMeta, on node: SimulatedNode, in world: World) throws(Finding)

    /// The process is gone; the disk is what the crash left. ``SimulatedNode/core`` still shows the last state before.
    func crashed(_ node: SimulatedNode, _ cause: CrashCause, in world: World) throws(Finding)
    /// A new process has recovered. The first tick comes next.
    func restarted(_ node: SimulatedNode, _ recovered: RecoveredState, in world: World) throws(Finding)
    /// What a new process would find if this one died now. Of a log that was damaged for it only what is there counts, not what is missing.
    func rehearsed(_ node: SimulatedNode, _ recovered: RecoveredLog, afterDamage: Bool, in world: World) throws(Finding)
    /// Damage to the disk that recovery found made a start impossible. The node is lost, and returns only under another id.
    func lost(_ node: SimulatedNode, _ reason: String, in world: World) throws(Finding)
    /// The disk was damaged behind the node's back.
    func damaged(_ node: SimulatedNode, in world: World) throws(Finding)
    func wiped(_ node: SimulatedNode, in world: World) throws(Finding)
    /// A core halted by itself.
    func halted(_ node: SimulatedNode, _ reason: HaltReason, in world: World) throws(Finding)

    /// A client has begun an operation: ``ClientOperation/isFinished`` is false.
    func invoked(_ operation: ClientOperation, in world: World) throws(Finding)
    /// A client gives an attempt of its operation to a node, under this ticket.
    func attempted(_ operation: ClientOperation, ticket: Ticket, at node: SimulatedNode, in world: World) throws(Finding)
    /// The core's word on one attempt of a client.
    func concluded(_ result: ProposalResult, at node: SimulatedNode, in world: World) throws(Finding)
    /// A node reads its state for a client, at least as of `at`.
    func readServed(_ ticket: Ticket, at index: LogIndex, by node: SimulatedNode, in world: World) throws(Finding)
    /// A client has its answer, or has given up.
    func finished(_ operation: ClientOperation, in world: World) throws(Finding)

    /// The end: the liveness phase was passed, and nothing will happen any more.
    func audit(_ world: World) throws(Finding)
}

extension WorldObserver {
    package func began(_ world: World) throws(Finding) {}
    package func phaseChanged(to phase: Phase, in world: World) throws(Finding) {}
    package func stepped(_ node: SimulatedNode, _ input: Input, _ effects: Effects, before: CoreGlance, in world: World) throws(Finding) {}
    package func durable(_ node: SimulatedNode, _ write: LogWrite, in world: World) throws(Finding) {}
    package func sent(_ outgoing: OutgoingMessage, by node: SimulatedNode, in world: World) throws(Finding) {}
    package func delivered(_ message: Message, to node: SimulatedNode, in world: World) throws(Finding) {}
    package func applied(_ node: SimulatedNode, _ entry: Entry, _ result: ApplyResult, in world: World) throws(Finding) {}
    package func checkpointed(_ node: SimulatedNode, in world: World) throws(Finding) {}
    package func installed(_ meta: SnapshotMeta, on node: SimulatedNode, in world: World) throws(Finding) {}
    package func crashed(_ node: SimulatedNode, _ cause: CrashCause, in world: World) throws(Finding) {}
    package func restarted(_ node: SimulatedNode, _ recovered: RecoveredState, in world: World) throws(Finding) {}
    package func rehearsed(_ node: SimulatedNode, _ recovered: RecoveredLog, afterDamage: Bool, in world: World) throws(Finding) {}
    package func lost(_ node: SimulatedNode, _ reason: String, in world: World) throws(Finding) {}
    package func damaged(_ node: SimulatedNode, in world: World) throws(Finding) {}
    package func wiped(_ node: SimulatedNode, in world: World) throws(Finding) {}
    package func halted(_ node: SimulatedNode, _ reason: HaltReason, in world: World) throws(Finding) {}
    package func invoked(_ operation: ClientOperation, in world: World) throws(Finding) {}
    package func attempted(_ operation: ClientOperation, ticket: Ticket, at node: SimulatedNode, in world: World) throws(Finding) {}
    package func concluded(_ result: ProposalResult, at node: SimulatedNode, in world: World) throws(Finding) {}
    package func readServed(_ ticket: Ticket, at index: LogIndex, by node: SimulatedNode, in world: World) throws(Finding) {}
    package func finished(_ operation: ClientOperation, in world: World) throws(Finding) {}
    package func audit(_ world: World) throws(Finding) {}
}

/// What a core was before a step.
package struct CoreGlance: Sendable {
    package let term: Term
    package let hardState: HardState
    package let leader: NodeID?
    package let role: Role
    package let commit: LogIndex
    package let last: EntryID
    /// The membership in force.
    package let membership: Membership

    init(_ core: RaftCore) {
        term = core.term
        hardState = core.hardState
        leader = core.leader
        role = core.role
        commit = core.commit
        last = core.lastEntry
        membership = core.membership
    }
}

/// The parts of a run, in this order (`reference/raft.md` §3.1).
package enum Phase: String, Sendable, CaseIterable {
    /// No faults, so that there is something to lose.
    case warmUp
    /// Faults and load.
    case safety
    /// A quorum is healed, all that is broken elsewhere stays broken, and the cluster must work again.
    case liveness
    /// Clients are silent and the survivors become equal.
    case settling
}

/// Why a process ended.
package enum CrashCause: Hashable, Sendable {
    /// Chosen by chance, at an event or between two effects of one step.
    case chosen(CrashMode)
    /// A call to the disk failed.
    case storage(CrashMode)
    /// While it was starting.
    case recovery(CrashMode)
    /// The operator stopped it for good.
    case stopped
}
