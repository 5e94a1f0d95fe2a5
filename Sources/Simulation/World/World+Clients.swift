import Raft

/// What clients do: begin, attempt, wait, retry, give up.
extension World {
    func addClient() {
        let session = newSession()
        clients.append(Client(session: session, known: Array(repeating: 0, count: mix.keyCount)))
        let generation = 0
        push(.client(clients.count - 1, generation: generation), in: rng.around(mix.thinkMean) + mix.electionTimeout)
    }

    private func newSession() -> UInt64 {
        defer { nextSession += 1 }
        return nextSession
    }

    /// A client has waited long enough, for its next idea or for an answer.
    func clientWakes(_ index: Int, _ generation: Int) throws(Finding) {
        guard clients[index].generation == generation else { return }
        if clients[index].operation == nil {
            guard phase != .settling else { return wait(index, mix.electionTimeout) }
            try begin(index)
        } else {
            try retry(index)
        }
    }

    private func wait(_ index: Int, _ interval: Interval) {
        clients[index].generation += 1
        push(.client(index, generation: clients[index].generation), in: interval)
    }

    private func begin(_ index: Int) throws(Finding) {
        let key = rng.below(mix.keyCount)
        let kind: ClientOperation.Kind
        if rng.chance(perMille: mix.readPerMille) {
            kind = .get
        } else if rng.chance(perMille: mix.compareAndSetPerMille) {
            kind = .compareAndSet(expected: clients[index].known[key], new: newValue())
        } else {
            kind = .put(newValue())
        }
        var sequence: UInt64 = 0
        if kind != .get {
            sequence = clients[index].nextSequence
            clients[index].nextSequence += 1
        }
        let operation = ClientOperation(
            number: history.count, client: index, session: clients[index].session, sequence: sequence, key: UInt64(key), kind: kind,
            begin: now, end: nil, outcome: nil)
        history.append(operation)
        clients[index].operation = operation.number
        clients[index].attempts = 0
        clients[index].openAttempts = 0
        try observer.invoked(operation, in: self)
        try attempt(index)
    }

    private func newValue() -> UInt64 {
        defer { nextValue += 1 }
        return nextValue
    }

    private func attempt(_ index: Int) throws(Finding) {
        guard let number = clients[index].operation else { return }
        let target = chooseTarget(index)
        clients[index].target = target
        clients[index].attempts += 1
        clients[index].openAttempts += 1
        if clients[index].attempts > 1, history[number].isWrite { coverage.mark(.writeRetried) }
        var sequence = history[number].sequence
        if isPlanted(.retryUnderNewRequest), clients[index].attempts > 1, sequence > 0 {
            sequence = clients[index].nextSequence
            clients[index].nextSequence += 1
        }
        wait(index, rng.between(mix.electionTimeout, mix.electionTimeout * 3))
        let attempt = Attempt(
            client: index, operation: number, generation: clients[index].generation, ticket: Ticket(nextTicket), node: target, sequence: sequence)
        nextTicket += 1
        if isLostOnTheWay { return }
        push(.request(slot: requests.put(attempt)), in: rng.around(mix.delayMean))
    }

    private var isLostOnTheWay: Bool {
        phase == .safety && mix.clientDropPerMille > 0 && rng.chance(perMille: mix.clientDropPerMille)
    }

    /// Mostly where the last attempt did well or was sent; otherwise any node that may be there.
    private func chooseTarget(_ index: Int) -> Int {
        if let target = clients[index].target, rng.chance(perMille: 800), survivors.isEmpty || survivors.contains(target) { return target }
        if !survivors.isEmpty { return rng.one(of: survivors) }
        return rng.below(nodes.count)
    }

    private func retry(_ index: Int) throws(Finding) {
        clients[index].target = nil
        if clients[index].attempts >= mix.attemptsMax, phase != .liveness || rng.chance(perMille: 300) { return try giveUp(index) }
        try attempt(index)
    }

    private func giveUp(_ index: Int) throws(Finding) {
        guard let number = clients[index].operation else { return }
        let isOpen = history[number].isWrite && clients[index].openAttempts > 0 && !isPlanted(.unknownReportedAsFailed)
        if isOpen {
            coverage.mark(.writeUnknown)
            // An old request may still be on its way: a new session, or the old one with a higher number, both must be safe.
            if rng.chance(perMille: 300) { openNewSession(index) }
        }
        try finish(index, isOpen ? .unknown : .failed)
    }

    private func openNewSession(_ index: Int) {
        clients[index].session = newSession()
        clients[index].nextSequence = 1
    }

    private func finish(_ index: Int, _ outcome: ClientOperation.Outcome) throws(Finding) {
        guard let number = clients[index].operation else { return }
        history[number].end = now
        history[number].outcome = outcome
        let key = Int(history[number].key)
        switch (outcome, history[number].kind) {
        case (.read(let value), _), (.mismatch(let value), _): clients[index].known[key] = value
        case (.written, .put(let value)), (.written, .compareAndSet(_, let value)): clients[index].known[key] = value
        default: break
        }
        if phase == .liveness, history[number].begin >= livenessBegin {
            switch outcome {
            case .read: clients[index].freshReads += 1
            case .written, .mismatch: clients[index].freshWrites += 1
            case .unknown, .failed: break
            }
        }
        clients[index].operation = nil
        note { "client \(index) finishes \(self.history[number])" }
        try observer.finished(history[number], in: self)
        wait(index, rng.around(mix.thinkMean) + Interval(nanoseconds: 1_000))
    }

    // MARK: Answers

    func answerArrives(_ slot: Int) throws(Finding) {
        let answer = replies.take(slot)
        let index = answer.attempt.client
        guard clients[index].operation == answer.attempt.operation else { return }
        switch answer.content {
        case .value(let value): try finish(index, .read(value))
        case .reply(let reply, let isRepeated):
            coverage.mark(isRepeated ? .writeRepeated : .writeAnswered)
            switch reply {
            case .written: try finish(index, .written)
            case .mismatch(let value): try finish(index, .mismatch(value))
            }
        case .sessionRefused:
            // This attempt was not executed, but an earlier one may have been, whose answer is forgotten.
            clients[index].openAttempts -= 1
            let wasMaybeDone = clients[index].openAttempts > 0
            openNewSession(index)
            try finish(index, wasMaybeDone ? .unknown : .failed)
        case .refused(let refusal): try attemptFailed(answer, refusal, isOpen: false)
        case .unknown: try attemptFailed(answer, nil, isOpen: true)
        }
    }

    private func attemptFailed(_ answer: Answer, _ refusal: Refusal?, isOpen: Bool) throws(Finding) {
        let index = answer.attempt.client
        let operation = history[answer.attempt.operation]
        if !isOpen { clients[index].openAttempts -= 1 }
        if operation.isWrite { coverage.mark(isOpen ? .writeUnknown : .writeRefused) } else { coverage.mark(.readFailed) }
        guard clients[index].generation == answer.attempt.generation else { return }
        if refusal == .featureLevel || refusal == .tooLarge { return try giveUp(index) }
        // Not at once: there may be no leader for a while. The timer that comes retries.
        wait(index, rng.around(Interval(nanoseconds: mix.electionTimeout.nanoseconds / 4)) + Interval(nanoseconds: 1_000))
        if case .notLeader(let hint?)? = refusal, position(of: hint) < nodes.count { clients[index].target = position(of: hint) }
    }
}
