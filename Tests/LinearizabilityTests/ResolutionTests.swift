import Testing

@testable import Linearizability

@Suite("Operations of unknown outcome are resolved by the end of the run")
struct ResolutionTests {
    private typealias Entry = Operation<UInt64, RegisterModel>

    private static func entry(
        _ input: RegisterModel.Input, _ called: UInt64, _ returned: UInt64?, _ outcome: Outcome<RegisterModel.Output>, at index: UInt64? = nil
    ) -> Entry {
        Entry(client: Int(called), key: 1, input: input, called: called, returned: returned, outcome: outcome, logIndex: index)
    }

    private static func resolve(_ operations: [Entry], _ fates: [Fate]) -> (operations: [Entry], contradictions: [Contradiction]) {
        let (history, contradictions) = History(model: RegisterModel(isVersioned: true), operations: operations)
            .resolved { number, _ in fates[number] }
        return (history.operations, contradictions)
    }

    @Test("what is absent failed, what is present was applied, with its index")
    func fates() {
        let open = (1...3).map { Self.entry(.put(UInt64($0)), UInt64($0), nil, .info) }
        let (resolved, contradictions) = Self.resolve(open, [.absent, .present(logIndex: 9), .unknown])
        #expect(contradictions.isEmpty)
        #expect(resolved[0].isFail && resolved[0].deadline == nil)
        #expect(resolved[1].deadline == .max && resolved[1].logIndex == 9)
        #expect(resolved[2].isInfo)
    }

    @Test("what was seen was applied before it was seen first")
    func seen() {
        let operations = [
            Self.entry(.put(5), 1, 2, .info), Self.entry(.get, 7, 9, .ok(.read(5, version: 1))), Self.entry(.get, 3, 6, .ok(.read(5, version: 1))),
        ]
        let (resolved, contradictions) = Self.resolve(operations, [.unknown, .unknown, .unknown])
        #expect(contradictions.isEmpty)
        #expect(resolved[0].deadline == 6 && !resolved[0].isInfo)
    }

    @Test("a resolved write must take effect")
    func mustTakeEffect() {
        let operations = [Self.entry(.put(5), 1, nil, .info), Self.entry(.get, 7, 9, .ok(.read(0, version: 0)))]
        let history = History(model: RegisterModel(isVersioned: true), operations: operations)
        #expect(history.resolved { _, _ in .present(logIndex: 1) }.history.check().isLinearizable, "after the read")
        let late = operations + [Self.entry(.put(6), 10, 11, .ok(.written(version: 1))), Self.entry(.get, 12, 13, .ok(.read(6, version: 1)))]
        let lateHistory = History(model: RegisterModel(isVersioned: true), operations: late)
        #expect(lateHistory.resolved { number, _ in number == 0 ? .present(logIndex: 9) : .unknown }.history.check().isLinearizable, "at the very end")
        let last = late + [Self.entry(.get, 14, 15, .ok(.read(5, version: 1)))]
        #expect(History(model: RegisterModel(isVersioned: true), operations: last).check().witness != nil)
    }

    @Test("the end contradicts the answers")
    func contradictions() {
        let operations = [
            Self.entry(.put(1), 1, 2, .ok(.written(version: 1)), at: 4), Self.entry(.put(2), 3, 4, .fail), Self.entry(.put(3), 5, nil, .info),
            Self.entry(.put(4), 6, 7, .ok(.written(version: 2)), at: 5), Self.entry(.put(5), 6, 7, .fail),
            Self.entry(.get, 8, 9, .ok(.read(3, version: nil))), Self.entry(.get, 10, 11, .ok(.read(5, version: nil))),
        ]
        let fates: [Fate] = [.absent, .present(logIndex: 7), .absent, .present(logIndex: 6), .unknown, .absent, .absent]
        #expect(
            Self.resolve(operations, fates).contradictions == [
                .lost(0), .executedAfterAll(1, by: nil), .phantom(2, by: 5), .otherIndex(3, 6), .executedAfterAll(4, by: 6),
            ])
    }

    @Test("an order of the log that holds is an order that the search finds")
    func indexOrderImpliesOrder() {
        var (holds, broken) = (0, 0)
        for seed in UInt64(0)..<300 {
            var maker = HistoryMaker<PlainRegister>(seed: seed)
            maker.clientCount = 3
            maker.keyCount = 2
            var history = maker.make(count: 12).resolved { number, _ in maker.fate(number) }.history
            var random = SplitMix(seed: seed)
            let number = random.below(12)
            if let index = history.operations[number].logIndex { history.operations[number].logIndex = index + 1 }
            if history.firstBreakOfIndexOrder() == nil {
                holds += 1
                #expect(history.check().isLinearizable, "seed \(seed)")
            } else {
                broken += 1
            }
        }
        #expect(holds > 30 && broken > 30, "\(holds) hold, \(broken) broken")
    }

    @Test("an answer without an index, and an index of two writes")
    func indices() {
        let model = RegisterModel(isVersioned: true)
        let one = Self.entry(.put(1), 1, 2, .ok(.written(version: 1)))
        #expect(History(model: model, operations: [one]).firstBreakOfIndexOrder() == .noIndex(0))
        let two = [
            Self.entry(.put(1), 1, 4, .ok(.written(version: 1)), at: 3), Self.entry(.put(2), 2, 5, .ok(.written(version: 2)), at: 3),
            Self.entry(.get, 6, 7, .ok(.read(2, version: 2)), at: 3),
        ]
        #expect(History(model: model, operations: two).firstBreakOfIndexOrder() == .sharedIndex(0, 1))
        let read = [two[0], Self.entry(.get, 6, 7, .ok(.read(1, version: 1)), at: 3)]
        #expect(History(model: model, operations: read).firstBreakOfIndexOrder() == nil)
    }
}
