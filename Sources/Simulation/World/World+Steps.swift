import Raft

/// One step of a core, and its effects one after the other, as a driver carries them out. Between any two of them the process may die.
extension World {
    func step(_ node: SimulatedNode, _ input: Input) throws(Finding) {
        let before = CoreGlance(node.core)
        // Out of the node while it is filled and carried out, so that its buffers are used again.
        var effects = Effects()
        swap(&effects, &node.effects)
        node.core.step(input, now: node.clock.reading(at: now), log: node.log, rng: &rng, into: &effects)
        if trace != nil { traceStep(node, input, effects) }
        try observer.stepped(node, input, effects, before: before, in: self)
        markStep(node, input, effects, before)
        springAmbush(on: node, effects)
        try perform(effects, at: node)
        swap(&effects, &node.effects)
        if node.isRunning { planTimer(of: node) }
    }

    private func traceStep(_ node: SimulatedNode, _ input: Input, _ effects: Effects) {
        note { "node \(node.id) ← \(input)" }
        for line in lines(of: effects) { trace?("    \(line)") }
    }

    private func markStep(_ node: SimulatedNode, _ input: Input, _ effects: Effects, _ before: CoreGlance) {
        if let standing = effects.standing {
            if standing.role == .leader, before.role != .leader { coverage.mark(.election) }
            if before.role == .recovering, standing.role != .recovering { coverage.mark(.recoveringEnded) }
        }
        if effects.write?.truncateFrom != nil { coverage.mark(.uncommittedTruncated) }
        if effects.committedMembership != nil { coverage.mark(.membershipChanged) }
        if before.role == .leader, before.membership.isJoint, !node.core.membership.isJoint, let joint = node.core.memberships.dropLast().last,
            joint.membership.isJoint, node.core.term(at: joint.index) != node.core.term
        {
            coverage.mark(.jointFinishedByAnotherLeader)
        }
        if case .read = input, before.role == .leader, before.membership.voters.count > 1, case .ready? = effects.reads.first {
            coverage.mark(.leaseRead)
        }
    }

    private func planTimer(of node: SimulatedNode) {
        guard let deadline = node.core.nextDeadline else { return }
        let time = max(now, node.clock.time(of: deadline)).nanoseconds
        if let planned = node.timerAt, planned <= time, planned >= now.nanoseconds { return }
        node.timerAt = time
        heap.push(.timer(node: node.position, life: node.life), at: time)
    }

    /// Whether the process lives on to its next effect.
    private func survives(_ node: SimulatedNode) throws(Finding) -> Bool {
        guard let left = node.effectsToLive else { return true }
        node.effectsToLive = left - 1
        guard left == 0 else { return true }
        coverage.mark(.crashBetweenEffects)
        try crash(node)
        return false
    }

    private func perform(_ effects: Effects, at node: SimulatedNode) throws(Finding) {
        if let write = effects.write {
            guard try survives(node) else { return }
            node.queuedWrites.append(write)
            planLogWork(node)
        }
        for outgoing in effects.messages {
            guard try survives(node) else { return }
            if outgoing.after == nil || isPlanted(.messagesBeforeDurable) {
                try transmit(outgoing, from: node)
            } else {
                node.heldMessages.append(outgoing)
            }
        }
        if let range = effects.apply {
            guard try survives(node) else { return }
            node.applyQueue.append(range)
            planApply(node)
        }
        for result in effects.proposals {
            guard try survives(node) else { return }
            try conclude(result, at: node)
        }
        for result in effects.reads {
            guard try survives(node) else { return }
            try conclude(result, at: node)
        }
        for result in effects.commands { markCommand(result) }
        for action in effects.snapshots {
            guard try survives(node) else { return }
            try perform(action, at: node)
        }
        if let index = effects.compactBefore {
            guard try survives(node) else { return }
            coverage.mark(.logCompacted)
            node.compactBefore = index
            planLogWork(node)
        }
        if let index = effects.prefetch {
            coverage.mark(.prefetch)
            node.prefetchFrom = index
            planLogWork(node)
        }
        if let reason = effects.halt { try halt(node, reason) }
    }

    private func markCommand(_ result: CommandResult) {
        switch result.outcome {
        case .transferRefused, .transferTimedOut: coverage.mark(.transferFailed)
        case .done where result.ticket == Self.transferTicket: coverage.mark(.transferDone)
        default: break
        }
    }

    private func halt(_ node: SimulatedNode, _ reason: HaltReason) throws(Finding) {
        note { "node \(node.id) halts: \(reason)" }
        try observer.halted(node, reason, in: self)
        switch reason {
        case .violation(let violation): throw finding("a core halted", node, "\(violation)")
        case .storage: try crash(node, .storage(drawCrashMode()))
        case .retired:
            coverage.mark(.nodeRetired)
            breakClients(of: node)
            node.condition = .retired
            node.forgetProcess()
        }
    }
}
