/// The leader's side of replication: what each follower is sent, and what its answers mean (paper §5.3, thesis §10.2.1).
extension RaftCore {
    // MARK: Sending

    /// Sends every member what it lacks and may have now. Runs once at the end of each step of a leader.
    mutating func replicate(log: borrowing some LogView) {
        advanceTransfer()
        guard isLeader else { return }
        // Taken out, so that each can be changed in place while the rest of the state is read.
        var all = leadership.progress
        leadership.progress = []
        for position in all.indices { feed(&all[position], log: log) }
        leadership.progress = all
        releaseUnusedImages()
    }

    private mutating func feed(_ peer: inout Progress, log: borrowing some LogView) {
        switch peer.state {
        case .probe(isPaused: true): break
        case .probe(isPaused: false): sendAppend(to: &peer, log: log)
        case .replicate:
            while peer.next <= shape.lastIndex, !peer.inflights.isFull(settings.limits), !peer.awaitsLog {
                guard sendAppend(to: &peer, log: log) else { break }
            }
            if peer.needsVerification, case .replicate = peer.state, !isPlanted(.verificationSkipped) { sendVerification(to: &peer) }
            tellCommit(to: &peer)
        case .snapshot: feedSnapshot(&peer)
        }
        peer.needsVerification = false
    }

    /// Sends the next entries, or only the question whether the logs meet when there are none.
    ///
    /// - Returns: False when nothing was sent: the entries are compacted away or not in memory.
    @discardableResult
    private mutating func sendAppend(to peer: inout Progress, log: borrowing some LogView) -> Bool {
        guard peer.next >= shape.firstIndex else {
            needsSnapshot(&peer)
            return false
        }
        var entries: [Entry] = []
        if peer.next <= shape.lastIndex {
            guard let found = bodies(from: peer.next, log: log) else {
                peer.awaitsLog = true
                out.prefetch = out.prefetch.map { min($0, peer.next) } ?? peer.next
                return false
            }
            entries = found
        }
        let previous = shape.id(at: peer.next.previous)
        let last = entries.last?.index ?? previous.index
        send(.append(Append(previous: previous, entries: entries, commit: commit, epoch: readEpoch)), to: peer.node)
        peer.toldCommit = max(peer.toldCommit, min(commit, last))
        peer.didSend(through: last, byteCount: entries.reduce(0) { $0 + $1.byteCount })
        return true
    }

    private func bodies(from first: LogIndex, log: borrowing some LogView) -> [Entry]? {
        let byteCountMax = settings.limits.appendBytesMax
        let stable = durableIndex
        if first > stable { return tail.entries(from: first, byteCountMax: byteCountMax) }
        guard let entries = log.entries(from: first, through: stable, byteCountMax: byteCountMax) else { return nil }
        // The log view is the disk's word: it must agree with what the core knows of the log's shape.
        precondition(
            entries.first?.index == first && entries.allSatisfy { shape.term(at: $0.index) == $0.term },
            "the log view shows the log that was written")
        return entries
    }

    /// An empty append at the end of what was sent: a lost stretch of entries, even a whole lost window, is refused by the follower
    /// and sent again. Without it the window would stay full for ever.
    private mutating func sendVerification(to peer: inout Progress) {
        // The log was cut while the window was full: nothing of it can be sent again (etcd-io/raft PR 31).
        guard peer.next >= shape.firstIndex else { return needsSnapshot(&peer) }
        let previous = shape.id(at: peer.next.previous)
        send(.append(Append(previous: previous, entries: [], commit: commit, epoch: readEpoch)), to: peer.node)
    }

    /// Tells at once what is committed, unless an append just did.
    private mutating func tellCommit(to peer: inout Progress) {
        guard peer.toldCommit < commit, peer.next > commit else { return }
        peer.toldCommit = commit
        send(.commit(shape.id(at: commit)), to: peer.node)
    }

    mutating func broadcastHeartbeat() {
        leadership.nextHeartbeat = clock + settings.heartbeatInterval
        for peer in leadership.progress { sendHeartbeat(to: peer.node) }
    }

    mutating func sendHeartbeat(to node: NodeID) {
        let heartbeat = Heartbeat(commit: shape.id(at: commit), epoch: readEpoch, sentAt: clock, last: shape.last)
        send(.heartbeat(heartbeat), to: node)
    }

    // MARK: Answers

    mutating func receiveAppendReply(_ reply: AppendReply, from node: NodeID) {
        guard isLeader, let position = leadership.position(of: node) else { return }
        noteContact(position, epoch: reply.epoch, isCounted: reply.isCounted)
        switch reply.result {
        case .matched(let id):
            guard id.index <= shape.lastIndex, id.index < shape.firstIndex || shape.contains(id) else { return }
            leadership.progress[position].didMatch(id.index, firstIndex: shape.firstIndex)
            advanceCommit()
        case .mismatch(let rejected, let hint):
            let meeting = shape.lastEntry(within: hint).index
            if !reply.isCounted && hint.index < leadership.progress[position].match {
                leadership.progress[position].forgetMatch(next: meeting.next)
            } else {
                _ = leadership.progress[position].didMismatch(rejected: rejected.index, meeting: meeting)
            }
        }
        completeReads()
    }

    mutating func receiveHeartbeatReply(_ reply: HeartbeatReply, from node: NodeID) {
        guard isLeader, let position = leadership.position(of: node) else { return }
        noteContact(position, epoch: reply.epoch, isCounted: reply.isCounted)
        let last = shape.lastIndex
        leadership.withProgress(position) { peer in
            peer.featureLevelMax = reply.featureLevelMax
            if reply.echoedSentAt > peer.ackedSentAt ?? .zero { peer.ackedSentAt = reply.echoedSentAt }
            peer.resumeProbe()
            // A damaged log may lack even what was acknowledged, so it is asked in any case.
            if peer.match < last || !peer.isCounted { peer.needsVerification = true }
        }
        // A repaired log counts from here on, and with it what it acknowledged before; there may be nothing left to acknowledge.
        advanceCommit()
        completeReads()
    }

    private mutating func noteContact(_ position: Int, epoch: UInt64, isCounted: Bool) {
        let now = clock
        let lastEpoch = readEpoch
        leadership.withProgress(position) { peer in
            peer.lastContact = now
            peer.isCounted = isCounted
            // An epoch that was never given out confirms nothing.
            if epoch <= lastEpoch { peer.ackedEpoch = max(peer.ackedEpoch, epoch) }
        }
    }

    mutating func logWasFetched() {
        guard isLeader else { return }
        for position in leadership.progress.indices { leadership.progress[position].awaitsLog = false }
    }

    mutating func connectionChanged(to node: NodeID, isUp: Bool) {
        guard isLeader, let position = leadership.position(of: node) else {
            if isUp, fetch?.source == node { requestNextChunk() }
            return
        }
        if isUp { leadership.progress[position].resumeProbe() } else { leadership.progress[position].becomeProbe() }
    }
}

extension Leadership {
    mutating func withProgress(_ position: Int, _ body: (inout Progress) -> Void) { body(&progress[position]) }
}
