/// The follower's side of replication (paper §5.3) and the repair of a damaged log.
extension RaftCore {
    mutating func receiveAppend(_ append: Append, from node: NodeID) {
        guard follow(node), installing == nil else { return }
        let previous = append.previous
        guard previous.index >= commit else {
            // Committed entries are the leader's too (paper §5.4, Leader Completeness): say how far they go.
            return acknowledge(.matched(shape.id(at: commit)), epoch: append.epoch, to: node)
        }
        guard shape.contains(previous) else {
            let hint = shape.lastEntry(within: previous)
            return acknowledge(.mismatch(rejected: previous, hint: hint), epoch: append.epoch, to: node)
        }
        guard isWellFormed(append) else { return }
        guard merge(append.entries) else { return }
        let matched = EntryID(term: append.entries.last?.term ?? previous.term, index: previous.index + append.entries.count)
        matchedWithLeader = max(matchedWithLeader, matched.index)
        let known = isPlanted(.commitBeyondMatch) ? shape.lastIndex : matched.index
        moveCommit(to: min(append.commit, known))
        retireIfAbsent(from: append.entries)
        repairIsDone()
        acknowledge(.matched(matched), epoch: append.epoch, to: node)
    }

    /// Takes over what is not in the log yet. Only a real conflict cuts the log: a late message that holds less than the log does must
    /// not take back what was acknowledged since (paper, figure 2, receiver rule 3).
    ///
    /// - Returns: False when the entries cannot be taken, and the node halts.
    private mutating func merge(_ entries: [Entry]) -> Bool {
        for entry in entries {
            if let membership = entry.membership, membership.featureLevel > settings.featureLevelMax {
                fail(.unsupportedFeatureLevel(membership.featureLevel, at: entry.index))
                return false
            }
            if let known = shape.term(at: entry.index) {
                let isSame = known == entry.term || isPlanted(.keepsConflictingEntries)
                if isSame && !(isPlanted(.truncatesMatchingEntries) && entry.index > commit) { continue }
                guard entry.index > commit else {
                    fail(.committedEntryRewritten(entry.index))
                    return false
                }
                truncateLog(from: entry.index)
            }
            appendToLog(entry)
        }
        return true
    }

    /// A peer's message can be wrong without the peer being an enemy; nothing of it is used then.
    private func isWellFormed(_ append: Append) -> Bool {
        var expected = append.previous
        for entry in append.entries {
            guard entry.index == expected.index.next, entry.term >= expected.term, entry.term <= term else { return false }
            if let membership = entry.membership, !membership.isWellFormed { return false }
            expected = entry.id
        }
        return true
    }

    private mutating func acknowledge(_ result: AppendReply.Result, epoch: UInt64, to node: NodeID) {
        let reply = Message.Payload.appendReply(AppendReply(result: result, epoch: epoch, isCounted: recovery == nil))
        if isPlanted(.appendAcknowledgedBeforeSync) { send(reply, to: node) } else { sendWhenDurable(reply, to: node) }
    }

    mutating func receiveHeartbeat(_ heartbeat: Heartbeat, from node: NodeID) {
        guard follow(node) else { return }
        adopt(commit: heartbeat.commit)
        aimRecovery(at: heartbeat.last)
        send(heartbeatReply(epoch: heartbeat.epoch, sentAt: heartbeat.sentAt), to: node)
    }

    mutating func receiveCommit(_ id: EntryID, from node: NodeID) {
        guard follow(node) else { return }
        adopt(commit: id)
    }

    /// A commit hint names an entry. Whoever holds that entry holds the leader's log up to it (Log Matching), and may commit it.
    mutating func adopt(commit id: EntryID) {
        guard id.index > commit, installing == nil else { return }
        if isPlanted(.commitBeyondMatch) { return moveCommit(to: min(id.index, shape.lastIndex)) }
        guard shape.contains(id) else { return }
        matchedWithLeader = max(matchedWithLeader, id.index)
        moveCommit(to: id.index)
        repairIsDone()
    }

    /// Leaves without waiting for the disk: it says that the node follows now, which is true whether or not it remembers. Who votes in a later
    /// term does so after this, and a lease is guarded after a restart by ``hearsLeader(besides:)``.
    func heartbeatReply(epoch: UInt64, sentAt: Instant) -> Message.Payload {
        .heartbeatReply(
            HeartbeatReply(
                epoch: epoch, echoedSentAt: sentAt, applied: applied, isCounted: recovery == nil,
                featureLevelMax: settings.featureLevelMax))
    }
}

/// The repair of a log that lost acknowledged entries.
struct Recovery: Sendable, Equatable {
    /// The last entry of the first leader that was heard, in which term. Every entry that this node's lost acknowledgements helped to
    /// commit is in the log of every later leader, because this node helped to elect none; so a copy of one leader's whole log heals.
    var target: LogIndex?
    var term = Term.zero
}

extension RaftCore {
    private mutating func aimRecovery(at last: EntryID) {
        guard let recovery, recovery.term != term || recovery.target == nil else { return }
        self.recovery = Recovery(target: last.index, term: term)
        repairIsDone()
    }

    /// Ends the repair once the leader's log, as long as it was when this node first heard it, is on this disk.
    mutating func repairIsDone() {
        guard let recovery, let target = recovery.target, recovery.term == term, installing == nil,
            matchedWithLeader >= target, durableIndex >= target
        else { return }
        self.recovery = nil
        write.endsRecovery = true
    }
}
