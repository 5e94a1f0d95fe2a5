/// News from this node's own disk.
extension RaftCore {
    mutating func logBecameDurable(upTo sequence: WriteSequence) {
        guard sequence > lastDurable, sequence <= lastIssued else { return }
        lastDurable = sequence
        if isPlanted(.durabilityByIndex) {
            tail.markDurable(throughIndex: shape.lastIndex)
        } else {
            tail.markDurable(upTo: sequence)
        }
        while let mark = writeMarks.first, mark.through <= sequence { writeMarks.popFirst() }
        if isLeader {
            if !isDiskStalled { leadership.stalledSince = nil }
            advanceCommit()
        }
        countOwnVote()
        repairIsDone()
    }

    /// Whether the oldest unfinished write is older than a healthy disk takes. Heartbeats alone would hide it (hashicorp/raft#503).
    var isDiskStalled: Bool {
        guard let mark = writeMarks.first, !isPlanted(.stalledLeaderKeepsLeading) else { return false }
        return clock.elapsed(since: mark.issuedAt) >= settings.diskStallTimeout
    }

    /// Cuts the log behind what the state machine keeps for ever, and behind what followers are about to need.
    mutating func stateBecameDurable(upTo index: LogIndex) {
        stateDurable = max(stateDurable, min(index, applied))
        let trailing = settings.limits.trailingEntries
        var keep = LogIndex(stateDurable.raw > trailing ? stateDurable.raw - trailing + 1 : 1)
        if isLeader {
            for peer in leadership.progress {
                // After the image it fetches, a follower goes on with the log.
                if case .snapshot(let send) = peer.state, let meta = send.meta { keep = min(keep, meta.last.index.next) }
            }
        }
        guard keep.distance(from: shape.firstIndex) >= settings.limits.compactionStep else { return }
        shape.compact(before: keep)
        while memberships.count > 1, memberships[1].index <= shape.compactedThrough.index { memberships.removeFirst() }
        out.compactBefore = keep
    }
}
