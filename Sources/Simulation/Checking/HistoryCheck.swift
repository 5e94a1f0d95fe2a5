import Linearizability
import Raft

/// The whole history of a run's clients against the model of a register, once more and independently of what ``ClientLedger`` saw on the way
/// (V11, V13 and V27; `reference/raft.md` §4.5 A and B).
///
/// First in the order of the log, then by a search that looks at times and answers only. Before that, the log says of every operation whose
/// answer nobody saw whether it took effect: else each would double what the search must try.
struct HistoryCheck {
    private typealias ClientHistory = History<UInt64, RegisterModel>

    private let history: History<UInt64, RegisterModel>
    private let stepCountMax: Int

    /// - Parameter index: Where an operation took effect, or was served; nil for nowhere.
    /// - Parameter stepCountMax: Steps of the search for each register.
    init(_ operations: [ClientOperation], stepCountMax: Int = 1_000_000, index: (ClientOperation) -> LogIndex?) {
        history = History(model: RegisterModel(isVersioned: false), operations: operations.map { Operation($0, at: index($0)?.raw) })
        self.stepCountMax = stepCountMax
    }

    /// - Throws: The first rule that the history breaks. Also when the search was given up: such a run proves nothing, and must not count as passed.
    func check() throws(BrokenRule) {
        let (resolved, contradictions) = history.resolved { _, operation in operation.logIndex.map { .present(logIndex: $0) } ?? .absent }
        if let contradiction = contradictions.first { throw broken(contradiction) }
        if let first = resolved.firstBreakOfIndexOrder() { throw BrokenRule(rule: "V13 linearizable", text: "in the order of the log: \(first)") }
        switch resolved.check(stepCountMax: stepCountMax) {
        case .linearizable: return
        case .violation(let witness): throw BrokenRule(rule: "V13 linearizable", text: witness.description)
        case .undecided(let keys): throw BrokenRule(rule: "history undecided", text: "the search for registers \(keys) was given up")
        }
    }

    private func broken(_ contradiction: Contradiction) -> BrokenRule {
        let operation = "\(history.operations[contradiction.number])"
        return switch contradiction {
        case .lost: BrokenRule(rule: "V11 durability", text: "acknowledged and not in the log: \(operation)")
        case .executedAfterAll: BrokenRule(rule: "V27 refused is not done", text: "failed and done: \(operation)")
        case .phantom: BrokenRule(rule: "V13 linearizable", text: "seen by somebody and not in the log: \(operation)")
        case .otherIndex(_, let index): BrokenRule(rule: "V13 linearizable", text: "at \(index) in the log: \(operation)")
        }
    }
}

extension Operation where Key == UInt64, M == RegisterModel {
    fileprivate init(_ operation: ClientOperation, at index: UInt64?) {
        let input: RegisterModel.Input =
            switch operation.kind {
            case .get: .get
            case .put(let value): .put(value)
            case .compareAndSet(let expected, let new): .compareAndSet(.value(expected), new: new)
            }
        let outcome: Outcome<RegisterModel.Output> =
            switch operation.outcome {
            case .read(let value)?: .ok(.read(value, version: nil))
            case .written?: .ok(.written(version: nil))
            case .mismatch(let value)?: .ok(.mismatch(value: value, version: nil))
            case .failed?: .fail
            case .unknown?, nil: .info
            }
        self.init(
            client: operation.client, key: operation.key, input: input, called: operation.begin.nanoseconds, returned: operation.end?.nanoseconds,
            outcome: outcome, logIndex: index)
    }
}
