/// What time does. There are no timers to start or stop, only moments that lie in the past or not, so none can fire late by mistake.
extension RaftCore {
    mutating func tick() {
        if isLeader {
            leaderTick()
        } else {
            // A timer that is about to start, as in the first step of a life, has not run out.
            let isTimeout = clock >= electionDeadline && !restartsElectionTimer
            if isTimeout || isPlanted(.staleTimerAccepted) { electionTimedOut() }
            retryReads()
            if let fetch, clock >= fetch.retryAt { requestNextChunk() }
        }
        expireProposals()
    }

    private mutating func leaderTick() {
        // First of all: a leader that slept must not act on what it believed before (thesis §6.2).
        if let limit = quorumDeadline, clock >= limit { return becomeFollower(term: term, leader: nil) }
        if isDiskStalled { diskIsStalled() }
        guard isLeader else { return }
        if let transfer = leadership.transfer, clock >= transfer.deadline { transferTimedOut(transfer) }
        guard isLeader else { return }
        if clock >= leadership.nextHeartbeat { broadcastHeartbeat() }
        dropIdleSnapshotSends()
    }

    /// When a majority, this leader included, will not have been heard from for an election timeout.
    private var quorumDeadline: Instant? {
        guard !isPlanted(.quorumCheckSkipped) else { return nil }
        let progress = leadership.progress
        let contact = membership.reached { node in
            node == id ? clock : progress.first { $0.node == node }?.lastContact ?? .zero
        }
        return contact.map { $0 + settings.electionTimeout }
    }

    /// A leader that cannot write its own log hands over to one that can; after one more election timeout it stops leading in any case.
    /// Alone, nobody could do better.
    private mutating func diskIsStalled() {
        guard hasOtherVoters else { return }
        guard let since = leadership.stalledSince else {
            leadership.stalledSince = clock
            if leadership.transfer == nil { startTransfer(to: bestTarget(), ticket: nil, stepsDown: true) }
            return
        }
        if clock.elapsed(since: since) >= settings.electionTimeout { becomeFollower(term: term, leader: nil) }
    }

    private var hasOtherVoters: Bool { membership.allVoters.contains { $0 != id } }

    var deadlines: [Instant] {
        var moments: [Instant] = []
        if isLeader {
            let leadership = leadership
            moments.append(leadership.nextHeartbeat)
            if let quorumDeadline { moments.append(quorumDeadline) }
            if let transfer = leadership.transfer { moments.append(transfer.deadline) }
            if let since = leadership.stalledSince {
                moments.append(since + settings.electionTimeout)
            } else if let mark = writeMarks.first, hasOtherVoters {
                moments.append(mark.issuedAt + settings.diskStallTimeout)
            }
        } else {
            moments.append(electionDeadline)
            if let asked = followerReads.asked { moments.append(min(asked.retryAt, asked.deadline)) }
            if let fetch, !fetch.isStoring { moments.append(fetch.retryAt) }
        }
        if let deadline = proposals.nextDeadline { moments.append(deadline) }
        return moments
    }
}
