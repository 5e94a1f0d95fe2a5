import LMDB
import Testing

/// Seeded random operations against a dictionary: after each transaction both must hold the same.
struct ModelTests {
    @Test(.timeLimit(.minutes(1)), arguments: 1...30)
    func `any sequence of operations gives what a dictionary gives`(seed: UInt64) throws {
        try withDirectory { path in
            var random = SeededGenerator(seed: seed)
            var model: [[UInt8]: [UInt8]] = [:]
            for _ in 0..<3 {
                // Small enough to grow on the way; opened anew on the way.
                let environment = try open(path)
                let table = try environment.openRawTable("model")
                for _ in 0..<20 {
                    let start = random
                    var attempt = (model, random)
                    let isAborted = Int.random(in: 0..<5, using: &random) == 0
                    do {
                        try environment.write { txn in
                            // The body may run twice, so it begins where it began.
                            attempt = (model, start)
                            try change(table, &attempt.0, &attempt.1, in: &txn)
                            if isAborted { throw Abort() }
                        }
                        model = attempt.0
                    } catch is Abort {}
                    random = attempt.1
                    try compare(table, model, environment, &random)
                }
            }
        }
    }

    private struct Abort: Error {}

    private func open(_ path: String) throws -> Environment {
        var configuration = Environment.Configuration(path: path)
        configuration.mapSizeBytes = 128 << 10
        configuration.durability = .noMetaSync
        return try Environment(configuration)
    }

    /// Short keys over few bytes, so that they meet; a long one now and then.
    private func key(_ random: inout SeededGenerator) -> [UInt8] {
        let alphabet: [UInt8] = [0, 1, 127, 254, 255]
        let count = Int.random(in: 0..<20, using: &random) == 0 ? 511 : Int.random(in: 1...4, using: &random)
        return (0..<count).map { _ in alphabet.randomElement(using: &random)! }
    }

    private func value(_ random: inout SeededGenerator) -> [UInt8] {
        let count =
            Int.random(in: 0..<10, using: &random) == 0
            ? Int.random(in: 2_000...20_000, using: &random) : Int.random(in: 0...100, using: &random)
        return [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: count)
    }

    private func change(
        _ table: RawTable, _ model: inout [[UInt8]: [UInt8]], _ random: inout SeededGenerator,
        in txn: inout WriteTransaction
    ) throws {
        for _ in 0..<Int.random(in: 1...40, using: &random) {
            let (key, value) = (key(&random), value(&random))
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<50:
                try table.put(key, value, in: &txn)
                model[key] = value
            case 50..<60:
                let isNew = try table.insert(key.span.bytes, value.span.bytes, in: &txn)
                #expect(isNew == (model[key] == nil))
                if isNew { model[key] = value }
            case 60..<65:
                let isLast = model.keys.allSatisfy { $0.lexicographicallyPrecedes(key) }
                do throws(LMDBError) {
                    try table.append(key.span.bytes, value.span.bytes, in: &txn)
                    #expect(isLast)
                    model[key] = value
                } catch {
                    guard error.code == .keyNotInOrder else { throw error }
                    #expect(!isLast)
                }
            case 65..<95:
                let isThere = try table.delete(key.span.bytes, in: &txn)
                #expect(isThere == (model.removeValue(forKey: key) != nil))
            case 95..<99:
                let prefix = Array(key.prefix(2))
                let gone = model.keys.filter { $0.starts(with: prefix) }
                try #expect(table.deleteAll(prefix: prefix.span.bytes, in: &txn) == gone.count)
                for key in gone { model[key] = nil }
            default:
                try table.deleteAll(in: &txn)
                model = [:]
            }
            try #expect(table.get(key, in: txn) == model[key])
        }
    }

    private func compare(
        _ table: RawTable, _ model: [[UInt8]: [UInt8]], _ environment: Environment, _ random: inout SeededGenerator
    ) throws {
        let sorted = model.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { Pair($0.key, $0.value) }
        let (prefix, start) = (Array(key(&random).prefix(2)), key(&random))
        try environment.read { txn in
            try #expect(table.entries(in: txn) == sorted)
            try #expect(table.entries(order: .backward, in: txn) == sorted.reversed())
            try #expect(table.count(in: txn) == model.count)
            for order in [Order.forward, .backward] {
                for start in [Start.edge, .at(start), .after(start)] {
                    let expected = RangeTests.expected(Array(model.keys), prefix: prefix, from: start, order: order)
                    try #expect(
                        table.entries(prefix: prefix, from: start, order: order, in: txn).map(\.key) == expected)
                }
            }
        }
    }
}
