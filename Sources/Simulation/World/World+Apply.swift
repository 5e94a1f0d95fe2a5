import Raft

/// The apply thread of a node: committed entries go into the state machine, which is made durable now and then.
extension World {
    func planApply(_ node: SimulatedNode) {
        guard !node.isApplying else { return }
        node.isApplying = true
        push(.apply(node: node.position, life: node.life), in: rng.around(mix.applyMean))
    }

    func applyNext(_ node: SimulatedNode) throws(Finding) {
        node.isApplying = false
        guard let range = node.applyQueue.first else { return }
        guard let entries = node.log.entries(from: range.lowerBound, through: range.upperBound, byteCountMax: 2_048), let last = entries.last else {
            do { try node.log.prefetch(from: range.lowerBound) } catch { return try storageFailed(node, StorageFault(error)) }
            return planApply(node)
        }
        if last.index < range.upperBound {
            node.applyQueue[0] = last.index.next...range.upperBound
        } else {
            node.applyQueue.removeFirst()
        }
        for entry in entries { try apply(entry, at: node) }
        if !node.applyQueue.isEmpty { planApply(node) }
        planCheckpoint(node)
        try serveReads(node)
        try step(node, .applied(node.machine.applied.index))
    }

    private func apply(_ entry: Entry, at node: SimulatedNode) throws(Finding) {
        guard entry.index == node.machine.applied.index.next else {
            throw finding("apply order", node, "\(entry) comes after \(node.machine.applied)")
        }
        guard let result = node.machine.apply(entry, level: node.programLevel, skipsUnknown: isPlanted(.unknownEntrySkipped)) else {
            throw finding("V29 feature gate", node, "\(entry) is not known to a program of level \(node.programLevel)")
        }
        try observer.applied(node, entry, result, in: self)
        try answerWriters(node, entry, result)
    }

    // MARK: Checkpoints

    func planCheckpoint(_ node: SimulatedNode) {
        guard !node.isCheckpointPlanned else { return }
        node.isCheckpointPlanned = true
        push(.checkpoint(node: node.position, life: node.life), in: rng.around(mix.checkpointMean))
    }

    func takeCheckpoint(_ node: SimulatedNode) throws(Finding) {
        node.isCheckpointPlanned = false
        guard node.checkpoints.durable < node.machine.applied.index else { return }
        node.checkpoints.take(node.machine)
        try observer.checkpointed(node, in: self)
        // The checkpoint before the last becomes durable by another one, so there must be another one.
        planCheckpoint(node)
        let durable = isPlanted(.logDroppedToLastCheckpoint) ? node.checkpoints.last.applied.index : node.checkpoints.durable
        try step(node, .stateDurable(durable))
    }
}
