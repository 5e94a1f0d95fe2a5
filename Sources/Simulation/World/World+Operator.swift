import Raft
import SimulatedDisk

/// The operator: adds, removes, promotes, demotes and replaces nodes, upgrades programs, and puts new nodes in the place of lost ones.
extension World {
    /// Nodes of one run, those that are gone included.
    static let nodesMax = 24
    private static let membersMax = 7

    func operatorActs() throws(Finding) {
        guard phase == .safety, let interval = mix.operatorInterval else { return }
        push(.operator, in: rng.around(interval) + Interval(nanoseconds: 1_000))
        guard let leader = aLeader else { return }
        if mix.hasUpgrade, rng.chance(perMille: 300) { return try upgrade(leader) }
        if rng.chance(perMille: 100) { try stopLeftover(leader.core) }
        try askForChange(leader)
    }

    /// - Parameter leader: Nil for any.
    func askForChange(_ leader: SimulatedNode? = nil) throws(Finding) {
        guard let leader = leader ?? aLeader, let change = try drawChange(leader.core.membership), isBearable(change, leader.core.membership) else { return }
        note { "operator asks \(leader.id): \(change)" }
        try step(leader, .changeMembership(change, Self.changeTicket))
    }

    private func drawChange(_ membership: Membership) throws(Finding) -> MembershipChange? {
        let gone = membership.members.filter { !node($0).isMember }
        if let node = rng.pick(gone), rng.chance(perMille: 700) {
            if let new = rng.pick(membership.learners.filter { !gone.contains($0) }), membership.isVoter(node) { return .replace(node, by: new) }
            if rng.chance(perMille: 500) { return .remove(node) }
            return try addLearner(membership)
        }
        switch rng.below(8) {
        case 0, 1: return try addLearner(membership)
        case 2, 3: return rng.pick(membership.learners).map { .promote($0) }
        case 4: return rng.pick(membership.voters).map { .demote($0) }
        case 5, 6: return membership.members.count > 1 ? rng.pick(membership.members).map { .remove($0) } : nil
        default:
            guard let old = rng.pick(membership.voters), let new = rng.pick(membership.learners) else { return nil }
            return .replace(old, by: new)
        }
    }

    private func addLearner(_ membership: Membership) throws(Finding) -> MembershipChange? {
        // A node that was made before and never got in comes first.
        let waiting = nodes.filter { $0.isMember && $0.founding == .none && $0.core.membership == .none && !membership.contains($0.id) }
        if let node = rng.pick(waiting) { return .addLearner(node.id) }
        guard nodes.count < Self.nodesMax, membership.members.count < Self.membersMax else { return nil }
        let id = NodeID(nextNode)
        nextNode += 1
        try addNode(id, founding: .none, joinGeneration: membership.generation, clusterLevel: membership.featureLevel)
        return .addLearner(id)
    }

    /// Votes are not taken from whole nodes as long as the damaged ones could then be too many.
    private func isBearable(_ change: MembershipChange, _ membership: Membership) -> Bool {
        let leaving = change.demote + change.remove
        let voters = membership.voters.filter { !leaving.contains($0) } + change.promote
        return canBear(voters)
    }

    /// A node that is out of the membership is switched off at last, whether it has heard of it or not.
    private func stopLeftover(_ leader: RaftCore) throws(Finding) {
        let membership = leader.membership
        // Until then its voice may be needed to get it out.
        guard leader.committedMembership.membership == membership else { return }
        let leftovers = nodes.filter { $0.isRunning && $0.core.membership != .none && !membership.contains($0.id) }
        guard let node = rng.pick(leftovers) else { return }
        try crash(node, .stopped)
    }

    private func upgrade(_ leader: SimulatedNode) throws(Finding) {
        guard leader.core.membership.featureLevel == 0 else { return }
        if let old = rng.pick(nodes.filter { $0.isRunning && $0.programLevel == 0 }) {
            old.programLevel = RegisterCommand.compareAndSetLevel
            return try crash(old, .chosen(.process), restartsAfter: .milliseconds(10))
        }
        coverage.mark(.featureLevelRaised)
        try step(leader, .changeMembership(.raiseFeatureLevel(to: RegisterCommand.compareAndSetLevel), Self.changeTicket))
    }
}
