import Raft
import SimulatedDisk

/// What may be damaged or lost for ever, so that a right cluster can still be right: in every set of voters only a minority.
extension World {
    /// Nodes whose copy of the log does not count: damaged, or gone with it.
    private func isSpoiled(_ id: NodeID) -> Bool {
        let node = node(id)
        return node.isDamaged || !node.isMember
    }

    /// Whether a majority of these voters would be whole if one more were not.
    func canBear(_ voters: [NodeID], losing lost: NodeID? = nil) -> Bool {
        let spoiled = voters.filter { $0 == lost || isSpoiled($0) }.count
        return voters.isEmpty || spoiled <= (voters.count - 1) / 2
    }

    private func mayLose(_ node: SimulatedNode) -> Bool {
        guard !node.isDamaged else { return false }
        return nodes.allSatisfy { other in
            other.core.memberships.allSatisfy { record in
                [record.membership.voters, record.membership.outgoing].allSatisfy { !$0.contains(node.id) || canBear($0, losing: node.id) }
            }
        }
    }

    /// The medium loses or changes something that was synced. The process ends, for only a start would notice.
    func damage(_ node: SimulatedNode) throws(Finding) {
        guard mayLose(node) else { return }
        try crash(node, .chosen(drawCrashMode()))
        let files = node.disk.image.files.filter { !$0.bytes.isEmpty }
        guard let file = rng.pick(files) else { return }
        node.isDamaged = true
        coverage.mark(.logDamaged)
        // Mostly where something is written, which is at the beginning.
        let written = (file.bytes.lastIndex { $0 != 0 } ?? 0) + 1
        let end = rng.chance(perMille: 900) ? written : file.bytes.count
        // A damaged header loses the node, and so does damage to what its state has already; behind that it may be repaired.
        let begin = rng.one(of: [0, Self.recordsBegin, max(Self.recordsBegin, end - 600)])
        let offset = begin < end ? begin + rng.below(end - begin) : rng.below(end)
        switch rng.below(3) {
        case 0: node.disk.flipBit(rng.below(8), of: file.name, at: offset)
        default: node.disk.zeroSector(offset / 512, of: file.name)
        }
        note { "node \(node.id) is damaged: \(file.name) at \(offset)" }
        try observer.damaged(node, in: self)
    }

    /// The disk is lost with all that is on it. The node never comes back under its id.
    func wipe(_ node: SimulatedNode) throws(Finding) {
        guard mayLose(node), nodes.count < Self.nodesMax - 2 else { return }
        try crash(node, .chosen(.powerLosingAll))
        node.disk.wipe()
        coverage.mark(.nodeWiped)
        note { "node \(node.id) is wiped" }
        if isPlanted(.wipedNodeKeepsIdentity) {
            node.checkpoints.replace(with: RegisterMachine(membership: node.founding, sessions: mix.sessions))
            node.snapshots = SnapshotStore()
        } else {
            node.condition = .lost
        }
        try observer.wiped(node, in: self)
    }
}
