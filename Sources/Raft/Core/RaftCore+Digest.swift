/// One number for the whole state, equal in every process: to compare a replay with the first run, and to know a state when exploring.
extension RaftCore {
    /// - Parameter now: When given, times count as distances from it and write sequences as distances from the last durable one, so that
    ///   states which differ only by when they happened have the same digest.
    package func digest(relativeTo now: Instant? = nil) -> UInt64 {
        var digest = StateDigest(origin: now ?? .zero, sequenceOrigin: now == nil ? .zero : lastDurable)
        foldLog(into: &digest)
        foldRole(into: &digest)
        foldRequests(into: &digest)
        return digest.value
    }

    private func foldLog(into digest: inout StateDigest) {
        digest.fold(id)
        digest.fold(hardState.term.raw)
        digest.fold(hardState.vote)
        shape.fold(into: &digest)
        tail.fold(into: &digest)
        for record in memberships {
            digest.fold(record.index.raw)
            digest.fold(record.membership)
        }
        for index in [commit, handedOver, applied, stateDurable, matchedWithLeader] { digest.fold(index.raw) }
        digest.fold(lastIssued)
        digest.fold(lastDurable)
        for mark in writeMarks.elements {
            digest.fold(mark.through)
            digest.fold(mark.issuedAt)
        }
        digest.fold(halted != nil)
    }

    private func foldRole(into digest: inout StateDigest) {
        digest.fold(leader)
        digest.fold(lastLeader)
        if let lastLeaderContact { digest.fold(lastLeaderContact) }
        digest.fold(electionDeadline)
        digest.fold(restartsElectionTimer)
        if let recovery {
            digest.fold(recovery.term.raw)
            digest.fold(recovery.target?.raw ?? .max)
        }
        switch state {
        case .following: digest.fold(1)
        case .campaigning(let ballot):
            digest.fold(ballot.kind == .pre ? 2 : ballot.kind == .real(isTransfer: true) ? 3 : 4)
            for vote in ballot.votes {
                digest.fold(vote.node)
                digest.fold(vote.isGranted)
            }
            if let ownVote = ballot.ownVote { digest.fold(ownVote) }
        case .leading(let leadership):
            digest.fold(5)
            leadership.fold(into: &digest)
        }
    }

    private func foldRequests(into digest: inout StateDigest) {
        for item in proposals.appended.elements {
            digest.fold(item.ticket.raw)
            digest.fold(item.id)
        }
        for item in proposals.forwarded { digest.fold(item.ticket.raw) }
        for ticket in followerReads.waiting { digest.fold(ticket.raw) }
        if let asked = followerReads.asked {
            digest.fold(asked.request.number)
            for ticket in asked.tickets { digest.fold(ticket.raw) }
        }
        if let fetch {
            digest.fold(fetch.meta.image.last)
            digest.fold(fetch.meta.image.fingerprint)
            digest.fold(fetch.offset)
            digest.fold(fetch.isStoring)
            digest.fold(fetch.retryAt)
        }
        if let installing { digest.fold(installing.image.fingerprint) }
        digest.fold(readEpoch)
        digest.fold(nextRequest)
        digest.fold(nextForward)
        digest.fold(firstTerm.raw)
        digest.fold(lastLedTerm?.raw ?? 0)
    }
}

extension Leadership {
    func fold(into digest: inout StateDigest) {
        for peer in progress { peer.fold(into: &digest) }
        digest.fold(ownTermStart.raw)
        digest.fold(nextHeartbeat)
        digest.fold(UInt64(reads.waiting.count))
        if let round = reads.current {
            digest.fold(round.epoch)
            digest.fold(round.index)
            digest.fold(UInt64(round.origins.count))
        }
        if let transfer {
            digest.fold(transfer.target)
            digest.fold(transfer.deadline)
            digest.fold(transfer.stepsDown)
            digest.fold(transfer.didSendTimeoutNow)
        }
        if let change { digest.fold(change.generation) }
        digest.fold(UInt64(uncommittedBytes))
        for origin in forwardOrigins {
            digest.fold(origin.node)
            digest.fold(origin.incarnation.raw)
            digest.fold(origin.number)
        }
        digest.fold(leasesAreVoid)
        if let stalledSince { digest.fold(stalledSince) }
        digest.fold(isMakingSnapshot)
        for image in images { digest.fold(image.image.fingerprint) }
    }
}

extension Progress {
    func fold(into digest: inout StateDigest) {
        digest.fold(node)
        digest.fold(match.raw)
        digest.fold(next.raw)
        switch state {
        case .probe(let isPaused): digest.fold(isPaused ? 1 : 2)
        case .replicate: digest.fold(3)
        case .snapshot(let send):
            digest.fold(4)
            digest.fold(send.meta?.image.fingerprint ?? 0)
            digest.fold(send.lastActivity)
        }
        inflights.fold(into: &digest)
        digest.fold(toldCommit.raw)
        digest.fold(lastContact)
        digest.fold(ackedEpoch)
        if let ackedSentAt { digest.fold(ackedSentAt) }
        digest.fold(isCounted)
        digest.fold(UInt64(featureLevelMax ?? .max))
        digest.fold(awaitsLog)
    }
}
