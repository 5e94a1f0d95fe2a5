import Raft

/// Who led, and who voted for whom, over the whole run (V1, V9).
struct ElectionLedger {
    private struct Ballot: Hashable {
        let node: NodeID
        let term: Term
    }

    private var leaders: [Term: NodeID] = [:]
    private var votes: [Ballot: NodeID] = [:]

    mutating func leads(_ node: NodeID, _ term: Term) throws(BrokenRule) {
        if let known = leaders.updateValue(node, forKey: term), known != node {
            throw BrokenRule(rule: "V1 election safety", text: "\(known) and \(node) both lead term \(term)")
        }
    }

    /// A vote left the node. A request for votes is a vote for oneself.
    mutating func votes(_ node: NodeID, for candidate: NodeID, in term: Term) throws(BrokenRule) {
        if let known = votes.updateValue(candidate, forKey: Ballot(node: node, term: term)), known != candidate {
            throw BrokenRule(rule: "V9 one vote per term", text: "votes for \(known) and \(candidate) in term \(term)")
        }
    }
}
