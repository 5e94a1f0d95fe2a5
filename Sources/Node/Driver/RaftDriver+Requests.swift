internal import NIOCore
internal import Raft
internal import SecretStore

/// The requests of this node's clients: asked, asked again after refusals and changes of leaders, and given up when their time is over.
extension RaftDriver {
    /// Takes what has gathered, in one step each for writes and reads.
    func takeIntake() {
        let batch = intake.take()
        for (id, deadline) in batch.proposals { attempts.opened(id, deadline: deadline) }
        propose(batch.proposals.map(\.id))
        ask(batch.reads)
    }

    private func propose(_ ids: [ProposalID]) {
        var proposals: [Proposal] = []
        proposals.reserveCapacity(ids.count)
        for id in ids {
            // Answered meanwhile, by an earlier attempt or by its time.
            guard let command = book.command(of: id) else { continue }
            let ticket = nextTicket()
            attempts.ask(id, under: ticket)
            proposals.append(Proposal(ticket: ticket, command: command))
        }
        if !proposals.isEmpty { step(.propose(proposals)) }
    }

    private func ask(_ reads: [Intake.Read]) {
        guard !reads.isEmpty else { return }
        let ticket = nextTicket()
        self.reads.ask(reads, under: ticket)
        step(.read([ticket]))
    }

    // MARK: Results

    func conclude(_ result: ProposalResult) {
        guard let id = attempts.take(result.ticket) else { return }
        switch result.outcome {
        case .committed(let entry):
            book.mayBeInLog(id)
            // Applied and yet not answered: it came with a snapshot. Asking again gives the outcome that is remembered.
            if entry.index <= appliedIndex { attempts.park(id) } else { attempts.commits(id, at: entry.index) }
        case .unknown:
            book.mayBeInLog(id)
            attempts.park(id)
        case .refused(let refusal):
            switch refusal {
            case .tooLarge, .featureLevel, .wrongTerm: book.fail(id, .overloaded)
            case .overloaded: book.fail(id, .overloaded)
            case .notLeader, .transferring, .diskStalled, .superseded: attempts.park(id)
            }
        }
    }

    func conclude(_ result: ReadResult) {
        switch result {
        case .ready(let tickets, let index): confirm(tickets, at: index)
        case .failed(let tickets, _): reads.failed(tickets)
        }
    }

    // MARK: Again, and no more

    /// Asks again what was refused, if there is somebody to ask.
    func askParked() {
        guard core.leader != nil else { return }
        propose(attempts.takeParked())
        ask(reads.takeParked())
    }

    /// Now and then: another attempt for those that wait, and an end for those that have waited too long.
    func sweepRequests() {
        let now = BootClock.now
        for id in attempts.takeOverdue(at: now) {
            if attempts.isInFlight(id) { book.mayBeInLog(id) }
            book.fail(id, .unavailable)
        }
        for read in reads.takeOverdue(at: now) { read.completion(.failure(.unavailable)) }
        askParked()
    }

    // MARK: The operator's

    /// - Returns: What came of it; ``CommandResult/Outcome/unknown`` if the node stops.
    func change(_ change: MembershipChange) -> EventLoopFuture<CommandResult.Outcome> { command { .changeMembership(change, $0) } }

    func transferLeadership(to target: NodeID?) -> EventLoopFuture<CommandResult.Outcome> { command { .transferLeadership(to: target, $0) } }

    private func command(_ input: (Ticket) -> Input) -> EventLoopFuture<CommandResult.Outcome> {
        let promise = eventLoop.makePromise(of: CommandResult.Outcome.self)
        let ticket = nextTicket()
        let input = input(ticket)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        // In its own turn: the caller may be the answer to another command, within a step.
        eventLoop.execute {
            bound.value.commands[ticket] = promise
            bound.value.step(input)
        }
        return promise.futureResult
    }
}
