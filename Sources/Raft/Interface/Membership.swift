/// Who belongs to the cluster, and who of them votes. A value in the log, not a setting of a node.
package struct Membership: Hashable, Sendable, CustomStringConvertible {
    /// The voters, sorted; while joint, those of the new set.
    package let voters: [NodeID]
    /// The voters of the old set while both sets decide (paper §6), sorted; empty otherwise.
    package let outgoing: [NodeID]
    /// Members that receive the log and do not vote, sorted. One that is also in `outgoing` still votes there until the joint time ends.
    package let learners: [NodeID]
    /// Grows by one with each membership entry. Orders memberships without a log at hand.
    package let generation: UInt64
    /// The newest kind of entry that may be written: every member understands it.
    package let featureLevel: UInt16

    package init(
        voters: [NodeID], outgoing: [NodeID] = [], learners: [NodeID] = [], generation: UInt64 = 0, featureLevel: UInt16 = 0
    ) {
        self.voters = voters.sorted()
        self.outgoing = outgoing.sorted()
        self.learners = learners.sorted()
        self.generation = generation
        self.featureLevel = featureLevel
    }

    /// What a node knows before it has heard of any cluster.
    package static let none = Membership(voters: [])

    package var isJoint: Bool { !outgoing.isEmpty }
    package var nodeCount: Int { voters.count + outgoing.count + learners.count }

    /// Whether `node` counts in any quorum now.
    package func isVoter(_ node: NodeID) -> Bool { voters.contains(node) || outgoing.contains(node) }
    package func contains(_ node: NodeID) -> Bool { isVoter(node) || learners.contains(node) }

    /// Every member once, sorted.
    package var members: [NodeID] {
        var all = voters
        for node in outgoing + learners where !all.contains(node) { all.append(node) }
        return all.sorted()
    }

    /// Every node that counts in some quorum, once, sorted.
    package var allVoters: [NodeID] {
        var all = voters
        for node in outgoing where !all.contains(node) { all.append(node) }
        return all.sorted()
    }

    /// The membership that ends the joint time (paper §6, C-new).
    package var final: Membership {
        Membership(voters: voters, learners: learners, generation: generation + 1, featureLevel: featureLevel)
    }

    /// Whether the sets are sorted, without repetition, and make sense together.
    package var isWellFormed: Bool {
        func isStrictlySorted(_ nodes: [NodeID]) -> Bool { zip(nodes, nodes.dropFirst()).allSatisfy { $0 < $1 } }
        return isStrictlySorted(voters) && isStrictlySorted(outgoing) && isStrictlySorted(learners)
            && !voters.contains(where: learners.contains) && (outgoing.isEmpty || !voters.isEmpty)
    }

    package var description: String {
        func list(_ nodes: [NodeID]) -> String { nodes.map(\.description).joined(separator: ",") }
        return "voters=\(list(voters))" + (isJoint ? " outgoing=\(list(outgoing))" : "")
            + (learners.isEmpty ? "" : " learners=\(list(learners))") + " generation=\(generation)"
            + (featureLevel == 0 ? "" : " level=\(featureLevel)")
    }
}

/// A change that an operator asks for. The core turns one that touches voters into a joint membership and back by itself.
package struct MembershipChange: Hashable, Sendable {
    /// New members that start without a vote. A joining node always starts here.
    package var addLearners: [NodeID] = []
    /// Learners that become voters.
    package var promote: [NodeID] = []
    /// Voters that become learners.
    package var demote: [NodeID] = []
    /// Members that leave.
    package var remove: [NodeID] = []
    /// Raises ``Membership/featureLevel``; never lowers it.
    package var featureLevel: UInt16?

    package init() {}

    package static func addLearner(_ node: NodeID) -> Self { with { $0.addLearners = [node] } }
    package static func promote(_ node: NodeID) -> Self { with { $0.promote = [node] } }
    package static func demote(_ node: NodeID) -> Self { with { $0.demote = [node] } }
    package static func remove(_ node: NodeID) -> Self { with { $0.remove = [node] } }
    /// One change, one joint time: `new`, a learner that has caught up, votes in the place of `old`, which leaves.
    package static func replace(_ old: NodeID, by new: NodeID) -> Self { with { $0.promote = [new]; $0.remove = [old] } }
    package static func raiseFeatureLevel(to level: UInt16) -> Self { with { $0.featureLevel = level } }

    package static func with(_ body: (inout Self) -> Void) -> Self {
        var change = Self()
        body(&change)
        return change
    }
}

