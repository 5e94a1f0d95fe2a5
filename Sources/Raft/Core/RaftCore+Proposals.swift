/// Proposals: taken by the leader, handed on by followers, and answered exactly once (`reference/raft.md` C11).
extension RaftCore {
    // MARK: Here

    mutating func propose(_ batch: [Proposal]) {
        guard isLeader else { return forwardToLeader(batch) }
        for proposal in batch {
            guard proposals.count < settings.limits.proposalsMax else {
                conclude(proposal.ticket, .refused(.overloaded))
                continue
            }
            do throws(Refusal) {
                let id = try appendCommand(proposal.command)
                proposals.insert(.init(ticket: proposal.ticket, id: id, deadline: nil))
            } catch {
                conclude(proposal.ticket, .refused(error))
            }
        }
    }

    /// Puts a command at the end of the leader's log, or says why not. A refused one is in no log.
    private mutating func appendCommand(_ command: Command) throws(Refusal) -> EntryID {
        let limits = settings.limits
        if leadership.transfer != nil, !isPlanted(.proposalsTakenDuringTransfer) { throw .transferring }
        if isDiskStalled { throw .diskStalled }
        if command.payload.count > limits.commandBytesMax { throw .tooLarge }
        if let onlyIfTerm = command.onlyIfTerm, onlyIfTerm != term, !isPlanted(.onlyIfTermIgnored) { throw .wrongTerm }
        if command.featureLevel > membership.featureLevel { throw .featureLevel }
        if commit.distance(from: applied) >= limits.unappliedEntriesMax { throw .overloaded }
        let entry = Entry(id: EntryID(term: term, index: shape.lastIndex.next), body: .command(command))
        let byteCount = entry.byteCount
        // One entry is always allowed, so that a limit below the largest entry cannot stop everything.
        if leadership.uncommittedBytes > 0, leadership.uncommittedBytes + byteCount > limits.uncommittedBytesMax {
            throw .overloaded
        }
        leadership.uncommitted.append(.init(index: entry.index, byteCount: byteCount))
        leadership.uncommittedBytes += byteCount
        appendToLog(entry)
        return entry.id
    }

    private mutating func conclude(_ ticket: Ticket, _ outcome: ProposalResult.Outcome) {
        out.proposals.append(ProposalResult(ticket: ticket, outcome: outcome))
    }

    // MARK: Forwarding

    /// Hands proposals to the leader in messages of bounded size.
    private mutating func forwardToLeader(_ batch: [Proposal]) {
        guard let leader else {
            for proposal in batch { conclude(proposal.ticket, .refused(.notLeader(hint: nil))) }
            return
        }
        var group: [Proposal] = []
        var groupBytes = 0
        for proposal in batch {
            let byteCount = proposal.command.payload.count
            guard byteCount <= settings.limits.commandBytesMax else {
                conclude(proposal.ticket, .refused(.tooLarge))
                continue
            }
            guard proposals.count < settings.limits.proposalsMax else {
                conclude(proposal.ticket, .refused(.overloaded))
                continue
            }
            proposals.forwarded.append(
                .init(ticket: proposal.ticket, term: term, deadline: clock + settings.unknownOutcomeTimeout))
            group.append(proposal)
            groupBytes += byteCount
            if groupBytes >= settings.limits.appendBytesMax {
                sendForward(group, to: leader)
                group = []
                groupBytes = 0
            }
        }
        if !group.isEmpty { sendForward(group, to: leader) }
    }

    private mutating func sendForward(_ group: [Proposal], to leader: NodeID) {
        send(.forward(Forward(incarnation: incarnation, number: nextForward, proposals: group)), to: leader)
        nextForward += 1
    }

    /// The sender's term is ours. Taken only by the leader of that very term: a proposal that travelled through an election was made under
    /// assumptions that no longer hold (etcd#15247).
    mutating func receiveForward(_ forward: Forward, from node: NodeID) {
        guard isLeader else { return refuseForwarded(forward, of: term, from: node) }
        takeForwarded(forward, from: node)
    }

