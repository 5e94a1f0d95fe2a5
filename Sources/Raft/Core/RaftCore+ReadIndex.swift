/// Linearizable reads without writing to the log (thesis §6.4).
///
/// The leader gives each round an epoch of its own. A round confirms the reads that waited when it began, and the next one begins when it ends,
/// so the cost does not grow with the number of reads. No number that a caller or a follower chose ever confirms anything: such
/// tokens made etcd serve stale reads until 2026 (etcd#20418).
extension RaftCore {
    // MARK: At the leader

    mutating func read(_ tickets: [Ticket]) {
        guard isLeader else { return followerRead(tickets) }
        for ticket in tickets { enqueue(.local(ticket)) }
        startReadRound()
    }

    mutating func receiveReadIndex(_ request: ReadRequestID, from node: NodeID) {
        guard isLeader else { return send(.readIndexReply(request, at: nil), to: node) }
        enqueue(.remote(node, request))
        startReadRound()
    }

    private mutating func enqueue(_ origin: ReadRounds.Origin) {
        if leadership.reads.count < settings.limits.readsMax {
            leadership.reads.waiting.append(origin)
        } else {
            fail([origin], .overloaded)
        }
    }

    /// Begins a round for all that waits, unless one is under way. The commit index is taken now, after the reads came; it holds
    /// everything committed before only when an entry of this term is committed, so until then they wait.
    mutating func startReadRound() {
        guard leadership.reads.current == nil, !leadership.reads.waiting.isEmpty,
            isOwnTermCommitted || isPlanted(.readBeforeOwnTermCommitted)
        else { return }
        let origins = leadership.reads.waiting
        leadership.reads.waiting = []
        let index = shape.id(at: commit)
        if isLeaseValid || isPlanted(.readWithoutQuorum) { return answer(origins, at: index) }
        if !(isPlanted(.readEpochReused) && readEpoch > 0) { readEpoch += 1 }
        leadership.reads.current = ReadRounds.Round(epoch: readEpoch, index: index, origins: origins)
        for peer in leadership.progress where membership.isVoter(peer.node) { sendHeartbeat(to: peer.node) }
        completeReads()
    }

    /// Answers the round once a quorum has acknowledged its epoch in this term: no other leader can have been elected before the reads came.
    mutating func completeReads() {
        while isLeader, let round = leadership.reads.current {
            let progress = leadership.progress
            let acked = membership.reached { node in
                if node == id { return readEpoch }
                guard let peer = progress.first(where: { $0.node == node }), peer.isCounted else { return 0 }
                return peer.ackedEpoch
            }
            guard let acked, acked >= round.epoch else { return }
            leadership.reads.current = nil
            answer(round.origins, at: round.index)
            startReadRound()
        }
    }

    /// Whether a quorum heard this leader so recently that no other can have been elected (thesis §6.4.1). Counted from the moment the
    /// heartbeats were *sent*, on the leader's clock.
    var isLeaseValid: Bool {
        guard settings.usesLeases, isLeader, leadership.transfer == nil || isPlanted(.leaseSurvivesTransfer),
            !leadership.leasesAreVoid || isPlanted(.leaseSurvivesTransfer), isOwnTermCommitted
        else { return false }
        let progress = leadership.progress
        let sent = membership.reached { node in
            if node == id { return clock }
            guard let peer = progress.first(where: { $0.node == node }), peer.isCounted else { return .zero }
            return peer.ackedSentAt ?? .zero
        }
        guard let sent, sent > .zero else { return false }
        let permille = isPlanted(.leaseWithoutMargin) ? 2_000 : 1_000 - settings.clockDriftPermille
        return clock.elapsed(since: sent) < Interval(nanoseconds: settings.electionTimeout.nanoseconds / 1_000 * permille)
    }

    private mutating func answer(_ origins: [ReadRounds.Origin], at id: EntryID) {
        var local: [Ticket] = []
        for origin in origins {
            switch origin {
            case .local(let ticket): local.append(ticket)
            case .remote(let node, let request): send(.readIndexReply(request, at: id), to: node)
            }
        }
        if !local.isEmpty { out.reads.append(.ready(local, at: id.index)) }
    }

    private mutating func fail(_ origins: [ReadRounds.Origin], _ failure: ReadFailure) {
        var local: [Ticket] = []
        for origin in origins {
            switch origin {
            case .local(let ticket): local.append(ticket)
            case .remote(let node, let request): send(.readIndexReply(request, at: nil), to: node)
            }
        }
        if !local.isEmpty { out.reads.append(.failed(local, failure)) }
    }

    /// The leadership ends, and with it every read that it has not confirmed.
    mutating func failLeaderReads(_ failure: ReadFailure) {
        let reads = leadership.reads
        leadership.reads = ReadRounds()
        if isPlanted(.readsSurviveRoleChange) { return answer((reads.current?.origins ?? []) + reads.waiting, at: shape.id(at: commit)) }
        fail((reads.current?.origins ?? []) + reads.waiting, failure)
    }

    // MARK: At a follower

    private mutating func followerRead(_ tickets: [Ticket]) {
        if isPlanted(.followerReadsItsOwnCommit) { return out.reads.append(.ready(tickets, at: commit)) }
        guard leader != nil else { return out.reads.append(.failed(tickets, .noLeader)) }
        let room = max(0, settings.limits.readsMax - followerReads.count)
        followerReads.waiting += tickets.prefix(room)
        if tickets.count > room { out.reads.append(.failed(Array(tickets.dropFirst(room)), .overloaded)) }
    }

    /// Asks the leader once for all reads that wait. Runs when a step settles.
    mutating func askForReads() {
        guard followerReads.asked == nil, !followerReads.waiting.isEmpty, let leader else { return }
        let request = newReadRequest()
        followerReads.asked = FollowerReads.Question(
            request: request, tickets: followerReads.waiting, retryAt: clock + settings.retryInterval,
            deadline: clock + settings.electionTimeout)
        followerReads.waiting = []
        send(.readIndex(request), to: leader)
    }

    private mutating func newReadRequest() -> ReadRequestID {
        defer { nextRequest += 1 }
        return ReadRequestID(incarnation: incarnation, number: nextRequest)
    }

    mutating func receiveReadIndexReply(_ request: ReadRequestID, at id: EntryID?, from node: NodeID) {
        guard node == leader, let asked = followerReads.asked, asked.request == request else { return }
        followerReads.asked = nil
        guard let id else { return out.reads.append(.failed(asked.tickets, .leaderChanged)) }
        adopt(commit: id)
        out.reads.append(.ready(asked.tickets, at: id.index))
    }

    /// A question that got lost is asked again, under a new number: an answer to the old one counts for nothing.
    mutating func retryReads() {
        guard var asked = followerReads.asked, let leader else { return }
        if clock >= asked.deadline {
            followerReads.asked = nil
            out.reads.append(.failed(asked.tickets, .timedOut))
        } else if clock >= asked.retryAt {
            asked.request = newReadRequest()
            asked.retryAt = clock + settings.retryInterval
            followerReads.asked = asked
            send(.readIndex(asked.request), to: leader)
        }
    }

    mutating func abandonReads(_ failure: ReadFailure) {
        let tickets = (followerReads.asked?.tickets ?? []) + followerReads.waiting
        followerReads = FollowerReads()
        if !tickets.isEmpty { out.reads.append(.failed(tickets, failure)) }
    }
}
