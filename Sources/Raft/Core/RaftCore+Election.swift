/// Elections: pre-vote (thesis §9.6), votes (paper §5.2, §5.4.1) and who refuses them while a leader lives (thesis §4.2.3).
extension RaftCore {
    // MARK: Becoming

    /// Follows in `newTerm`, which is this one or a later one. The vote is forgotten only when the term grows (CCF#5891).
    ///
    /// - Parameter deposedBy: Whose message ended a leadership here.
    mutating func becomeFollower(term newTerm: Term, leader newLeader: NodeID?, deposedBy: NodeID? = nil) {
        precondition(newTerm >= term, "terms never go back")
        if isLeader {
            failLeaderReads(.leaderChanged)
            failCommands(deposedBy: deposedBy ?? newLeader)
            releaseAllImages()
        }
        if case .following = state {} else { restartsElectionTimer = true }
        state = .following
        if newTerm > term {
            hardState = HardState(term: newTerm, vote: nil)
            persistHardState()
            matchedWithLeader = .zero
            leaderIsGone()
            leader = newLeader
        } else {
            changeLeader(to: newLeader)
        }
    }

    mutating func changeLeader(to node: NodeID?) {
        guard node != leader else { return }
        leaderIsGone()
        leader = node
    }

    /// Whatever an earlier leader was asked is answered by nobody.
    private mutating func leaderIsGone() {
        abandonReads(.leaderChanged)
        abandonForwarded()
        setDeadlineOfAppended()
    }

    /// A node leads only from a log, a state and a disk that are whole.
    var canCampaign: Bool {
        mayBeNeeded && recovery == nil && installing == nil && applied >= replayTarget && !isDiskStalled
    }

    /// Voters campaign; so does a node that is leaving, until it knows that its leaving is committed. It may be the only one that holds the
    /// membership without it, which the others need in order to go on (thesis §4.2.2). Its own vote does not count then.
    private var mayBeNeeded: Bool {
        let settled = committedMembership.index
        return memberships.contains { $0.index >= settled && $0.membership.isVoter(id) }
    }

    mutating func campaignOnRequest() {
        guard !isLeader, canCampaign else { return }
        startPreVote()
    }

    /// The leader was not heard for an election timeout.
    mutating func electionTimedOut() {
        restartsElectionTimer = true
        changeLeader(to: nil)
        if canCampaign {
            startPreVote()
        } else if case .campaigning = state {
            state = .following
        }
    }

    /// Asks whether a campaign could win, before disturbing anyone with a new term.
    private mutating func startPreVote() {
        if isPlanted(.preVoteSkipped) { return startCampaign(isTransfer: false) }
        changeLeader(to: nil)
        restartsElectionTimer = true
        var ballot = Ballot(kind: .pre, campaign: term.next, ownVote: nil)
        ballot.record(id, isGranted: true)
        state = .campaigning(ballot)
        for node in membership.allVoters where node != id { send(.preVote(voteRequest(isTransfer: false)), to: node) }
        tally()
    }

    /// The request leaves only with the vote for itself on disk, and with that everything in the log before it: a candidate that crashed and came
    /// back with a shorter log could otherwise campaign in the same term again and be handed the votes that its longer log had won.
    mutating func startCampaign(isTransfer: Bool) {
        changeLeader(to: nil)
        restartsElectionTimer = true
        hardState = HardState(term: term.next, vote: id)
        persistHardState()
        matchedWithLeader = .zero
        state = .campaigning(Ballot(kind: .real(isTransfer: isTransfer), campaign: term, ownVote: write.sequence))
        for node in membership.allVoters where node != id {
            let request = Message.Payload.vote(voteRequest(isTransfer: isTransfer))
            if isPlanted(.voteRequestedBeforeSync) { send(request, to: node) } else { sendWhenDurable(request, to: node) }
        }
        if isPlanted(.voteNotPersisted) { write.hardState = HardState(term: term, vote: nil) }
    }

    private func voteRequest(isTransfer: Bool) -> VoteRequest {
        let campaign: Term
        if case .campaigning(let ballot) = state { campaign = ballot.campaign } else { campaign = term }
        return VoteRequest(
            campaign: campaign, last: shape.last, isTransfer: isTransfer, generation: membership.generation)
    }

    private mutating func tally() {
        guard case .campaigning(let ballot) = state else { return }
        let outcome: BallotOutcome
        if isPlanted(.jointElectsWithNewSetOnly) {
            outcome = Quorum.outcome(among: membership.voters) { ballot.vote(of: $0) }
        } else {
            outcome = membership.outcome { ballot.vote(of: $0) }
        }
        switch (outcome, ballot.kind) {
        case (.won, .pre): startCampaign(isTransfer: false)
        case (.won, .real): becomeLeader()
        case (.lost, _): becomeFollower(term: term, leader: nil)
        case (.pending, _): break
        }
    }

