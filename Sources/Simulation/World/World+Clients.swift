import Raft
import Sessions

/// What clients do: begin, attempt, wait, retry, give up.
extension World {
    func addClient() {
        clients.append(Client(known: Array(repeating: 0, count: mix.keyCount)))
        let generation = 0
        push(.client(clients.count - 1, generation: generation), in: rng.around(mix.thinkMean) + mix.electionTimeout)
    }

    /// A client has waited long enough, for its next idea or for an answer.
    func clientWakes(_ index: Int, _ generation: Int) throws(Finding) {
        guard clients[index].generation == generation else { return }
        if clients[index].operation != nil { return try retry(index) }
        if phase == .settling {
            clients[index].isRegistering = false
            return wait(index, mix.electionTimeout)
        }
        if clients[index].isRegistering { retryRegistration(index) } else { try begin(index) }
    }

    func wait(_ index: Int, _ interval: Interval) {
        clients[index].generation += 1
        push(.client(index, generation: clients[index].generation), in: interval)
    }

    /// - Parameter mustWrite: The session is new, so that this is what it was opened for.
    func begin(_ index: Int, mustWrite: Bool = false) throws(Finding) {
        let key = rng.below(mix.keyCount)
        if !mustWrite, rng.chance(perMille: mix.readPerMille) { return try begin(index, .get, on: key) }
        guard clients[index].session != nil else { return beginRegistration(index) }
        if rng.chance(perMille: mix.compareAndSetPerMille) {
            try begin(index, .compareAndSet(expected: clients[index].known[key], new: newValue()), on: key)
        } else {
            try begin(index, .put(newValue()), on: key)
        }
    }

    private func begin(_ index: Int, _ kind: ClientOperation.Kind, on key: Int) throws(Finding) {
        var sequence: UInt64 = 0
        if kind != .get { sequence = nextSequence(index) }
        let operation = ClientOperation(
            number: history.count, client: index, session: kind == .get ? nil : clients[index].session, sequence: sequence, key: UInt64(key),
            kind: kind, begin: now, end: nil, outcome: nil)
        history.append(operation)
        clients[index].operation = operation.number
        clients[index].attempts = 0
        clients[index].openAttempts = 0
        try observer.invoked(operation, in: self)
        attempt(index)
    }

    private func nextSequence(_ index: Int) -> UInt64 {
        defer { clients[index].nextSequence += 1 }
        return clients[index].nextSequence
    }

    private func newValue() -> UInt64 {
        defer { nextValue += 1 }
        return nextValue
    }

    private func attempt(_ index: Int) {
        guard let number = clients[index].operation else { return }
        clients[index].openAttempts += 1
        if clients[index].attempts > 0, history[number].isWrite { coverage.mark(.writeRetried) }
        send(request(of: history[number]), operation: number, from: index)
    }

    private func request(of operation: ClientOperation) -> Attempt.Request {
        let index = operation.client
        guard let session = operation.session else { return .read(key: operation.key) }
        let sequence = isPlanted(.retryUnderNewRequest) && clients[index].attempts > 0 ? nextSequence(index) : operation.sequence
        let request = SessionRequest(session: session, sequence: sequence, answeredBelow: clients[index].mark)
        switch operation.kind {
        case .get: return .read(key: operation.key)
        case .put(let value): return .propose(.write(request, key: operation.key, .put(value)))
        case .compareAndSet(let expected, let new):
            return .propose(.write(request, key: operation.key, .compareAndSet(expected: expected, new: new)))
        }
    }

    /// One attempt of what the client is about.
    ///
    /// - Parameter operation: Nil for a registration.
    func send(_ request: Attempt.Request, operation: Int?, from index: Int) {
        let target = chooseTarget(index)
        clients[index].target = target
        clients[index].attempts += 1
        wait(index, rng.between(mix.electionTimeout, mix.electionTimeout * 3))
        let attempt = Attempt(
            client: index, operation: operation, request: request, generation: clients[index].generation, ticket: Ticket(nextTicket), node: target)
        nextTicket += 1
        if operation != nil, phase == .safety, mix.duplicatePerMille > 0, rng.chance(perMille: mix.duplicatePerMille) { sendLateCopy(of: attempt) }
        if isLostOnTheWay { return }
        push(.request(slot: requests.put(attempt)), in: rng.around(mix.delayMean))
    }

