/// What the end of a run says about an operation: the committed log of a quorum, or the final state.
package enum Fate: Hashable, Sendable {
    /// It took effect.
    case present(logIndex: UInt64?)
    /// It did not, and never will.
    case absent
    /// This end does not tell, for instance a value that was overwritten since.
    case unknown
}

/// Where the end of a run contradicts what clients were told.
package enum Contradiction: Hashable, Sendable {
    /// Answered, and not there.
    case lost(Int)
    /// Declared not executed, and there, or shown by the answer of `by`.
    case executedAfterAll(Int, by: Int?)
    /// Not there, and shown by the answer of `by`.
    case phantom(Int, by: Int)
    /// Answered with another index than the log has it at.
    case otherIndex(Int, UInt64)
}

extension History {
    /// This history with as few operations of unknown outcome as can be (`reference/raft.md` §4.5 A3 and B): each one doubles what a search must try.
    ///
    /// What is not in the end becomes ``Outcome/fail``. What is there, or was seen by somebody, becomes ``Outcome/applied``, before the
    /// first moment at which an answer showed it. The rest stays.
    ///
    /// - Parameter fate: Asked for every operation that is not a read. For one that was answered without an effect, say what the log
    ///   says, or unknown.
    package func resolved(by fate: (Int, Operation<Key, M>) -> Fate) -> (history: History, contradictions: [Contradiction]) {
        var history = self
        var contradictions: [Contradiction] = []
        for (_, numbers) in partition {
            let showing = firstToShow(among: numbers)
            for number in numbers where !model.isRead(operations[number].input) {
                let operation = operations[number]
                let witness = model.trace(of: operation.input).flatMap { showing[$0] }
                switch (operation.outcome, fate(number, operation)) {
                case (.ok, .absent), (.applied, .absent): contradictions.append(.lost(number))
                case (.ok, .present(let index?)), (.applied, .present(let index?)):
                    if let told = operation.logIndex, told != index { contradictions.append(.otherIndex(number, index)) }
                    history.operations[number].logIndex = index
                case (.ok, _), (.applied, _): break
                case (.fail, .present): contradictions.append(.executedAfterAll(number, by: witness))
                case (.fail, _): if let witness { contradictions.append(.executedAfterAll(number, by: witness)) }
                case (.info, .absent):
                    if let witness { contradictions.append(.phantom(number, by: witness)) }
                    history.operations[number].outcome = .fail
                case (.info, .present(let index)): history.close(number, shownBy: witness, index)
                case (.info, .unknown): if witness != nil { history.close(number, shownBy: witness, nil) }
                }
            }
        }
        return (history, contradictions.sorted { $0.number < $1.number })
    }

    /// By trace: the answer that came first of those that show it.
    private func firstToShow(among numbers: [Int]) -> [UInt64: Int] {
        var showing: [UInt64: Int] = [:]
        for number in numbers {
            guard let trace = operations[number].output.flatMap(model.trace(in:)) else { continue }
            let earlier = showing[trace].flatMap { operations[$0].returned } ?? .max
            if operations[number].returned ?? .max < earlier { showing[trace] = number }
        }
        return showing
    }

    private mutating func close(_ number: Int, shownBy witness: Int?, _ index: UInt64?) {
        operations[number].outcome = .applied
        // Shown before it was called: left at the time of its call, for the search to refuse.
        operations[number].returned = witness.flatMap { operations[$0].returned }.map { max($0, operations[number].called) }
        operations[number].logIndex = index ?? operations[number].logIndex
    }
}

extension Contradiction {
    /// The operation that is contradicted.
    package var number: Int {
        switch self {
        case .lost(let number), .executedAfterAll(let number, _), .phantom(let number, _), .otherIndex(let number, _): number
        }
    }
}
