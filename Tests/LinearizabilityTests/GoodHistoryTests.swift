import Testing

@testable import Linearizability

@Suite("What a sequential object did is linearizable")
struct GoodHistoryTests {
    private func check<Object: SequentialObject>(_: Object.Type, seeds: Range<UInt64>) {
        for seed in seeds {
            var maker = HistoryMaker<Object>(seed: seed)
            let history = maker.make(count: 150)
            let verdict = history.check()
            #expect(verdict.isLinearizable, "seed \(seed): \(verdict)")
            let (resolved, contradictions) = history.resolved { number, _ in maker.fate(number) }
            #expect(contradictions.isEmpty, "seed \(seed)")
            #expect(resolved.check().isLinearizable, "seed \(seed), resolved")
            #expect(resolved.firstBreakOfIndexOrder() == nil, "seed \(seed)")
            // The final state tells nothing: what was seen counts, the rest stays open.
            let (guessed, doubts) = history.resolved { _, _ in .unknown }
            #expect(doubts.isEmpty, "seed \(seed)")
            #expect(guessed.check().isLinearizable, "seed \(seed), guessed")
        }
    }

    @Test("a register with versions") func versionedRegister() { check(VersionedRegister.self, seeds: 0..<40) }
    @Test("a register without") func plainRegister() { check(PlainRegister.self, seeds: 0..<40) }
    @Test("names") func names() { check(Name.self, seeds: 0..<40) }
    @Test("labels") func labels() { check(Labels.self, seeds: 0..<40) }

    @Test("a long history of one key")
    func long() {
        var maker = HistoryMaker<VersionedRegister>(seed: 7)
        maker.keyCount = 1
        maker.clientCount = 8
        maker.infoPercent = 0
        let history = maker.make(count: 3_000)
        #expect(history.check(stepCountMax: 100_000).isLinearizable)
    }

    @Test("an empty one, and one of nothing but open operations")
    func nothing() {
        #expect(History<UInt64, RegisterModel>(model: VersionedRegister.model, operations: []).check().isLinearizable)
        let open = HistoryMaker<VersionedRegister>.Entry(client: 1, key: 1, input: .put(5), called: 1, returned: nil, outcome: .info)
        #expect(History(model: VersionedRegister.model, operations: [open]).check().isLinearizable)
    }
}
