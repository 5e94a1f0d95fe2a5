/// Leadership transfer (thesis §3.10): stop taking proposals, bring the target up to date, tell it to campaign at once.
extension RaftCore {
    mutating func transferLeadership(to wanted: NodeID?, ticket: Ticket) {
        guard isLeader else { return finish(ticket, .notLeader(hint: leader)) }
        guard let target = wanted ?? bestTarget() else { return finish(ticket, .transferRefused(.noTarget)) }
        if target == id { return finish(ticket, .transferRefused(.alreadyLeader)) }
        guard membership.voters.contains(target) else { return finish(ticket, .transferRefused(.notVoter(target))) }
        // A target hours behind would keep the cluster from writing (redpanda#2592).
        guard hasCaughtUp(target) else { return finish(ticket, .transferRefused(.notCaughtUp(target))) }
        if let current = leadership.transfer {
            // The same target again does not buy more time; a leader that is leaving keeps its own plan.
            if current.target == target || current.stepsDown { return finish(ticket, .transferRefused(.replaced)) }
            cancelTransfer(.replaced)
        }
        startTransfer(to: target, ticket: ticket, stepsDown: false)
    }

    /// The voter that would lead soonest: the longest copy of the log among those that answer.
    func bestTarget() -> NodeID? {
        var best: Progress?
        for peer in leadership.progress where membership.voters.contains(peer.node) && isReachable(peer.node) {
            if let current = best, current.match >= peer.match { continue }
            best = peer
        }
        return best?.node
    }

    mutating func startTransfer(to target: NodeID?, ticket: Ticket?, stepsDown: Bool) {
        guard let target else { return }
        leadership.transfer = .init(
            target: target, ticket: ticket, deadline: clock + settings.electionTimeout, stepsDown: stepsDown)
    }

    /// Sends TimeoutNow when the target holds the whole log. From then on no lease is trusted in this term: the target may be elected although
    /// followers hear this leader, even after the transfer was given up.
    mutating func advanceTransfer() {
        guard let transfer = leadership.transfer, !transfer.didSendTimeoutNow,
            leadership.progress(of: transfer.target)?.match == shape.lastIndex
        else { return }
        leadership.transfer?.didSendTimeoutNow = true
        leadership.leasesAreVoid = true
        send(.timeoutNow(expecting: shape.last), to: transfer.target)
        if !membership.isVoter(id) { becomeFollower(term: term, leader: nil) }
    }

    mutating func transferTimedOut(_ transfer: Leadership.Transfer) {
        if transfer.stepsDown && (isDiskStalled || !membership.isVoter(id)) { return becomeFollower(term: term, leader: nil) }
        leadership.transfer = nil
        if let ticket = transfer.ticket { finish(ticket, .transferTimedOut) }
        if isOwnTermCommitted { finishMembershipChange() }
    }

    mutating func cancelTransfer(_ reason: TransferRefusal) {
        guard let transfer = leadership.transfer else { return }
        leadership.transfer = nil
        if let ticket = transfer.ticket { finish(ticket, .transferRefused(reason)) }
    }

    /// This leader is no voter of the committed membership: it led until here without counting itself, and now hands over and leaves.
    mutating func depart() {
        guard leadership.transfer == nil || leadership.transfer?.stepsDown == false else { return }
        cancelTransfer(.replaced)
        guard let target = bestTarget() else { return becomeFollower(term: term, leader: nil) }
        startTransfer(to: target, ticket: nil, stepsDown: true)
    }

    /// Campaigns at once, without pre-vote, when this node's log is as long as the leader said.
    mutating func receiveTimeoutNow(expecting last: EntryID, from node: NodeID) {
        guard !isLeader, node == leader || leader == nil, shape.last >= last, canCampaign else { return }
        startCampaign(isTransfer: true)
    }
}
