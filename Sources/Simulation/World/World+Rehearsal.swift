import Raft
import SimulatedDisk
import WriteAheadLog

/// Crashes that are tried on a copy of a node's disk: what would a new process find if this one died now? The run itself goes on undisturbed, so this
/// can be asked far more often than a node can die, most of all at the moments that matter. It costs about a tenth of a run.
extension World {
    /// After a call to the log: rather when files came or went or a term or a vote is under way, else now and then.
    func rehearseAfterLogWork(_ node: SimulatedNode, changedFiles: Bool) throws(Finding) {
        let holdsHardState = node.appendedWrites.contains { $0.hardState != nil }
        guard !node.isDamaged, rng.chance(perMille: changedFiles ? 300 : holdsHardState ? 200 : 3) else { return }
        try rehearseCrash(node, rng.one(of: [.powerLosingAll, .powerTearing512, .powerTearing4096]))
    }

    /// After a sync: rather when a term or a vote became durable, else now and then.
    func rehearseAfterSync(_ node: SimulatedNode, holdsHardState: Bool) throws(Finding) {
        guard !node.isDamaged else { return }
        if rng.chance(perMille: holdsHardState ? 250 : 3) { try rehearseCrash(node, .powerLosingAll) }
        if rng.chance(perMille: 5) { try rehearseDamage(node) }
    }

    /// V20: recovery after a crash that follows on the recovery finds the same again.
    func rehearseRecovery(_ node: SimulatedNode, expecting first: RecoveredLog) throws(Finding) {
        guard rng.chance(perMille: 500) else { return }
        try recoverAgain(copyOfDisk(of: node), node, expecting: first)
    }

    private func rehearseCrash(_ node: SimulatedNode, _ mode: CrashMode) throws(Finding) {
        let copy = copyOfDisk(of: node)
        var chance = SplitMix(seed: rng.next())
        copy.crash(mode, rng: &chance)
        let found = try open(copy, node, &chance)
        try observer.rehearsed(node, found, afterDamage: false, in: self)
        if rng.chance(perMille: 600) { try recoverAgain(copy, node, expecting: found) }
    }

    private func recoverAgain(_ copy: SimulatedDisk, _ node: SimulatedNode, expecting first: RecoveredLog) throws(Finding) {
        var chance = SplitMix(seed: rng.next())
        copy.crash(.powerLosingAll, rng: &chance)
        var again = try open(copy, node, &chance)
        // What was torn is cut off by now, and what was damaged is marked.
        (again.wasTorn, again.damage) = (first.wasTorn, first.damage)
        guard again != first else { return }
        throw finding("V20 recovery", node, "a second recovery finds another log: last \(again.lastIndex) instead of \(first.lastIndex), \(again.hardState) instead of \(first.hardState)")
    }

    private func open(_ copy: SimulatedDisk, _ node: SimulatedNode, _ chance: inout SplitMix) throws(Finding) -> RecoveredLog {
        do throws(LogProblem) {
            return try openLog(disk: copy, id: node.id, chance: &chance).recovered
        } catch {
            throw finding("V20 recovery", node, "would not start after a crash: \(error)")
        }
    }

    /// One bit of a record is flipped. Recovery may notice, refuse, or take it for the torn end of the log, but what it finds was written.
    private func rehearseDamage(_ node: SimulatedNode) throws(Finding) {
        let copy = copyOfDisk(of: node)
        var chance = SplitMix(seed: rng.next())
        copy.crash(.process, rng: &chance)
        guard let file = chance.pick(copy.image.files.filter { !$0.bytes.isEmpty }), let end = file.bytes.lastIndex(where: { $0 != 0 }), end >= Self.recordsBegin
        else { return }
        copy.flipBit(chance.below(8), of: file.name, at: chance.within(Self.recordsBegin...end))
        if let found = try? openLog(disk: copy, id: node.id, chance: &chance).recovered { try observer.rehearsed(node, found, afterDamage: true, in: self) }
    }

    /// In a segment of the log, behind its header.
    static let recordsBegin = 12_288

    private func copyOfDisk(of node: SimulatedNode) -> SimulatedDisk {
        let copy = node.disk.copy()
        copy.cancelPlannedFaults()
        copy.byteCountMax = .max
        return copy
    }
}
