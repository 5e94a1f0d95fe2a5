import Linearizability

/// What became of one key of one model.
struct KeyVerdict {
    enum Kind: String {
        case linearizable, violation, undecided
    }

    let model: HistoryLine.Model
    let key: String
    let operationCount: Int
    let kind: Kind
    /// The operations that contradict each other; empty when nothing does.
    let details: String
}

/// Checks the operations of one key against the sequential object.
///
/// Writes of unknown outcome are settled as far as the end of the run tells, since each open one doubles what the search must try.
///
/// - Parameter fate: What the end of the run tells about an operation.
func check<M: Linearizability.Model>(
    _ model: M, _ operations: [Operation<String, M>], kind: HistoryLine.Model, key: String, stepCountMax: Int, fate: (M.Input) -> Fate
) -> KeyVerdict {
    func verdict(_ result: KeyVerdict.Kind, _ details: String = "") -> KeyVerdict {
        KeyVerdict(model: kind, key: key, operationCount: operations.count, kind: result, details: details)
    }
    let (history, contradictions) = History(model: model, operations: operations).resolved { fate($1.input) }
    if !contradictions.isEmpty {
        return verdict(.violation, contradictions.map { words($0, operations) }.joined(separator: "\n"))
    }
    switch history.check(stepCountMax: stepCountMax) {
    case .linearizable: return verdict(.linearizable)
    case .violation(let witness): return verdict(.violation, witness.description)
    case .undecided: return verdict(.undecided, "the search was given up after \(stepCountMax) steps")
    }
}

private func words<M: Linearizability.Model>(_ contradiction: Contradiction, _ operations: [Operation<String, M>]) -> String {
    func shown(_ number: Int?) -> String { number.map { ", shown by\n    #\($0) \(operations[$0])" } ?? "" }
    let subject = "  #\(contradiction.number) \(operations[contradiction.number])"
    return switch contradiction {
    case .lost: "acknowledged, and lost:\n\(subject)"
    case .executedAfterAll(_, let witness): "said to be not executed, and it was:\n\(subject)\(shown(witness))"
    case .phantom(_, let witness): "not there at the end, and seen before:\n\(subject)\(shown(witness))"
    case .otherIndex(_, let index): "answered with another log index than \(index):\n\(subject)"
    }
}
