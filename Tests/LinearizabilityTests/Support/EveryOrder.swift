@testable import Linearizability

/// Tries every order of every choice of operations. For a handful of them, on one key.
struct EveryOrder<M: Model> {
    let history: History<UInt64, M>

    var isLinearizable: Bool {
        let numbers = history.operations.indices.filter { !history.operations[$0].isFail }
        return canGoOn(from: history.model.initial, with: Array(numbers))
    }

    private func canGoOn(from state: M.State, with left: [Int]) -> Bool {
        // What need not take effect may be left out.
        if left.allSatisfy({ history.operations[$0].deadline == nil }) { return true }
        return left.contains { number in
            let operation = history.operations[number]
            let isNext = left.allSatisfy { other in history.operations[other].deadline.map { operation.called <= $0 } ?? true }
            guard isNext, let next = history.model.step(state, operation.input, operation.output) else { return false }
            return canGoOn(from: next, with: left.filter { $0 != number })
        }
    }
}

extension Verdict {
    var isLinearizable: Bool { if case .linearizable = self { true } else { false } }
    var witness: Witness<Key>? { if case .violation(let witness) = self { witness } else { nil } }
}
