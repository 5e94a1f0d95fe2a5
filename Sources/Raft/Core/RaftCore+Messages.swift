/// The way in for messages: terms first (paper §5.1), then one handler for each kind.
extension RaftCore {
    mutating func receive(_ message: Message) {
        guard message.to == id, message.from != id else { return }
        // A pre-vote asks what would be: it moves no term on either side (thesis §9.6).
        if case .preVote(let request) = message.payload { return answerPreVote(request, from: message.from) }
        if message.term > term {
            guard adoptsTerm(of: message) else { return }
        } else if message.term < term {
            return answerFromThePast(message)
        }
        handle(message)
    }

    /// A message with a higher term makes the receiver a follower in that term, with these exceptions.
    ///
    /// - Returns: False when the message is done with and the term stays.
    private mutating func adoptsTerm(of message: Message) -> Bool {
        switch message.payload {
        case .append, .heartbeat, .commit, .snapshotOffer, .snapshotChunk, .timeoutNow:
            becomeFollower(term: message.term, leader: message.from)
        case .vote(let request):
            // While a leader is heard, a candidate is refused without learning from its term, unless that leader sent it
            // (thesis §4.2.3, §3.10).
            if !request.isTransfer && hearsLeader(besides: message.from) {
                sendWhenDurable(.voteReply(VoteReply(campaign: request.campaign, isGranted: false)), to: message.from)
                noticeLeftover(message.from, generation: request.generation)
                return false
            }
            becomeFollower(term: message.term, leader: nil, deposedBy: message.from)
        case .preVote: return false
        case .preVoteReply, .voteReply, .appendReply, .heartbeatReply, .readIndex, .readIndexReply, .forward, .forwardReply,
            .snapshotRequest, .snapshotRefusal, .retire:
            // Strangers and removed members move nobody's term by answering or asking (hashicorp/raft#524).
            guard membership.contains(message.from) else { return false }
            becomeFollower(term: message.term, leader: nil, deposedBy: message.from)
        }
        return true
    }

    /// The sender's term is over. A leader or candidate is told so, by the term of the answer; the rest is not worth one.
    private mutating func answerFromThePast(_ message: Message) {
        switch message.payload {
        case .append(let append):
            let result = AppendReply.Result.mismatch(rejected: append.previous, hint: .zero)
            sendWhenDurable(.appendReply(AppendReply(result: result, epoch: 0, isCounted: recovery == nil)), to: message.from)
        case .heartbeat, .snapshotOffer:
            // Epoch 0 and send time 0 confirm nothing, whatever the receiver makes of the term.
            sendWhenDurable(heartbeatReply(epoch: 0, sentAt: .zero), to: message.from)
        case .vote(let request):
            sendWhenDurable(.voteReply(VoteReply(campaign: request.campaign, isGranted: false)), to: message.from)
            noticeLeftover(message.from, generation: request.generation)
        case .preVoteReply(let reply): countPreVote(reply, from: message.from)
        // A voter that hears a leader refuses a real vote without taking over its term.
        case .voteReply(let reply) where !reply.isGranted: countVote(reply, from: message.from)
        case .readIndex(let request): send(.readIndexReply(request, at: nil), to: message.from)
        case .forward(let forward):
            if isPlanted(.forwardWithoutTerm) && isLeader { return takeForwarded(forward, from: message.from) }
            refuseForwarded(forward, of: message.term, from: message.from)
        default: break
        }
    }

    private mutating func handle(_ message: Message) {
        let from = message.from
        switch message.payload {
        case .preVote: break
        case .preVoteReply(let reply): countPreVote(reply, from: from)
        case .vote(let request): answerVote(request, from: from)
        case .voteReply(let reply): countVote(reply, from: from)
        case .append(let append): receiveAppend(append, from: from)
        case .appendReply(let reply): receiveAppendReply(reply, from: from)
        case .heartbeat(let heartbeat): receiveHeartbeat(heartbeat, from: from)
        case .heartbeatReply(let reply): receiveHeartbeatReply(reply, from: from)
        case .commit(let id): receiveCommit(id, from: from)
        case .readIndex(let request): receiveReadIndex(request, from: from)
        case .readIndexReply(let request, let id): receiveReadIndexReply(request, at: id, from: from)
        case .forward(let forward): receiveForward(forward, from: from)
        case .forwardReply(let reply): receiveForwardReply(reply, from: from)
        case .timeoutNow(let last): receiveTimeoutNow(expecting: last, from: from)
        case .snapshotOffer(let meta): receiveOffer(meta, from: from)
        case .snapshotRequest(let image, let offset): receiveSnapshotRequest(image, offset: offset, from: from)
        case .snapshotChunk(let chunk): receiveChunk(chunk, from: from)
        case .snapshotRefusal(let image, let fault): receiveSnapshotRefusal(image, fault, from: from)
        case .retire(let generation): receiveRetire(generation: generation)
        }
    }

    /// Recognises the sender as this term's leader.
    ///
    /// - Returns: False when that cannot be, and the node halts.
    mutating func follow(_ node: NodeID) -> Bool {
        // Election safety (paper §5.2): the votes of one term elect one leader.
        if isLeader || (leader != nil && leader != node) {
            fail(.twoLeaders(term))
            return false
        }
        if case .campaigning = state {
            becomeFollower(term: term, leader: node)
        } else {
            changeLeader(to: node)
        }
        lastLeader = node
        lastLeaderContact = clock
        restartsElectionTimer = true
        return true
    }
}
