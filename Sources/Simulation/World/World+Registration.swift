import Raft
import Sessions

/// How a client opens a session, before it writes and whenever the one that it had is gone.
extension World {
    func beginRegistration(_ index: Int) {
        clients[index].isRegistering = true
        clients[index].attempts = 0
        register(index)
    }

    /// Every attempt registers anew: one whose outcome is not known may leave a session behind that nobody uses.
    private func register(_ index: Int) { send(.propose(.registration(nonce: rng.next())), operation: nil, from: index) }

    func retryRegistration(_ index: Int) {
        clients[index].target = nil
        if clients[index].attempts < mix.attemptsMax { return register(index) }
        clients[index].isRegistering = false
        wait(index, rng.around(mix.thinkMean) + Interval(nanoseconds: 1_000))
    }

    func registrationAnswered(_ answer: Answer) throws(Finding) {
        let index = answer.attempt.client
        guard clients[index].isRegistering else { return }
        switch answer.content {
        case .session(let id):
            coverage.mark(.sessionOpened)
            note { "client \(index) has session \(id.registeredAt)" }
            clients[index].enter(id)
            if phase == .settling { wait(index, mix.electionTimeout) } else { try begin(index, mustWrite: true) }
        case .refused(let refusal): retrySoon(answer, refusal)
        case .unknown, .value, .reply, .forgotten, .sessionRefused: retrySoon(answer, nil)
        }
    }
}
