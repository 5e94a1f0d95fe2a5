import Testing

@testable import SecretStore

/// The labels of one secret, kept the other way round: which version a label is on. Written from the reference's text.
private struct LabelModel {
    var versions: [String] = []
    var holders: [String: String] = [:]

    mutating func put(_ version: String, _ stages: [String]) {
        versions.append(version)
        let isCurrent = stages.isEmpty || stages.contains("AWSCURRENT") || holders["AWSCURRENT"] == nil
        if isCurrent {
            holders["AWSPENDING"] = nil
            for stage in stages { if stage != "AWSCURRENT" { holders[stage] = version } }
            promote(version)
        } else {
            for stage in stages { holders[stage] = version }
        }
    }

    private mutating func promote(_ version: String) {
        let old = holders["AWSCURRENT"]
        holders["AWSCURRENT"] = version
        if let old { holders["AWSPREVIOUS"] = old }
    }

    /// Whether AWS accepts the move.
    mutating func move(_ label: String, from source: String?, to target: String?) -> Bool {
        let holder = holders[label]
        switch (source, target) {
        case (nil, nil): return false
        case (let source?, nil):
            guard label != "AWSCURRENT", holder == source else { return false }
            holders[label] = nil
        case (let source, let target?):
            guard versions.contains(target) else { return false }
            if holder == target { return true }
            guard holder == source else { return false }
            if label == "AWSCURRENT" { promote(target) } else { holders[label] = target }
        }
        return true
    }

    var labels: [String: [String]] {
        Dictionary(grouping: holders.keys) { holders[$0] ?? "" }.mapValues { $0.sorted() }
    }
}

@Suite("Labels against an independent model")
struct LabelModelTests {
    @Test("random writes and moves give what the model says", arguments: 1...8 as ClosedRange<UInt64>)
    func againstModel(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let fixture = try StoreFixture()
        _ = try fixture.create("s")
        var model = LabelModel()
        let labels = ["AWSCURRENT", "AWSPREVIOUS", "AWSPENDING", "X", "Y", "Z"]
        for step in 0..<250 {
            if model.versions.count < 90, model.versions.isEmpty || generator.chance(30) {
                let stages = generator.chance(30) ? nil : labels.filter { _ in generator.chance(25) }.shuffled(using: &generator)
                #expect(try fixture.put("s", "v\(step)", stages: stages).failure == nil)
                model.put("v\(step)", stages ?? [])
            } else {
                let label = labels[Int.random(in: labels.indices, using: &generator)]
                let candidates = model.versions + ["nowhere"]
                let source = generator.chance(30) ? nil : generator.chance(60) ? model.holders[label] : candidates.randomElement(using: &generator)
                let target = generator.chance(20) ? nil : candidates.randomElement(using: &generator)
                let outcome = try fixture.move("s", label, from: source, to: target)
                #expect((outcome.failure == nil) == model.move(label, from: source, to: target), "step \(step): \(label) \(source ?? "-") \(target ?? "-")")
            }
            #expect(try fixture.labels("s") == model.labels, "step \(step)")
        }
    }
}
