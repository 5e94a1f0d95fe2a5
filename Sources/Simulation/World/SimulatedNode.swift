package import Raft
package import SimulatedDisk

/// One member of a simulated cluster: the real core and the real log code over a simulated disk, a state machine, and the queues that a
/// driver has between them. The ``World`` decides when each moves.
package final class SimulatedNode {
    package enum Condition: Hashable, Sendable {
        case running
        /// The process is gone; another one will start.
        case down
        /// Damage or a lost disk: never comes back under this id.
        case lost
        /// Told that it is not a member any more. The process has ended; the data is still there.
        case retired
        /// Switched off for good by the operator.
        case stopped
    }

    package let id: NodeID
    /// In ``World/nodes``, where nodes are only ever added.
    package let position: Int
    /// While no process runs, the core as it was at the end.
    package internal(set) var core: RaftCore
    package internal(set) var condition = Condition.running
    /// Counts processes, from 1.
    package internal(set) var life = 1

    // MARK: Disks

    package let disk: SimulatedDisk
    package internal(set) var machine: RegisterMachine
    package internal(set) var checkpoints: Checkpoints
    package internal(set) var snapshots = SnapshotStore()
    /// Its log was damaged, and is not whole again yet.
    package internal(set) var isDamaged = false
    var log: NodeLog

    // MARK: What stays the same over its lives, or almost

    /// What the operator told it: the membership of a founding member, or none.
    let founding: Membership
    let joinGeneration: UInt64
    /// The feature level of its program; an upgrade raises it at a restart.
    package internal(set) var programLevel: UInt16
    var clock: NodeClock

    // MARK: Queues of this life

    /// Handed out by the core, not taken up by the log thread.
    var queuedWrites: [LogWrite] = []
    /// Appended to the log, not synced.
    var appendedWrites: [LogWrite] = []
    var isLogBusy = false
    var compactBefore: LogIndex?
    var prefetchFrom: LogIndex?
    /// Messages that wait for a write.
    var heldMessages: [OutgoingMessage] = []
    var heldInstall: (meta: SnapshotMeta, after: WriteSequence)?
    var installing: SnapshotMeta?
    var applyQueue: [ClosedRange<LogIndex>] = []
    var isApplying = false
    var isCheckpointPlanned = false
    /// Clients that this node owes an answer.
    var waiters: [Waiter] = []
    var timerAt: UInt64?
    var effects = Effects()

    // MARK: Troubles

    var pausedUntil: UInt64 = 0
    var slowUntil: UInt64 = 0
    var hungUntil: UInt64 = 0
    var fullUntil: UInt64 = 0
    /// The process dies after so many more effects.
    var effectsToLive: Int?
    /// The next start of a process fails after so many calls to the disk.
    var callsToStart: Int?

    init(
        id: NodeID, position: Int, core: RaftCore, disk: SimulatedDisk, log: NodeLog, machine: RegisterMachine, founding: Membership,
        joinGeneration: UInt64, programLevel: UInt16, clock: NodeClock
    ) {
        self.id = id
        self.position = position
        self.core = core
        self.disk = disk
        self.log = log
        self.machine = machine
        checkpoints = Checkpoints(machine)
        self.founding = founding
        self.joinGeneration = joinGeneration
        self.programLevel = programLevel
        self.clock = clock
    }

    package var isRunning: Bool { condition == .running }
    /// A process is there or will be.
    package var isMember: Bool { condition == .running || condition == .down }

    /// Everything that only the process had in memory is gone.
    func forgetProcess() {
        queuedWrites.removeAll()
        appendedWrites.removeAll()
        isLogBusy = false
        compactBefore = nil
        prefetchFrom = nil
        heldMessages.removeAll()
        heldInstall = nil
        installing = nil
        applyQueue.removeAll()
        isApplying = false
        isCheckpointPlanned = false
        waiters.removeAll()
        timerAt = nil
        pausedUntil = 0
        effectsToLive = nil
        snapshots.forgetMade()
    }
}

/// A client's attempt that a node has not answered.
struct Waiter {
    enum Stage {
        case asked
        /// Committed there; applying it gives the answer.
        case committed(EntryID)
        /// To be read when the state is as new as this.
        case readable(LogIndex)
    }

    let attempt: Attempt
    var stage: Stage

    init(_ attempt: Attempt) {
        self.attempt = attempt
        stage = .asked
    }
}
