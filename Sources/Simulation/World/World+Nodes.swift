import Raft
import SimulatedDisk
import WriteAheadLog

/// The lives of nodes: founding, adding, crashing, recovering.
extension World {
    func found() throws(Finding) {
        let ids = (1...mix.nodeCount).map { NodeID(UInt64($0)) }
        nextNode = UInt64(mix.nodeCount) + 1
        let voterCount = mix.nodeCount - mix.foundingLearners
        let level = mix.hasUpgrade ? 0 : RegisterCommand.compareAndSetLevel
        let founding = Membership(
            voters: Array(ids.prefix(voterCount)), learners: Array(ids.dropFirst(voterCount)), featureLevel: level)
        for id in ids { try addNode(id, founding: founding, joinGeneration: 0) }
        for _ in 0..<mix.clientCount { addClient() }
    }

    /// A machine with an empty disk. The first step follows.
    func addNode(_ id: NodeID, founding: Membership, joinGeneration: UInt64, clusterLevel: UInt16 = 0) throws(Finding) {
        let clock = NodeClock(origin: id.raw * 77_777_000_000_000, driftPerMillion: rng.within(-mix.driftMax...mix.driftMax))
        let isOld = mix.hasUpgrade && clusterLevel == 0 && rng.chance(perMille: 700)
        let level = isOld ? 0 : RegisterCommand.compareAndSetLevel
        let disk = SimulatedDisk()
        let machine = RegisterMachine(membership: founding, sessions: mix.sessions)
        do {
            let (log, recovered) = try openLog(disk: disk, id: id)
            let node = SimulatedNode(
                id: id, position: nodes.count,
                core: try makeCore(id: id, life: 1, level: level, joinGeneration: joinGeneration, recovered: merge(recovered, machine, founding), clock: clock),
                disk: disk, log: log, machine: machine, founding: founding, joinGeneration: joinGeneration, programLevel: level, clock: clock)
            nodes.append(node)
            network.grow(to: nodes.count)
            note { "node \(id) begins, level \(level), {\(founding)}" }
            try step(node, .tick)
        } catch let problem as Finding {
            throw problem
        } catch {
            throw finding("recovery", nil, "a new node \(id) does not start: \(error)")
        }
    }

    func settings(level: UInt16, joinGeneration: UInt64) -> Settings {
        var settings = mix.settings
        settings.featureLevelMax = level
        settings.joinGeneration = joinGeneration
        return settings
    }

    private func makeCore(
        id: NodeID, life: Int, level: UInt16, joinGeneration: UInt64, recovered: RecoveredState, clock: NodeClock
    ) throws(RecoveryProblem) -> RaftCore {
        let incarnation = Incarnation(id.raw << 32 | UInt64(isPlanted(.incarnationReused) ? 1 : life))
        #if CONCLAVE_MUTANTS
        var core = try RaftCore(
            id: id, incarnation: incarnation, settings: settings(level: level, joinGeneration: joinGeneration), recovered: recovered,
            now: clock.reading(at: now))
        if case .raft(let fault)? = mutant { core.plantedFault = fault }
        return core
        #else
        return try RaftCore(
            id: id, incarnation: incarnation, settings: settings(level: level, joinGeneration: joinGeneration), recovered: recovered,
            now: clock.reading(at: now))
        #endif
    }

    // MARK: Ends

    /// The process ends here, between any two things it does. What it had not synced is left to the disk and to chance.
    func crash(_ node: SimulatedNode, _ cause: CrashCause? = nil, restartsAfter delay: Interval? = nil) throws(Finding) {
        let cause = cause ?? .chosen(drawCrashMode())
        markCrash(of: node, cause)
        let mode: CrashMode =
            switch cause {
            case .chosen(let mode), .storage(let mode), .recovery(let mode): mode
            case .stopped: .process
            }
        node.disk.crash(mode, rng: &rng)
        if mode != .process, node.checkpoints.last != node.checkpoints.previous {
            if mode == .powerLosingAll || (mode != .powerKeepingAll && rng.chance(perMille: 500)) {
                loseCheckpoint(of: node)
            } else {
                node.checkpoints.keepLast()
            }
        }
        breakClients(of: node)
        node.condition = cause == .stopped ? .stopped : .down
        note { "node \(node.id) crashes: \(cause)" }
        node.forgetProcess()
        try observer.crashed(node, cause, in: self)
        if node.condition == .down {
            push(.restart(node: node.position, life: node.life), in: delay ?? rng.around(mix.troubleMean))
        }
    }

