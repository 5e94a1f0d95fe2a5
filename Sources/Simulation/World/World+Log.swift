import Raft
import SimulatedDisk
import WriteAheadLog

/// The log thread of a node: it takes up what is queued, appends it, syncs once, and reports.
extension World {
    func planLogWork(_ node: SimulatedNode) {
        guard !node.isLogBusy else { return }
        node.isLogBusy = true
        push(.logWork(node: node.position, life: node.life), in: Interval(nanoseconds: 10_000))
    }

    func logWorks(_ node: SimulatedNode) throws(Finding) {
        let directorySyncs = node.disk.counts.directorySyncs
        do throws(LogFault) {
            try takeUpLogWork(node)
        } catch {
            return try storageFailed(node, StorageFault(error))
        }
        try rehearseAfterLogWork(node, changedFiles: node.disk.counts.directorySyncs != directorySyncs)
    }

    private func takeUpLogWork(_ node: SimulatedNode) throws(LogFault) {
        if let index = node.compactBefore {
            node.compactBefore = nil
            try node.log.compact(before: index)
        }
        if let index = node.prefetchFrom {
            node.prefetchFrom = nil
            try node.log.prefetch(from: index)
            plan(.logFetched, at: node, in: Interval(nanoseconds: 50_000))
        }
        guard !node.queuedWrites.isEmpty else {
            node.isLogBusy = false
            return
        }
        // Now and then not all of them: one sync for many writes must not be what correctness rests on.
        let count = rng.chance(perMille: 200) ? rng.within(1...node.queuedWrites.count) : node.queuedWrites.count
        let batch = Array(node.queuedWrites.prefix(count))
        node.queuedWrites.removeFirst(count)
        node.appendedWrites = batch
        try node.log.append(batch)
        push(.logSync(node: node.position, life: node.life), in: syncTime(of: node))
    }

    private func syncTime(of node: SimulatedNode) -> Interval {
        var time = rng.around(mix.syncMean).nanoseconds
        if node.slowUntil > now.nanoseconds { time = time * 20 + 10_000_000 }
        if node.hungUntil > now.nanoseconds { time += node.hungUntil - now.nanoseconds }
        return Interval(nanoseconds: time)
    }

    func logSyncs(_ node: SimulatedNode) throws(Finding) {
        let synced: WriteSequence?
        do { synced = try node.log.sync() } catch { return try storageFailed(node, StorageFault(error)) }
        guard let synced else { preconditionFailure("something was appended before this sync") }
        let writes = node.appendedWrites
        node.appendedWrites = []
        node.isLogBusy = false
        if !node.queuedWrites.isEmpty || node.compactBefore != nil || node.prefetchFrom != nil {
            planLogWork(node)
        } else {
            do throws(LogFault) {
                try node.log.mark()
            } catch {
                return try storageFailed(node, StorageFault(error))
            }
        }
        for write in writes {
            if write.endsRecovery { node.isDamaged = false }
            try observer.durable(node, write, in: self)
        }
        try rehearseAfterSync(node, holdsHardState: writes.contains { $0.hardState != nil })
        try releaseHeld(node, through: synced)
        if node.isRunning { try step(node, .logDurable(synced)) }
    }

    private func releaseHeld(_ node: SimulatedNode, through synced: WriteSequence) throws(Finding) {
        func isFree(_ outgoing: OutgoingMessage) -> Bool { outgoing.after.map { $0 <= synced } ?? true }
        let free = node.heldMessages.filter(isFree)
        node.heldMessages.removeAll(where: isFree)
        for outgoing in free { try transmit(outgoing, from: node) }
        if let held = node.heldInstall, held.after <= synced {
            node.heldInstall = nil
            planInstall(of: held.meta, at: node)
        }
    }
}

extension StorageFault {
    init(_ fault: LogFault) {
        switch fault {
        case .noSpace: self = .noSpace
        case .io, .entryTooLarge, .unreadable: self = .io(errno: 5)
        }
    }
}