    /// Paper §5.2 and §8: a new leader's first entry is a no-op of its term.
    private mutating func becomeLeader() {
        leader = id
        dropFetch()
        let start = shape.lastIndex.next
        let progress = membership.members.filter { $0 != id }.map { Progress(node: $0, next: start, now: clock) }
        lastLedTerm = term
        state = .leading(Leadership(progress: progress, ownTermStart: start, nextHeartbeat: clock))
        appendToLog(Entry(id: EntryID(term: term, index: start), body: .noop))
        broadcastHeartbeat()
    }

    // MARK: Answering

    /// Whether a leader was heard within the minimum election timeout: then nobody needs another one (thesis §4.2.3). The former
    /// leader itself may ask.
    func hearsLeader(besides candidate: NodeID) -> Bool {
        if isPlanted(.stickinessIgnored) { return false }
        if isLeader { return true }
        // What a former life promised to a leader's lease is not remembered, so the promise is kept to all.
        if settings.usesLeases && clock.elapsed(since: startedAt) < settings.electionTimeout { return true }
        guard let lastLeaderContact, lastLeader != candidate else { return false }
        return clock.elapsed(since: lastLeaderContact) < settings.electionTimeout
    }

    /// Judges by term, log and stickiness alone: neither one's own membership nor one's own role decides (`reference/raft.md` C5 f;
    /// refusing strangers can lock a cluster for ever). It never restarts the election timer (hashicorp, `PreVote_LeaderSpam`).
    mutating func answerPreVote(_ request: VoteRequest, from candidate: NodeID) {
        let isGranted = request.campaign > term && isUpToDate(request) && mayVote(for: candidate)
            && !hearsLeader(besides: candidate)
        sendWhenDurable(.preVoteReply(VoteReply(campaign: request.campaign, isGranted: isGranted)), to: candidate)
        if !isGranted { noticeLeftover(candidate, generation: request.generation) }
    }

    /// The candidate's term is ours by now.
    mutating func answerVote(_ request: VoteRequest, from candidate: NodeID) {
        let hasVote = hardState.vote == candidate
            || ((hardState.vote == nil || isPlanted(.voteResetInSameTerm)) && leader == nil)
        let isDisturbance = !request.isTransfer && hearsLeader(besides: candidate)
        let isGranted = !isLeader && hasVote && isUpToDate(request) && mayVote(for: candidate)
            && (hardState.vote == candidate || !isDisturbance)
        if isGranted && hardState.vote != candidate {
            hardState.vote = candidate
            if !isPlanted(.voteNotPersisted) { persistHardState() }
            restartsElectionTimer = true
        }
        let reply = Message.Payload.voteReply(VoteReply(campaign: request.campaign, isGranted: isGranted))
        if isPlanted(.voteRepliedBeforeSync) { send(reply, to: candidate) } else { sendWhenDurable(reply, to: candidate) }
    }

    /// Paper §5.4.1.
    private func isUpToDate(_ request: VoteRequest) -> Bool {
        request.last >= shape.last || isPlanted(.voteWithoutLogComparison)
    }

    /// A node that may have lost what it acknowledged cannot vouch for a candidate's log.
    private func mayVote(for candidate: NodeID) -> Bool {
        if isPlanted(.votesRefusedByMembership) && !membership.isVoter(candidate) { return false }
        return recovery == nil || isPlanted(.recoveringNodeVotes)
    }

    // MARK: Counting

    mutating func countPreVote(_ reply: VoteReply, from node: NodeID) {
        guard case .campaigning(var ballot) = state, ballot.kind == .pre, reply.campaign == ballot.campaign else { return }
        ballot.record(node, isGranted: reply.isGranted)
        state = .campaigning(ballot)
        tally()
    }

    mutating func countVote(_ reply: VoteReply, from node: NodeID) {
        guard case .campaigning(var ballot) = state, ballot.kind != .pre, reply.campaign == ballot.campaign else { return }
        ballot.record(node, isGranted: reply.isGranted)
        state = .campaigning(ballot)
        tally()
    }

    /// A candidate counts its own vote when that is on disk, like any other.
    mutating func countOwnVote() {
        guard case .campaigning(var ballot) = state, let ownVote = ballot.ownVote, ownVote <= lastDurable else { return }
        ballot.record(id, isGranted: true)
        state = .campaigning(ballot)
        tally()
    }
}
