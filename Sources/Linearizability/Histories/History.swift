/// Everything that clients did in a run. An operation is named by its position.
package struct History<Key: Hashable & Comparable & Sendable, M: Model>: Sendable {
    package let model: M
    package internal(set) var operations: [Operation<Key, M>]

    package init(model: M, operations: [Operation<Key, M>]) {
        self.model = model
        self.operations = operations
    }

    /// The operations of each key, in the order of the history; keys ascend.
    package var partition: [(key: Key, operations: [Int])] {
        var parts: [Key: [Int]] = [:]
        for (number, operation) in operations.enumerated() { parts[operation.key, default: []].append(number) }
        return parts.keys.sorted().map { ($0, parts[$0] ?? []) }
    }

    /// Whether the history is linearizable: each operation can be placed at one moment between its call and its return so that the answers are
    /// those of the sequential object (Herlihy and Wing). It looks at times and answers only, and trusts no log index.
    ///
    /// The search is exponential in the number of concurrent operations at worst. Up to some eight at a time, and with versions in the answers,
    /// it is nearly linear; operations of unknown outcome should be resolved before (`reference/raft.md` §4.5 B).
    ///
    /// - Parameter stepCountMax: Steps of the model for each key, after which the search is given up.
    package func check(stepCountMax: Int = 10_000_000) -> Verdict<Key> {
        var undecided: [Key] = []
        for (key, numbers) in partition {
            let calls = numbers.filter { !operations[$0].isFail }.map { number in
                let operation = operations[number]
                return Call<M>(
                    number: number, input: operation.input, output: operation.output, called: operation.called, deadline: operation.deadline)
            }
            switch model.search(calls, stepCountMax: stepCountMax) {
            case .found: break
            case .gaveUp: undecided.append(key)
            case .none(let deadEnd): return .violation(Witness(key: key, deadEnd, self))
            }
        }
        return undecided.isEmpty ? .linearizable : .undecided(undecided)
    }
}
