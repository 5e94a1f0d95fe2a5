/// Where the order of the log does not explain the answers.
package enum IndexOrderBreak: Hashable, Sendable {
    /// An answer, and no index beside it.
    case noIndex(Int)
    /// Two operations that change something claim one index.
    case sharedIndex(Int, Int)
    /// The answer is not the object's at this index.
    case wrongAnswer(Int, state: String)
    /// The operation was called when `seen` had taken effect and been answered, at the same index or a higher one.
    case tooEarly(Int, seen: Int)
}

extension History {
    /// Checks the history in linear time with the log indices as witnesses (`reference/raft.md` §4.5 A): replayed in their order, the
    /// operations give the answers, and the order is that of real time. Together this is strict serializability over all keys. A false index is
    /// not believed: it shows as a wrong answer, or as an operation before its call or after its return.
    ///
    /// Operations of unknown outcome count as not executed, so resolve them first, see ``resolved(by:)``.
    ///
    /// - Returns: The first break, in the order of the log, then of time; nil for none.
    package func firstBreakOfIndexOrder() -> IndexOrderBreak? {
        var placed: [(index: UInt64, isRead: Bool, number: Int)] = []
        for (number, operation) in operations.enumerated() where operation.deadline != nil {
            guard let index = operation.logIndex else { return .noIndex(number) }
            placed.append((index, model.isRead(operation.input), number))
        }
        // A read at an index sees what was written there.
        placed.sort { ($0.index, $0.isRead ? 1 : 0, $0.number) < ($1.index, $1.isRead ? 1 : 0, $1.number) }
        for (one, other) in zip(placed, placed.dropFirst()) where one.index == other.index && !other.isRead {
            return .sharedIndex(one.number, other.number)
        }
        return firstWrongAnswer(placed.map(\.number)) ?? firstTooEarly(placed.map(\.number))
    }

    private func firstWrongAnswer(_ order: [Int]) -> IndexOrderBreak? {
        var states: [Key: M.State] = [:]
        for number in order {
            let operation = operations[number]
            let state = states[operation.key] ?? model.initial
            guard let next = model.step(state, operation.input, operation.output) else { return .wrongAnswer(number, state: "\(state)") }
            states[operation.key] = next
        }
        return nil
    }

    /// Goes through time, with the highest index that was answered so far.
    private func firstTooEarly(_ numbers: [Int]) -> IndexOrderBreak? {
        var events: [(time: UInt64, isReturn: Bool, number: Int)] = []
        for number in numbers {
            events.append((operations[number].called, false, number))
            if let returned = operations[number].returned { events.append((returned, true, number)) }
        }
        events.sort { ($0.time, $0.isReturn ? 1 : 0, $0.number) < ($1.time, $1.isReturn ? 1 : 0, $1.number) }
        var seen: (index: UInt64, number: Int)?
        for event in events {
            let operation = operations[event.number]
            guard let index = operation.logIndex else { continue }
            if event.isReturn {
                if index > seen?.index ?? 0 { seen = (index, event.number) }
            } else if let seen, index < seen.index || (index == seen.index && !model.isRead(operation.input)) {
                return .tooEarly(event.number, seen: seen.number)
            }
        }
        return nil
    }
}
