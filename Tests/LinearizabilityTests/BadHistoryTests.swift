import Testing

@testable import Linearizability

/// What a broken store would have told its clients (`reference/raft.md` §4.5: a checker must be tested).
@Suite("Bad histories are caught")
struct BadHistoryTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let operations: [Operation<UInt64, RegisterModel>]
        /// The same operations in an order in which a store may have logged them; the last is where the log's order shows it.
        let expected: IndexOrderBreak
    }

    /// - Parameter index: Of the log; operations without one are of unknown outcome.
    private static func did(
        _ input: RegisterModel.Input, _ times: ClosedRange<UInt64>, _ output: RegisterModel.Output, at index: UInt64
    ) -> Operation<UInt64, RegisterModel> {
        Operation(
            client: Int(times.lowerBound), key: 1, input: input, called: times.lowerBound, returned: times.upperBound, outcome: .ok(output),
            logIndex: index)
    }

    static let all: [Bad] = [
        Bad(
            testDescription: "stale read",
            operations: [
                did(.put(5), 1...2, .written(version: 1), at: 1), did(.put(6), 3...4, .written(version: 2), at: 2),
                did(.get, 5...6, .read(5, version: 1), at: 1),
            ], expected: .tooEarly(2, seen: 1)),
        Bad(
            testDescription: "lost update",
            operations: [
                did(.put(5), 1...4, .written(version: 1), at: 1), did(.put(6), 2...5, .written(version: 1), at: 2),
                did(.get, 6...7, .read(6, version: 1), at: 2),
            ], expected: .wrongAnswer(1, state: "\(RegisterModel.State(value: 5, version: 1))")),
        Bad(
            testDescription: "phantom value",
            operations: [did(.put(5), 1...2, .written(version: 1), at: 1), did(.get, 3...4, .read(9, version: nil), at: 1)],
            expected: .wrongAnswer(1, state: "\(RegisterModel.State(value: 5, version: 1))")),
        Bad(
            testDescription: "duplicate effect",
            operations: [
                did(.put(5), 1...2, .written(version: 1), at: 1), did(.put(6), 3...4, .written(version: 2), at: 2),
                // The first put comes again.
                did(.get, 5...6, .read(6, version: 2), at: 2), did(.get, 7...8, .read(5, version: 3), at: 3),
            ], expected: .wrongAnswer(3, state: "\(RegisterModel.State(value: 6, version: 2))")),
        Bad(
            testDescription: "reordered reads",
            operations: [
                did(.put(5), 1...2, .written(version: 1), at: 1), did(.put(6), 3...12, .written(version: 2), at: 2),
                did(.get, 5...6, .read(6, version: nil), at: 2), did(.get, 7...8, .read(5, version: nil), at: 1),
            ], expected: .tooEarly(3, seen: 2)),
        Bad(
            testDescription: "acknowledged write lost",
            operations: [
                did(.put(5), 1...2, .written(version: 1), at: 1), did(.get, 3...4, .read(0, version: 0), at: 1),
            ], expected: .wrongAnswer(1, state: "\(RegisterModel.State(value: 5, version: 1))")),
        Bad(
            testDescription: "two winners of a compare-and-set",
            operations: [
                did(.compareAndSet(.version(0), new: 5), 1...4, .written(version: nil), at: 1),
                did(.compareAndSet(.version(0), new: 6), 2...5, .written(version: nil), at: 2),
            ], expected: .wrongAnswer(1, state: "\(RegisterModel.State(value: 5, version: 1))")),
        Bad(
            testDescription: "a loser that should have won",
            operations: [
                did(.put(5), 1...2, .written(version: 1), at: 1),
                did(.compareAndSet(.value(5), new: 6), 3...4, .mismatch(value: 5, version: nil), at: 2),
            ], expected: .wrongAnswer(1, state: "\(RegisterModel.State(value: 5, version: 1))")),
        Bad(
            testDescription: "read of the future",
            operations: [did(.get, 1...2, .read(5, version: 1), at: 1), did(.put(5), 3...4, .written(version: 1), at: 1)],
            expected: .tooEarly(1, seen: 0)),
        Bad(
            testDescription: "a write that was logged before it was asked for",
            operations: [
                did(.put(5), 1...2, .written(version: 2), at: 2), did(.put(6), 3...4, .written(version: 1), at: 1),
            ], expected: .tooEarly(1, seen: 0)),
    ]

    @Test("by the search, and by the order of the log", arguments: all)
    func caught(_ bad: Bad) {
        let history = History(model: RegisterModel(isVersioned: true), operations: bad.operations)
        #expect(history.check().witness != nil)
        #expect(!EveryOrder(history: history).isLinearizable)
        #expect(history.firstBreakOfIndexOrder() == bad.expected)
    }

    @Test("hidden among many good operations, with times and versions told")
    func hidden() {
        var caught = [0, 0, 0]
        for seed in UInt64(0)..<60 {
            var maker = HistoryMaker<VersionedRegister>(seed: seed)
            maker.keyCount = 1
            let good = maker.make(count: 120).resolved { number, _ in maker.fate(number) }.history
            for kind in 0..<3 {
                guard let bad = spoiled(good, kind) else { continue }
                #expect(bad.check().witness != nil, "seed \(seed), kind \(kind)")
                #expect(bad.firstBreakOfIndexOrder() != nil, "seed \(seed), kind \(kind)")
                caught[kind] += 1
            }
        }
        #expect(caught.allSatisfy { $0 > 40 }, "\(caught)")
    }

    /// - Parameter kind: 0: a read of what was overwritten before its call. 1: a value that nobody wrote. 2: two writes with one version.
    private func spoiled(_ good: History<UInt64, RegisterModel>, _ kind: Int) -> History<UInt64, RegisterModel>? {
        let operations = good.operations
        let middle = operations.count / 2
        var bad = good
        guard
            let read = operations.indices.first(where: { $0 > middle && operations[$0].input == .get && operations[$0].output != nil }),
            let write = operations.indices.first(where: { $0 > middle && operations[$0].writtenVersion != nil }),
            let older = operations.indices.first(where: { other in
                operations[other].writtenVersion != nil
                    && operations.contains { $0.writtenVersion ?? 0 > operations[other].writtenVersion ?? 0 && $0.returned ?? .max < operations[read].called }
            }), case .put(let olderValue) = operations[older].input
        else { return nil }
        switch kind {
        case 0: bad.operations[read].outcome = .ok(.read(olderValue, version: operations[older].writtenVersion))
        case 1: bad.operations[read].outcome = .ok(.read(99_999, version: nil))
        default: bad.operations[write].outcome = .ok(.written(version: operations[older].writtenVersion))
        }
        return bad
    }

    @Test("names: two creators of one name, a lost creation, a deleted name that is live, a restoration out of nothing")
    func names() {
        func isCaught(_ steps: [(NameModel.Input, ClosedRange<UInt64>, NameModel.Output)]) -> Bool {
            let operations = steps.map { step in
                Operation<UInt64, NameModel>(
                    client: Int(step.1.lowerBound), key: 1, input: step.0, called: step.1.lowerBound, returned: step.1.upperBound,
                    outcome: .ok(step.2))
            }
            return History(model: NameModel(), operations: operations).check().witness != nil
        }
        #expect(isCaught([(.create(token: 1), 1...4, .done), (.create(token: 2), 2...5, .done)]))
        #expect(!isCaught([(.create(token: 1), 1...4, .done), (.create(token: 2), 2...5, .refused)]))
        #expect(isCaught([(.create(token: 1), 1...2, .done), (.look, 3...4, .found(.absent))]))
        #expect(isCaught([(.create(token: 1), 1...2, .refused)]))
        #expect(isCaught([(.create(token: 1), 1...2, .done), (.delete, 3...4, .done), (.look, 5...6, .found(.live(token: 1)))]))
        #expect(isCaught([(.restore, 1...2, .done)]))
        #expect(isCaught([(.create(token: 1), 1...2, .done), (.purge, 3...4, .done), (.restore, 5...6, .done)]))
    }

    @Test("labels: two winners of a move, a previous label that did not follow, no current version")
    func labels() {
        func isCaught(_ steps: [(LabelModel.Input, ClosedRange<UInt64>, LabelModel.Output)]) -> Bool {
            let operations = steps.map { step in
                Operation<UInt64, LabelModel>(
                    client: Int(step.1.lowerBound), key: 1, input: step.0, called: step.1.lowerBound, returned: step.1.upperBound,
                    outcome: .ok(step.2))
            }
            return History(model: LabelModel(initial: [.init(.current, on: 1)]), operations: operations).check().witness != nil
        }
        let move = LabelModel.Input.move(.current, from: 1, to: 2)
        #expect(isCaught([(move, 1...4, .moved), (.move(.current, from: 1, to: 3), 2...5, .moved)]))
        #expect(!isCaught([(move, 1...4, .moved), (.move(.current, from: 1, to: 3), 2...5, .refused)]))
        #expect(isCaught([(move, 1...2, .moved), (.read, 3...4, .holders([.init(.current, on: 2)]))]))
        #expect(!isCaught([(move, 1...2, .moved), (.read, 3...4, .holders([.init(.current, on: 2), .init(.previous, on: 1)]))]))
        #expect(isCaught([(.move(.current, from: 1, to: nil), 1...2, .moved)]))
        #expect(isCaught([(move, 1...9, .moved), (.read, 2...3, .holders([]))]))
    }
}

extension Operation where M == RegisterModel {
    /// Of a plain put that was answered.
    fileprivate var writtenVersion: UInt64? {
        guard case .put = input, case .written(let version)? = output else { return nil }
        return version
    }
}