    mutating func takeForwarded(_ forward: Forward, from node: NodeID) {
        // Silence is right for a batch seen before: it was answered, and a refused one must stay refused.
        guard leadership.takes(forward, from: node, max: settings.limits.forwardOriginsMax) || isPlanted(.forwardTakenTwice)
        else { return }
        var items: [ForwardReply.Item] = []
        for proposal in forward.proposals {
            do throws(Refusal) {
                items.append(.init(ticket: proposal.ticket, result: .appended(try appendCommand(proposal.command))))
            } catch {
                items.append(.init(ticket: proposal.ticket, result: .refused(error)))
            }
        }
        send(.forwardReply(ForwardReply(incarnation: forward.incarnation, items: items)), to: node)
    }

    /// Answers proposals that came for the leader of a term that this node does not lead, or not any more.
    mutating func refuseForwarded(_ forward: Forward, of asked: Term, from node: NodeID) {
        let result: ForwardReply.Result = mayHaveLed(asked) ? .unknown : .refused(.notLeader(hint: leader))
        let items = forward.proposals.map { ForwardReply.Item(ticket: $0.ticket, result: result) }
        send(.forwardReply(ForwardReply(incarnation: forward.incarnation, items: items)), to: node)
    }

    /// Whether this node may have led a term: a leader voted for itself, in this term or, as far as this life knows, in an earlier one.
    private func mayHaveLed(_ asked: Term) -> Bool {
        if asked == term { return hardState.vote == id }
        return asked <= firstTerm || asked <= lastLedTerm ?? .zero
    }

    mutating func receiveForwardReply(_ reply: ForwardReply, from node: NodeID) {
        guard reply.incarnation == incarnation, node == leader else { return }
        for item in reply.items {
            guard let position = proposals.forwarded.firstIndex(where: { $0.ticket == item.ticket }) else { continue }
            proposals.forwarded.remove(at: position)
            switch item.result {
            case .appended(let id): proposals.insert(.init(ticket: item.ticket, id: id, deadline: nil))
            case .refused(let refusal): conclude(item.ticket, .refused(refusal))
            case .unknown: conclude(item.ticket, .unknown)
            }
        }
        resolveProposals()
    }

    // MARK: Ends

    /// Answers every proposal whose place in the log is decided.
    mutating func resolveProposals() {
        while let first = proposals.appended.first, first.id.index <= commit {
            proposals.appended.popFirst()
            switch shape.term(at: first.id.index) {
            case first.id.term?: conclude(first.ticket, .committed(first.id))
            // An entry has one place; another one is committed there, so it never will be.
            case .some: conclude(first.ticket, .refused(.superseded))
            // The place came with a snapshot or was compacted before the leader's answer arrived.
            case nil: conclude(first.ticket, .unknown)
            }
        }
    }

    /// The leader that took them is gone. Most will be committed by its successor; the rest is given up after a while.
    mutating func setDeadlineOfAppended() { proposals.setDeadline(clock + settings.unknownOutcomeTimeout) }

    /// The leader that was asked will not answer any more; it may or may not have appended them.
    mutating func abandonForwarded() {
        for item in proposals.forwarded {
            conclude(item.ticket, isPlanted(.orphanCalledRefused) ? .refused(.notLeader(hint: nil)) : .unknown)
        }
        proposals.forwarded.removeAll()
    }

    mutating func abandonProposals() {
        abandonForwarded()
        for item in proposals.appended.elements { conclude(item.ticket, .unknown) }
        proposals.appended.removeAll()
    }

    mutating func expireProposals() {
        for ticket in proposals.expire(at: clock) { conclude(ticket, .unknown) }
    }
}

extension Leadership {
    /// Whether a forwarded batch is new. Each life of a follower counts its batches, and each is taken at most once, in order.
    mutating func takes(_ forward: Forward, from node: NodeID, max: Int) -> Bool {
        if let known = forwardOrigins.firstIndex(where: { $0.node == node && $0.incarnation == forward.incarnation }) {
            guard forward.number > forwardOrigins[known].number else { return false }
            forwardOrigins[known].number = forward.number
            return true
        }
        if forwardOrigins.count >= max { forwardOrigins.removeFirst() }
        forwardOrigins.append(ForwardOrigin(node: node, incarnation: forward.incarnation, number: forward.number))
        return true
    }
}