    private func markCrash(of node: SimulatedNode, _ cause: CrashCause) {
        if case .recovery = cause { return coverage.mark(.crashDuringRecovery) }
        if node.core.role == .leader {
            coverage.mark(.leaderCrash)
            if node.core.membership.isJoint { coverage.mark(.leaderCrashWhileJoint) }
        }
        if node.installing != nil || node.heldInstall != nil { coverage.mark(.crashDuringInstall) }
        if !node.appendedWrites.isEmpty { coverage.mark(.crashDuringAppend) }
    }

    private func loseCheckpoint(of node: SimulatedNode) {
        coverage.mark(.checkpointLost)
        #if CONCLAVE_MUTANTS
        if isPlanted(.appliedIndexApartFromState) { return node.checkpoints.keepApplied() }
        #endif
        node.checkpoints.loseLast()
    }

    func drawCrashMode() -> CrashMode {
        guard rng.chance(perMille: mix.powerCutPerMille) else { return .process }
        return rng.one(of: [.powerKeepingAll, .powerLosingAll, .powerTearing512, .powerTearing4096])
    }

    /// A call to the disk failed: the core is told, or the process dies before that.
    func storageFailed(_ node: SimulatedNode, _ fault: StorageFault) throws(Finding) {
        coverage.mark(fault == .noSpace ? .diskFull : .diskFailure)
        note { "node \(node.id) disk fails: \(fault)" }
        let life = node.life
        if rng.chance(perMille: 500) { try step(node, .logFailed(.zero, fault)) }
        if node.life == life, node.isRunning { try crash(node, .storage(drawCrashMode())) }
    }

    // MARK: Beginnings

    func restart(_ node: SimulatedNode) throws(Finding) {
        node.life += 1
        node.condition = .running
        coverage.mark(.restart)
        if mix.hasUpgrade, node.programLevel == 0, rng.chance(perMille: 400) { node.programLevel = RegisterCommand.compareAndSetLevel }
        if let calls = node.callsToStart {
            node.callsToStart = nil
            node.disk.fail(nil, skipping: calls)
        }
        let failures = node.disk.counts.failures
        node.machine = node.checkpoints.last
        let recovered: RecoveredState
        do {
            let (log, recoveredLog) = try openLog(disk: node.disk, id: node.id)
            node.log = log
            try rehearseRecovery(node, expecting: recoveredLog)
            try rollForward(node, boundary: recoveredLog.boundary)
            recovered = merge(recoveredLog, node.machine, node.founding)
        } catch let problem as Finding {
            throw problem
        } catch {
            if node.disk.counts.failures > failures { return try crash(node, .recovery(drawCrashMode())) }
            return try cannotStart(node, "\(error)")
        }
        node.disk.cancelPlannedFaults()
        do {
            let core = try makeCore(
                id: node.id, life: node.life, level: node.programLevel, joinGeneration: node.joinGeneration,
                recovered: withStaging(recovered, of: node), clock: node.clock)
            node.core = core
        } catch {
            return try cannotStart(node, "\(error)")
        }
        if recovered.isDamaged { coverage.mark(.recoveringBegan) } else { node.isDamaged = false }
        note { "node \(node.id) restarts, life \(node.life), commit \(recovered.commit) applied \(recovered.applied) last \(recovered.lastIndex)\(recovered.isDamaged ? " damaged" : "")" }
        try observer.restarted(node, recovered, in: self)
        planCheckpoint(node)
        try step(node, .tick)
    }

    private func cannotStart(_ node: SimulatedNode, _ reason: String) throws(Finding) {
        guard node.isDamaged else { throw finding("V20 recovery", node, "does not start: \(reason)") }
        note { "node \(node.id) is lost: \(reason)" }
        coverage.mark(.nodeLost)
        node.condition = .lost
        node.forgetProcess()
        try observer.lost(node, reason, in: self)
    }

    private func withStaging(_ recovered: RecoveredState, of node: SimulatedNode) -> RecoveredState {
        var recovered = recovered
        recovered.stateDurable = min(node.checkpoints.durable, recovered.applied)
        recovered.staged = node.snapshots.unfinished
        if recovered.staged != nil { coverage.mark(.snapshotResumed) }
        return recovered
    }
}
