import Testing

@testable import Linearizability

/// Tiny histories, good and bad ones, against every order of them.
@Suite("The search finds an order if and only if there is one")
struct BruteForceTests {
    private func compare<M: Model>(
        _ model: M, seeds: Range<UInt64>, input: (inout SplitMix) -> M.Input, output: (M.Input, inout SplitMix) -> M.Output
    ) {
        var (good, bad) = (0, 0)
        for seed in seeds {
            var random = SplitMix(seed: seed)
            var operations: [Operation<UInt64, M>] = []
            for client in 0..<(2 + random.below(5)) {
                let called = UInt64(random.below(12))
                let returned = called + UInt64(random.below(8))
                let asked = input(&random)
                let outcome: Outcome<M.Output> =
                    switch random.below(12) {
                    case 0, 1: .info
                    case 2: .fail
                    case 3: .applied
                    default: .ok(output(asked, &random))
                    }
                operations.append(Operation(client: client, key: 1, input: asked, called: called, returned: returned, outcome: outcome))
            }
            let history = History(model: model, operations: operations)
            let expected = EveryOrder(history: history).isLinearizable
            let verdict = history.check()
            #expect(verdict.isLinearizable == expected, "seed \(seed): \(verdict)")
            if let witness = verdict.witness { check(witness, history, seed) }
            if expected { good += 1 } else { bad += 1 }
        }
        #expect(good > seeds.count / 10 && bad > seeds.count / 10, "\(good) good, \(bad) bad")
    }

    /// The prefix of a witness is an order that explains its answers, and misses something that it cannot be without.
    private func check<M: Model>(_ witness: Witness<UInt64>, _ history: History<UInt64, M>, _ seed: UInt64) {
        var state: M.State? = history.model.initial
        for number in witness.prefix {
            let operation = history.operations[number]
            state = state.flatMap { history.model.step($0, operation.input, operation.output) }
        }
        #expect(state != nil, "seed \(seed)")
        #expect(!witness.prefix.contains(witness.blocked) && history.operations[witness.blocked].deadline != nil, "seed \(seed)")
        for (place, number) in witness.prefix.enumerated() {
            for later in witness.prefix[(place + 1)...] + [witness.blocked] {
                let isLate = history.operations[later].deadline.map { $0 < history.operations[number].called } ?? false
                #expect(!isLate, "seed \(seed)")
            }
        }
    }

    @Test("registers with versions, and few values")
    func versionedRegister() {
        func value(_ random: inout SplitMix) -> UInt64 { UInt64(1 + random.below(2)) }
        compare(RegisterModel(isVersioned: true), seeds: 0..<2_000) { random in
            switch random.below(4) {
            case 0: .get
            case 1: .compareAndSet(.version(UInt64(random.below(2))), new: value(&random))
            default: .put(value(&random))
            }
        } output: { input, random in
            switch input {
            case .get: .read(UInt64(random.below(3)), version: random.chance(percent: 70) ? nil : UInt64(random.below(3)))
            case .put: .written(version: random.chance(percent: 50) ? nil : UInt64(1 + random.below(3)))
            case .compareAndSet: random.chance(percent: 60) ? .written(version: nil) : .mismatch(value: nil, version: UInt64(random.below(3)))
            }
        }
    }

    @Test("registers without versions")
    func plainRegister() {
        compare(RegisterModel(isVersioned: false), seeds: 0..<2_000) { random in
            switch random.below(4) {
            case 0, 1: .get
            case 2: .compareAndSet(.value(UInt64(random.below(3))), new: UInt64(1 + random.below(2)))
            default: .put(UInt64(1 + random.below(2)))
            }
        } output: { input, random in
            switch input {
            case .get: .read(UInt64(random.below(3)), version: nil)
            case .put: .written(version: nil)
            case .compareAndSet: random.chance(percent: 60) ? .written(version: nil) : .mismatch(value: UInt64(random.below(3)), version: nil)
            }
        }
    }

    @Test("names")
    func names() {
        compare(NameModel(), seeds: 0..<2_000) { random in
            [.create(token: 1), .create(token: 2), .delete, .restore, .purge, .look][random.below(6)]
        } output: { input, random in
            guard input == .look else { return random.chance(percent: 70) ? .done : .refused }
            return .found([.absent, .live(token: 1), .live(token: 2), .deleted(token: 1)][random.below(4)])
        }
    }

    @Test("labels")
    func labels() {
        compare(LabelModel(initial: [.init(.current, on: 1)]), seeds: 0..<2_000) { random in
            func version() -> UInt64? { random.chance(percent: 20) ? nil : UInt64(1 + random.below(2)) }
            return random.chance(percent: 30) ? .read : .move(random.chance(percent: 60) ? .current : .pending, from: version(), to: version())
        } output: { input, random in
            guard input == .read else { return random.chance(percent: 50) ? .moved : .refused }
            let choices: [[LabelModel.Holder]] = [
                [.init(.current, on: 1)], [.init(.current, on: 2), .init(.previous, on: 1)], [.init(.current, on: 1), .init(.pending, on: 2)],
            ]
            return .holders(choices[random.below(3)])
        }
    }

    @Test("the short form of a set tells sets apart, and nothing else")
    func placedSet() {
        var random = SplitMix(seed: 3)
        for capacity in [1, 64, 65, 300] {
            var set = PlacedSet(capacity: capacity)
            var members: Set<Int> = []
            var seen: [PlacedSet.Form: Set<Int>] = [set.form: []]
            var forms: [Set<Int>: PlacedSet.Form] = [[]: set.form]
            for _ in 0..<1_500 {
                let number = random.chance(percent: 70) ? min(members.count, capacity - 1) : random.below(capacity)
                if members.remove(number) != nil {
                    set.remove(number)
                } else {
                    members.insert(number)
                    set.insert(number)
                }
                #expect(seen.updateValue(members, forKey: set.form) ?? members == members)
                #expect(forms.updateValue(set.form, forKey: members) ?? set.form == set.form)
            }
        }
    }
}
