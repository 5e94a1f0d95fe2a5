internal import Raft
internal import SecretStore

/// What the leader asks of the core next, so that Raft's membership becomes what the registry of nodes says: every active node votes, and no
/// removed one belongs.
///
/// One step at a time, each decided anew from the two, so that a leader that is lost in the middle leaves nothing half done: the next one
/// goes on. An operator's `add`, `remove` and `replace` are changes of the registry.
enum MembershipPlan {
    /// - Parameters:
    ///   - membership: The newest committed one.
    ///   - insistsOnReplacement: Wait with the removal of a voter until a learner can take its place in the same change.
    /// - Returns: Nil when there is nothing to do.
    static func next(_ membership: Membership, _ nodes: [NodeRecord], insistsOnReplacement: Bool = true) -> MembershipChange? {
        guard !membership.isJoint else { return nil }
        let active = nodes.filter { $0.state == .active }.map(\.id)
        let newcomers = active.filter { !membership.contains($0) }
        if !newcomers.isEmpty { return .with { $0.addLearners = newcomers } }
        let removed = membership.members.filter { !active.contains($0) }
        let learners = membership.learners.filter(active.contains)
        if let old = removed.first(where: membership.isVoter) {
            // One joint change: the new node votes in the place of the old one.
            if let new = learners.first, insistsOnReplacement { return .replace(old, by: new) }
            return .remove(old)
        }
        if let old = removed.first { return .remove(old) }
        if let new = learners.first { return .promote(new) }
        return nil
    }
}
