import Raft

/// How one node campaigns and how it answers candidates, from what goes in and comes out of it: pre-vote (thesis §9.6), votes (paper §5.2, §5.4.1),
/// stickiness (thesis §4.2.3), and that membership decides about nobody's vote (`reference/raft.md` C5 e and f).
struct CampaignLedger {
    /// Answers that reached the node while it asked for them, for its newest campaign of one kind.
    private struct Ballot {
        var campaign = Term.zero
        var granted: [NodeID] = []

        mutating func record(_ reply: VoteReply, from node: NodeID) {
            if reply.campaign != campaign { self = Ballot(campaign: reply.campaign) }
            guard reply.isGranted else { return }
            if !granted.contains(node) { granted.append(node) }
        }

        /// Whether a majority of every set of voters granted it; a candidate is for itself.
        func isWon(_ term: Term, by candidate: NodeID, in membership: Membership) -> Bool {
            membership.reached { $0 == candidate || (term == campaign && granted.contains($0)) ? 1 : 0 } == 1
        }
    }

    private struct Contact {
        let leader: NodeID
        let at: Instant
    }

    private var preVotes = Ballot()
    private var votes = Ballot()
    private var contact: Contact?
    private let lifeBegan: Instant

    init(lifeBegan: Instant = .zero) { self.lifeBegan = lifeBegan }

    /// - Parameters:
    ///   - core: After the step.
    ///   - now: The node's clock.
    mutating func stepped(_ input: Input, _ effects: Effects, _ core: RaftCore, before: CoreGlance, now: Instant) throws(BrokenRule) {
        guard core.halted == nil else { return }
        if case .message(let message) = input {
            switch message.payload {
            case .preVoteReply(let reply) where before.role == .preCandidate && reply.campaign == before.term.next: preVotes.record(reply, from: message.from)
            case .voteReply(let reply) where before.role == .candidate && reply.campaign == before.term: votes.record(reply, from: message.from)
            case .preVote(let request): try checkPreVote(message, request, effects, core, before, now)
            case .vote(let request): try checkVote(message, request, effects, core, before, now)
            default: break
            }
        }
        try checkCampaign(input, core, before, now)
        if case .message(let message) = input, core.role != .leader, message.term == core.term, message.isLeaders {
            contact = Contact(leader: message.from, at: now)
        }
    }

    // MARK: Campaigns

    private func checkCampaign(_ input: Input, _ core: RaftCore, _ before: CoreGlance, _ now: Instant) throws(BrokenRule) {
        let isCampaigning = core.role == .preCandidate || core.role == .candidate
        if case .tick = input, isCampaigning, before.role == .follower, let contact, now.elapsed(since: contact.at) < core.settings.electionTimeout {
            throw BrokenRule(rule: "V28 timer hygiene", text: "campaigns, and heard leader \(contact.leader) at \(contact.at), now \(now)")
        }
        if core.hardState != before.hardState, core.hardState.vote == core.id, !input.isTimeoutNow, !preVotes.isWon(core.term, by: core.id, in: core.membership) {
            throw BrokenRule(rule: "thesis 9.6 pre-vote", text: "campaigns in term \(core.term) with pre-votes of \(preVotes.granted) for \(preVotes.campaign), {\(core.membership)}")
        }
        if core.role == .leader, before.role != .leader, !votes.isWon(core.term, by: core.id, in: core.membership) {
            throw BrokenRule(rule: "V16 quorums", text: "leads term \(core.term) with votes of \(votes.granted) for \(votes.campaign), {\(core.membership)}")
        }
    }

    // MARK: Answers

    /// Whether the node follows a leader that it heard within an election timeout.
    private func hearsLeader(besides candidate: NodeID, _ core: RaftCore, _ before: CoreGlance, _ now: Instant) -> Bool {
        let timeout = core.settings.electionTimeout
        if before.role == .leader || (core.settings.usesLeases && now.elapsed(since: lifeBegan) < timeout) { return true }
        guard let contact, contact.leader != candidate else { return false }
        return now.elapsed(since: contact.at) < timeout
    }

    private func checkPreVote(
        _ message: Message, _ request: VoteRequest, _ effects: Effects, _ core: RaftCore, _ before: CoreGlance, _ now: Instant
    ) throws(BrokenRule) {
        let isRight = request.campaign > before.term && request.last >= before.last && before.role != .recovering
            && !hearsLeader(besides: message.from, core, before, now)
        try compare(isRight, effects, message, "thesis 9.6 pre-vote")
    }

    private func checkVote(
        _ message: Message, _ request: VoteRequest, _ effects: Effects, _ core: RaftCore, _ before: CoreGlance, _ now: Instant
    ) throws(BrokenRule) {
        let isNewTerm = request.campaign > before.term
        let hasVoted = !isNewTerm && before.hardState.vote == message.from
        let isFree = isNewTerm || (before.hardState.vote == nil && before.leader == nil)
        let isDisturbance = !request.isTransfer && hearsLeader(besides: message.from, core, before, now)
        if isNewTerm, isDisturbance, core.term > before.term {
            throw BrokenRule(rule: "thesis 4.2.3 stickiness", text: "\(message) moves the term of a node that hears its leader")
        }
        let isRight = request.campaign >= before.term && request.last >= before.last && before.role != .recovering
            && (hasVoted || (isFree && !isDisturbance))
        try compare(isRight, effects, message, "thesis 4.2.3 stickiness")
    }

    private func compare(_ isRight: Bool, _ effects: Effects, _ message: Message, _ rule: String) throws(BrokenRule) {
        for outgoing in effects.messages where outgoing.message.to == message.from {
            let reply: VoteReply
            switch outgoing.message.payload {
            case .preVoteReply(let answer), .voteReply(let answer): reply = answer
            default: continue
            }
            if reply.isGranted, !isRight { throw BrokenRule(rule: rule, text: "\(message) is granted") }
            if !reply.isGranted, isRight { throw BrokenRule(rule: "C5 votes need no reason", text: "\(message) is refused without one") }
        }
    }
}

extension Message {
    /// Whether only a leader says this, of its own term.
    fileprivate var isLeaders: Bool {
        switch payload {
        case .append, .heartbeat, .commit, .snapshotOffer, .snapshotChunk: true
        default: false
        }
    }
}

extension Input {
    fileprivate var isTimeoutNow: Bool {
        if case .message(let message) = self, case .timeoutNow = message.payload { true } else { false }
    }
}
