/// Majority arithmetic over one set of voters, computed from scratch each time.
///
/// Clusters have at most ``Limits/nodesMax`` members; a cache that is wrong once costs more than the loop (openraft#1802).
package enum Quorum {
    /// How many of `count` voters are more than half.
    package static func majority(of count: Int) -> Int { count / 2 + 1 }

    /// The greatest value that at least `majority` of the voters have reached, or nil when there are no voters.
    static func reached<Value: Comparable>(
        by voters: [NodeID], majority: Int, _ value: (NodeID) -> Value
    ) -> Value? {
        var best: Value?
        for candidate in voters {
            let level = value(candidate)
            if let best, level <= best { continue }
            var count = 0
            for voter in voters where value(voter) >= level { count += 1 }
            if count >= majority { best = level }
        }
        return best
    }

    package static func reached<Value: Comparable>(by voters: [NodeID], _ value: (NodeID) -> Value) -> Value? {
        reached(by: voters, majority: majority(of: voters.count), value)
    }

    /// Where a vote stands among `voters`; `vote` is nil for one that has not answered.
    package static func outcome(among voters: [NodeID], _ vote: (NodeID) -> Bool?) -> BallotOutcome {
        var granted = 0
        var refused = 0
        for voter in voters {
            switch vote(voter) {
            case true?: granted += 1
            case false?: refused += 1
            case nil: break
            }
        }
        let needed = majority(of: voters.count)
        if granted >= needed { return .won }
        return voters.count - refused < needed ? .lost : .pending
    }
}

package enum BallotOutcome: Sendable, Equatable { case won, lost, pending }

/// The same arithmetic over a membership. While it is joint, both sets of voters must agree (paper §6).
///
/// Elections, commitment, read confirmation, leases and the leader's check of its quorum all come through here.
extension Membership {
    /// The greatest value that a majority of each voter set has reached, or nil when nobody votes.
    package func reached<Value: Comparable>(_ value: (NodeID) -> Value) -> Value? {
        let incoming = Quorum.reached(by: voters, value)
        guard isJoint else { return incoming }
        guard let incoming, let outgoing = Quorum.reached(by: outgoing, value) else { return nil }
        return min(incoming, outgoing)
    }

    /// Won when both sets granted, lost when either can no longer grant. Nobody wins a cluster without voters.
    package func outcome(_ vote: (NodeID) -> Bool?) -> BallotOutcome {
        guard !voters.isEmpty else { return .lost }
        let incoming = Quorum.outcome(among: voters, vote)
        guard isJoint else { return incoming }
        switch (incoming, Quorum.outcome(among: outgoing, vote)) {
        case (.won, .won): return .won
        case (.lost, _), (_, .lost): return .lost
        default: return .pending
        }
    }
}