/// Why a membership change cannot be made from the membership in force.
package enum MembershipRefusal: Error, Hashable, Sendable {
    /// Another change is not finished, or no entry of the leader's own term is committed yet (the flaw of single-server
    /// changes found in 2015).
    case changeInProgress
    /// The change names a node twice, or one in a state that does not fit (a learner to demote, an unknown node to promote).
    case invalid(NodeID)
    case lastVoter
    /// At most one vote is taken away per change, so that a wrong list of dead servers cannot take a cluster apart.
    case removesTooManyVoters
    case tooManyNodes
    /// The node lags too far behind the log, or was not heard from lately.
    case notCaughtUp(NodeID)
    /// Too few voters of the new set answer to make a majority: the joint time could not be ended.
    case newMajorityUnreachable
    case featureLevelLowered
    /// A member has not said that it understands the level.
    case featureLevelUnsupported(NodeID)
}

/// The result of a membership change that is allowed.
enum MembershipTransition: Equatable {
    /// The cluster is already as wished.
    case unchanged
    /// One entry does it: no voter changes.
    case simple(Membership)
    /// The joint membership to append first (paper §6, C-old,new).
    case joint(Membership)
}

extension Membership {
    /// Pure transition table: what `change` makes of this membership.
    func applying(_ change: MembershipChange) throws(MembershipRefusal) -> MembershipTransition {
        guard !isJoint else { throw .changeInProgress }
        let named = (change.addLearners + change.promote + change.demote + change.remove).sorted()
        for (a, b) in zip(named, named.dropFirst()) where a == b { throw .invalid(a) }
        if let level = change.featureLevel, level < featureLevel { throw .featureLevelLowered }

        var newVoters = voters
        var newLearners = learners
        for node in change.addLearners where !contains(node) { newLearners.append(node) }
        for node in change.promote where !voters.contains(node) {
            guard learners.contains(node) else { throw .invalid(node) }
            newLearners.removeAll { $0 == node }
            newVoters.append(node)
        }
        for node in change.demote where !learners.contains(node) {
            guard voters.contains(node) else { throw .invalid(node) }
            newVoters.removeAll { $0 == node }
            newLearners.append(node)
        }
        for node in change.remove {
            newVoters.removeAll { $0 == node }
            newLearners.removeAll { $0 == node }
        }
        newVoters.sort()
        newLearners.sort()

        guard !newVoters.isEmpty else { throw .lastVoter }
        guard voters.filter({ !newVoters.contains($0) }).count <= 1 else { throw .removesTooManyVoters }
        guard newVoters.count + newLearners.count <= Limits.nodesMax else { throw .tooManyNodes }
        let level = change.featureLevel ?? featureLevel
        if newVoters == voters && newLearners == learners && level == featureLevel { return .unchanged }
        let isJoint = newVoters != voters
        let next = Membership(
            voters: newVoters, outgoing: isJoint ? voters : [], learners: newLearners,
            generation: generation + 1, featureLevel: level)
        return isJoint ? .joint(next) : .simple(next)
    }
}

/// A membership and where in the log it stands.
package struct MembershipRecord: Hashable, Sendable {
    package let index: LogIndex
    package let membership: Membership

    package init(index: LogIndex, membership: Membership) {
        self.index = index
        self.membership = membership
    }
}
