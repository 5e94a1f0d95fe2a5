import Raft

/// The memberships that were committed, one after the other (V15).
struct MembershipLedger {
    private(set) var newest: Membership

    init(_ founding: Membership) { newest = founding }

    /// Voters change only into and out of a joint membership (paper §6).
    mutating func commits(_ next: Membership) throws(BrokenRule) {
        let isStep: Bool
        if newest.isJoint {
            isStep = !next.isJoint && next.voters == newest.voters
        } else if next.isJoint {
            isStep = next.outgoing == newest.voters
        } else {
            isStep = next.voters == newest.voters
        }
        guard isStep, next.generation == newest.generation + 1 else {
            throw BrokenRule(rule: "V15 membership safety", text: "{\(next)} follows {\(newest)}")
        }
        newest = next
    }

    /// A leader changes the membership only when an entry of its own term is committed, and so is the membership before.
    ///
    /// - Parameters:
    ///   - committed: The term of the leader's last committed entry.
    ///   - previous: Where the membership before stands in its log.
    static func appended(by leader: Term, committed: Term?, after previous: LogIndex, commit: LogIndex) throws(BrokenRule) {
        if committed != leader {
            throw BrokenRule(rule: "V15 membership safety", text: "the leader of term \(leader) changes the membership with nothing of its term committed")
        }
        if previous > commit {
            throw BrokenRule(rule: "V15 membership safety", text: "a membership is appended, and the one before it, at \(previous), is not committed")
        }
    }
}