    /// A copy of an operation's attempt that takes a way of its own, and may come when the client is about something else.
    private func sendLateCopy(of attempt: Attempt) {
        let copy = Attempt(
            client: attempt.client, operation: attempt.operation, request: attempt.request, generation: attempt.generation, ticket: Ticket(nextTicket),
            node: rng.below(nodes.count))
        nextTicket += 1
        clients[attempt.client].openAttempts += 1
        push(.request(slot: requests.put(copy)), in: rng.around(rng.one(of: [mix.thinkMean * 3, mix.electionTimeout * 5])))
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
        attempt(index)
    }

    private func giveUp(_ index: Int) throws(Finding) {
        guard let number = clients[index].operation else { return }
        let isOpen = history[number].isWrite && clients[index].openAttempts > 0 && !isPlanted(.unknownReportedAsFailed)
        if isOpen {
            coverage.mark(.writeUnknown)
            // An old request may still be on its way: a new session, or the old one with a higher number, both must be safe.
            if rng.chance(perMille: 300) { clients[index].session = nil }
        }
        try finish(index, isOpen ? .unknown : .failed)
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
        if history[number].isWrite, !rng.chance(perMille: mix.lazyMarkPerMille) { clients[index].mark = clients[index].nextSequence }
        note { "client \(index) finishes \(self.history[number])" }
        try observer.finished(history[number], in: self)
        wait(index, rng.around(mix.thinkMean) + Interval(nanoseconds: 1_000))
    }

    // MARK: Answers

    func answerArrives(_ slot: Int) throws(Finding) {
        let answer = replies.take(slot)
        let index = answer.attempt.client
        guard let number = answer.attempt.operation else { return try registrationAnswered(answer) }
        guard clients[index].operation == number else { return }
        switch answer.content {
        case .value(let value): try finish(index, .read(value))
        case .reply(let reply, let isRepeated):
            coverage.mark(isRepeated ? .writeRepeated : .writeAnswered)
            switch reply {
            case .written: try finish(index, .written)
            case .mismatch(let value): try finish(index, .mismatch(value))
            }
        case .forgotten:
            coverage.mark(.replyForgotten)
            try finish(index, .unknown)
        case .sessionRefused(.sequenceTooHigh):
            coverage.mark(.windowPassed)
            clients[index].mark = history[number].sequence
            try attemptFailed(number, answer, nil, isOpen: false)
        case .sessionRefused:
            coverage.mark(.sessionGone)
            // This attempt was not executed, but an earlier one may have been, whose answer is forgotten.
            clients[index].openAttempts -= 1
            clients[index].session = nil
            try finish(index, clients[index].openAttempts > 0 ? .unknown : .failed)
        case .refused(let refusal): try attemptFailed(number, answer, refusal, isOpen: false)
        case .unknown, .session: try attemptFailed(number, answer, nil, isOpen: true)
        }
    }

    private func attemptFailed(_ number: Int, _ answer: Answer, _ refusal: Refusal?, isOpen: Bool) throws(Finding) {
        let index = answer.attempt.client
        if !isOpen { clients[index].openAttempts -= 1 }
        if history[number].isWrite { coverage.mark(isOpen ? .writeUnknown : .writeRefused) } else { coverage.mark(.readFailed) }
        if clients[index].generation == answer.attempt.generation, refusal == .featureLevel || refusal == .tooLarge { return try giveUp(index) }
        retrySoon(answer, refusal)
    }

    /// Not at once: there may be no leader for a while. The timer that comes retries.
    func retrySoon(_ answer: Answer, _ refusal: Refusal?) {
        let index = answer.attempt.client
        guard clients[index].generation == answer.attempt.generation else { return }
        wait(index, rng.around(Interval(nanoseconds: mix.electionTimeout.nanoseconds / 4)) + Interval(nanoseconds: 1_000))
        if case .notLeader(let hint?)? = refusal, position(of: hint) < nodes.count { clients[index].target = position(of: hint) }
    }
}
