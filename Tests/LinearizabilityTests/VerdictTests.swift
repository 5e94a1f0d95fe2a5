import Testing

@testable import Linearizability

@Suite("What the checker says")
struct VerdictTests {
    private typealias Entry = Operation<String, RegisterModel>

    @Test("a violation reads like a story")
    func witness() throws {
        let operations = [
            Entry(client: 1, key: "db", input: .put(5), called: 1, returned: 2, outcome: .ok(.written(version: 1)), logIndex: 10),
            Entry(client: 2, key: "db", input: .put(6), called: 3, returned: 4, outcome: .ok(.written(version: 2)), logIndex: 11),
            Entry(client: 1, key: "db", input: .get, called: 5, returned: 6, outcome: .ok(.read(5, version: 1)), logIndex: 10),
            Entry(client: 3, key: "db", input: .put(7), called: 5, returned: nil, outcome: .info),
            Entry(client: 4, key: "aa", input: .get, called: 5, returned: 6, outcome: .ok(.read(0, version: 0))),
        ]
        let witness = try #require(History(model: RegisterModel(isVersioned: true), operations: operations).check().witness)
        #expect(witness.key == "db" && witness.prefix == [0, 1] && witness.blocked == 2)
        #expect(
            witness.description == """
                key db: no order explains the answers. The longest one that does, 2 operations:
                  #0 client 1 [1, 2] db: put(5) -> written (version 1) at index 10
                  #1 client 2 [3, 4] db: put(6) -> written (version 2) at index 11
                leads to value 6, version 2. This cannot come next, and nothing that overlaps it helps:
                  #2 client 1 [5, 6] db: get -> 5 (version 1) at index 10
                  (#3 client 3 [5, ...] db: put(7) -> unknown)
                """)
    }

    @Test("inputs, answers and states in words")
    func words() {
        #expect("\(RegisterModel.Input.compareAndSet(.version(3), new: 4))" == "compareAndSet(version 3, new: 4)")
        #expect("\(RegisterModel.Output.mismatch(value: 5, version: 6))" == "mismatch (value 5, version 6)")
        #expect("\(NameModel.Output.found(.deleted(token: 3)))" == "found(deleted 3)")
        #expect("\(LabelModel.Output.holders([.init(.current, on: 2), .init(.other(9), on: 1)]))" == "holders([current on 2, label 9 on 1])")
    }

    /// Operations of unknown outcome, and a read that none of them explains: of puts, all subsets must be tried to know.
    private func hard(openCount: Int, _ input: (Int) -> RegisterModel.Input = { .put(UInt64($0)) }) -> History<UInt64, RegisterModel> {
        var operations = (1...openCount).map { number in
            Operation<UInt64, RegisterModel>(
                client: number, key: 1, input: input(number), called: UInt64(number), returned: nil, outcome: .info)
        }
        operations.append(Operation(client: 0, key: 1, input: .get, called: 100, returned: 101, outcome: .ok(.read(99, version: nil))))
        return History(model: RegisterModel(isVersioned: false), operations: operations)
    }

    @Test("a search that takes too long is given up, and says so")
    func undecided() {
        guard case .undecided(let keys) = hard(openCount: 20).check(stepCountMax: 20_000) else {
            Issue.record("the search came to an end")
            return
        }
        #expect(keys == [1])
        #expect(hard(openCount: 8).check(stepCountMax: 20_000).witness != nil)
    }

    @Test("what has no effect costs nothing when its outcome is unknown")
    func openReads() {
        #expect(hard(openCount: 50) { _ in .get }.check(stepCountMax: 60).witness != nil)
    }

    @Test("a violation of one key counts more than a search of another that was given up")
    func violationFirst() {
        var history = hard(openCount: 20)
        history.operations.append(Operation(client: 9, key: 2, input: .get, called: 1, returned: 2, outcome: .ok(.read(7, version: nil))))
        #expect(history.check(stepCountMax: 20_000).witness?.key == 2)
    }

    @Test("keys do not touch each other")
    func keys() {
        let operations = [
            Entry(client: 1, key: "a", input: .put(5), called: 1, returned: 2, outcome: .ok(.written(version: 1))),
            Entry(client: 1, key: "b", input: .get, called: 3, returned: 4, outcome: .ok(.read(0, version: 0))),
        ]
        #expect(History(model: RegisterModel(isVersioned: true), operations: operations).check().isLinearizable)
    }
}
