/// One session: what is executed and not yet known to be answered.
package struct SessionRow: Hashable, Sendable {
    /// An executed request.
    package struct Executed: Hashable, Sendable {
        package let sequence: UInt64
        /// Nil when it had to go for lack of room.
        package internal(set) var outcome: [UInt8]?

        package init(sequence: UInt64, outcome: [UInt8]?) {
            self.sequence = sequence
            self.outcome = outcome
        }
    }

    package let id: SessionID
    /// Index of the entry with the last request that was not refused, or with the registration.
    package internal(set) var lastUsed: UInt64
    /// Begin of the window. All sequences below it are answered.
    package internal(set) var mark: UInt64 = 1
    /// Ascending by sequence, all in the window.
    package internal(set) var executed: [Executed] = []

    init(id: SessionID) {
        self.id = id
        lastUsed = id.registeredAt
    }

    func verdict(on request: SessionRequest, settings: SessionSettings) -> SessionVerdict {
        let newMark = max(mark, request.answeredBelow)
        let lowest = settings.isPlanted(.windowOffByOne) ? newMark - 1 : newMark
        guard request.sequence >= max(1, lowest) else { return .refused(.sequenceTooLow) }
        guard request.sequence <= newMark || request.sequence - newMark < settings.windowWidth else { return .refused(.sequenceTooHigh) }
        guard let known = executed.first(where: { $0.sequence == request.sequence }), !settings.isPlanted(.repeatAppliedAgain) else {
            return .fresh
        }
        return .repeated(known.outcome)
    }

    /// A request that is not refused moves the window, and the session is in use.
    mutating func use(_ request: SessionRequest, at index: UInt64) {
        lastUsed = index
        guard request.answeredBelow > mark else { return }
        mark = request.answeredBelow
        executed.removeAll { $0.sequence < mark }
    }

    mutating func record(_ sequence: UInt64, outcome: [UInt8], byteCountMax: Int) {
        let place = executed.firstIndex { $0.sequence >= sequence } ?? executed.endIndex
        executed.insert(Executed(sequence: sequence, outcome: outcome), at: place)
        var byteCount = executed.reduce(0) { $0 + ($1.outcome?.count ?? 0) }
        // The lowest sequence is the one that the client most likely has an answer to.
        for place in executed.indices where byteCount > byteCountMax {
            byteCount -= executed[place].outcome?.count ?? 0
            executed[place].outcome = nil
        }
    }
}
