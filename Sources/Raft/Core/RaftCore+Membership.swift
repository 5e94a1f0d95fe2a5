/// Membership changes (paper §6, thesis §4): in force on append, through a joint membership whenever a vote is given or taken.
extension RaftCore {
    mutating func changeMembership(_ change: MembershipChange, ticket: Ticket) {
        guard isLeader else { return finish(ticket, .notLeader(hint: leader)) }
        do throws(MembershipRefusal) {
            switch try planMembershipChange(change) {
            case .unchanged: finish(ticket, .done)
            case .simple(let next):
                leadership.change = .init(ticket: ticket, generation: next.generation)
                appendMembership(next)
            case .joint(let next):
                leadership.change = .init(ticket: ticket, generation: next.generation + 1)
                appendMembership(next)
                if isPlanted(.finalBeforeJointCommitted) { finishMembershipChange() }
            }
        } catch {
            finish(ticket, .membershipRefused(error))
        }
    }

    /// Whether `change` may be made now. What it leads to must be reachable: no joint time can be called off (etcd-io/raft#372).
    private func planMembershipChange(_ change: MembershipChange) throws(MembershipRefusal) -> MembershipTransition {
        guard memberships.last.map({ $0.index <= commit }) ?? false, leadership.change == nil, leadership.transfer == nil,
            isOwnTermCommitted || isPlanted(.changeBeforeOwnTermCommitted)
        else { throw .changeInProgress }
        let transition = try membership.applying(change)
        if let level = change.featureLevel, level > membership.featureLevel { try requireFeatureLevel(level) }
        if case .joint(let next) = transition {
            for node in next.voters where !membership.voters.contains(node) && !hasCaughtUp(node) { throw .notCaughtUp(node) }
            guard Quorum.outcome(among: next.voters, { isReachable($0) }) == .won else { throw .newMajorityUnreachable }
        }
        return transition
    }

    private func requireFeatureLevel(_ level: UInt16) throws(MembershipRefusal) {
        for node in membership.members {
            let known = node == id ? settings.featureLevelMax : leadership.progress(of: node)?.featureLevelMax ?? 0
            guard known >= level else { throw .featureLevelUnsupported(node) }
        }
    }

    /// Whether `node` was heard from lately and counts.
    func isReachable(_ node: NodeID) -> Bool {
        if node == id { return true }
        guard let peer = leadership.progress(of: node), peer.isCounted else { return false }
        return clock.elapsed(since: peer.lastContact) < settings.electionTimeout
    }

    /// Whether a node could vote or lead at once without making anybody wait.
    func hasCaughtUp(_ node: NodeID) -> Bool {
        guard let peer = leadership.progress(of: node), isReachable(node), peer.state == .replicate else { return node == id }
        return shape.lastIndex.distance(from: peer.match) <= settings.limits.catchUpEntriesMax
    }

    private mutating func appendMembership(_ next: Membership) {
        appendToLog(Entry(id: EntryID(term: term, index: shape.lastIndex.next), body: .membership(next)))
        // Members that leave stay in `progress` until their removal is committed: they should hear of it.
        for node in next.members where node != id && leadership.position(of: node) == nil {
            leadership.progress.append(Progress(node: node, next: shape.lastIndex.next, now: clock))
        }
        leadership.progress.sort { $0.node < $1.node }
        advanceCommit()
    }

    /// Goes on with the change whose entry was just committed, also one that an earlier leader began (etcd#12136).
    mutating func finishMembershipChange() {
        guard let newest = memberships.last, newest.index <= commit || isPlanted(.finalBeforeJointCommitted) else { return }
        let membership = newest.membership
        if membership.isJoint {
            // The target of a transfer campaigns with the log it was told of; an entry more, and nobody votes for it. It finishes the change itself.
            if leadership.transfer?.didSendTimeoutNow == true { return }
            if isPlanted(.jointNotFinishedByNewLeader) && newest.index < leadership.ownTermStart { return }
            return appendMembership(membership.final)
        }
        guard newest.index <= commit else { return }
        if let change = leadership.change, change.generation <= membership.generation {
            leadership.change = nil
            finish(change.ticket, .done)
        }
        for peer in leadership.progress where !membership.contains(peer.node) { retire(peer.node, generation: membership.generation) }
        leadership.progress.removeAll { !membership.contains($0.node) }
        if let transfer = leadership.transfer, !membership.voters.contains(transfer.target) { cancelTransfer(.targetRemoved) }
        if !membership.voters.contains(id) && !isPlanted(.removedLeaderStays) { depart() }
    }

    // MARK: Leaving

    private mutating func retire(_ node: NodeID, generation: UInt64) { send(.retire(generation: generation), to: node) }

    /// A candidate that belongs to no membership any more, and whose own is older, missed its removal.
    mutating func noticeLeftover(_ node: NodeID, generation: UInt64) {
        guard isLeader, isOwnTermCommitted, !membership.contains(node) else { return }
        let committed = committedMembership.membership
        guard !committed.contains(node), generation < committed.generation else { return }
        retire(node, generation: committed.generation)
    }

    /// Only a leader's word about a *committed* membership that came after this node joined ends its membership; entries met while catching up
    /// do not, since older ones naturally lack a node that joined later (vault#32099).
    mutating func receiveRetire(generation: UInt64) {
        guard generation > settings.joinGeneration else { return }
        guard membership.generation < generation || !membership.contains(id) else { return }
        halt(.retired(generation: generation))
    }

    /// A planted fault: a node draws its own conclusion from an entry.
    mutating func retireIfAbsent(from entries: [Entry]) {
        guard isPlanted(.retiresOnOldMembership) else { return }
        for entry in entries { if let membership = entry.membership, !membership.contains(id) { halt(.retired(generation: membership.generation)) } }
    }

    mutating func finish(_ ticket: Ticket, _ outcome: CommandResult.Outcome) {
        out.commands.append(CommandResult(ticket: ticket, outcome: outcome))
    }

    mutating func failCommands(deposedBy node: NodeID?) {
        if let change = leadership.change { finish(change.ticket, .unknown) }
        if let transfer = leadership.transfer, let ticket = transfer.ticket {
            finish(ticket, transfer.target == node ? .done : .unknown)
        }
        leadership.change = nil
        leadership.transfer = nil
    }
}
