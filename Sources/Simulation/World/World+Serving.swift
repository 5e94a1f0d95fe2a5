import Raft
import Sessions

/// What a node's driver does for clients: hands attempts to the core, and answers when core and state machine have spoken.
extension World {
    func requestArrives(_ slot: Int) throws(Finding) {
        let attempt = requests.peek(slot)
        let node = nodes[attempt.node]
        guard node.isRunning else {
            _ = requests.take(slot)
            return answer(attempt, .refused(nil))
        }
        if postpone(.request(slot: slot), for: node) { return }
        _ = requests.take(slot)
        node.waiters.append(Waiter(attempt))
        if let number = attempt.operation { try observer.attempted(history[number], ticket: attempt.ticket, at: node, in: self) }
        switch attempt.request {
        case .read: try step(node, .read([attempt.ticket]))
        case .propose(let command): try propose(command, attempt.ticket, at: node)
        }
    }

    private func propose(_ command: RegisterCommand, _ ticket: Ticket, at node: SimulatedNode) throws(Finding) {
        let level = isPlanted(.unknownEntrySkipped) ? 0 : command.featureLevel
        let payload = command.encoded(padding: rng.below(mix.paddingMax))
        let proposal = Proposal(ticket: ticket, command: Command(payload, onlyIfTerm: drawOnlyIfTerm(node), featureLevel: level))
        try step(node, .propose([proposal]))
    }

    // MARK: What the core says

    func conclude(_ result: ProposalResult, at node: SimulatedNode) throws(Finding) {
        try observer.concluded(result, at: node, in: self)
        guard let place = node.waiters.firstIndex(where: { $0.attempt.ticket == result.ticket }) else { return }
        switch result.outcome {
        case .committed(let id):
            node.waiters[place].stage = .committed(id)
            if id.index <= node.machine.applied.index { answerFromSession(node, node.waiters.remove(at: place).attempt, at: id.index) }
        case .refused(let refusal): answer(node.waiters.remove(at: place).attempt, .refused(refusal))
        case .unknown: answer(node.waiters.remove(at: place).attempt, .unknown)
        }
    }

    func conclude(_ result: ReadResult, at node: SimulatedNode) throws(Finding) {
        switch result {
        case .failed(let tickets, _):
            for ticket in tickets {
                guard let place = node.waiters.firstIndex(where: { $0.attempt.ticket == ticket }) else { continue }
                answer(node.waiters.remove(at: place).attempt, .refused(nil))
            }
        case .ready(let tickets, let index):
            for place in node.waiters.indices where tickets.contains(node.waiters[place].attempt.ticket) {
                node.waiters[place].stage = .readable(index)
            }
            try serveReads(node)
        }
    }

    // MARK: What the state machine says

    /// Answers whoever waits for this very entry.
    func answerWriters(_ node: SimulatedNode, _ entry: Entry, _ result: ApplyResult) throws(Finding) {
        guard let place = node.waiters.firstIndex(where: { if case .committed(entry.id) = $0.stage { true } else { false } }) else { return }
        let attempt = node.waiters.remove(at: place).attempt
        switch result {
        case .command(let reply, let isRepeated): answer(attempt, .reply(reply, isRepeated: isRepeated))
        case .forgotten: answer(attempt, .forgotten)
        case .registered(let registration): answer(attempt, .session(registration.id))
        case .refused(let refusal): answer(attempt, .sessionRefused(refusal))
        case .nothing: throw finding("V11 durability", node, "\(attempt.ticket) is said to be \(entry), which is no command")
        }
    }

    /// A snapshot took the place of the entries that somebody waited for.
    func answerOverdue(_ node: SimulatedNode) throws(Finding) {
        for waiter in node.waiters {
            guard case .committed(let id) = waiter.stage, id.index <= node.machine.applied.index else { continue }
            node.waiters.removeAll { $0.attempt.ticket == waiter.attempt.ticket }
            answerFromSession(node, waiter.attempt, at: id.index)
        }
    }

    /// The entry was applied a while ago; what came of it is in the session table, if that still has it.
    private func answerFromSession(_ node: SimulatedNode, _ attempt: Attempt, at index: LogIndex) {
        switch attempt.request {
        case .propose(.write(let request, _, _)):
            answer(attempt, node.machine.reply(to: request).map { .reply($0, isRepeated: true) } ?? .unknown)
        case .propose(let registration): answer(attempt, .session(registration.session(at: index.raw)))
        case .read: preconditionFailure("a read is not committed")
        }
    }

    /// Serves every read for which the state is new enough.
    func serveReads(_ node: SimulatedNode) throws(Finding) {
        guard !node.waiters.isEmpty else { return }
        var served: [(Attempt, key: UInt64, LogIndex)] = []
        for waiter in node.waiters {
            guard case .readable(let index) = waiter.stage, case .read(let key) = waiter.attempt.request,
                index <= node.machine.applied.index || isPlanted(.readBeforeApplied)
            else { continue }
            served.append((waiter.attempt, key, index))
        }
        for (attempt, key, index) in served {
            node.waiters.removeAll { $0.attempt.ticket == attempt.ticket }
            coverage.mark(node.core.role == .leader ? .readAtLeader : .readAtFollower)
            try observer.readServed(attempt.ticket, at: index, by: node, in: self)
            answer(attempt, .value(node.machine.value(of: key)))
        }
    }

    // MARK: Ways back

    private func answer(_ attempt: Attempt, _ content: Answer.Content) {
        if phase == .safety, mix.clientDropPerMille > 0, rng.chance(perMille: mix.clientDropPerMille) { return }
        push(.reply(slot: replies.put(Answer(attempt: attempt, content: content))), in: rng.around(mix.delayMean))
    }

    /// The process is gone. Some clients see their connection break, the others hear nothing.
    func breakClients(of node: SimulatedNode) {
        for waiter in node.waiters where rng.chance(perMille: 500) { answer(waiter.attempt, .unknown) }
        node.waiters.removeAll()
    }
}
