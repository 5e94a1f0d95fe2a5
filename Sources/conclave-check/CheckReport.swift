import Foundation

/// All verdicts of a history.
struct CheckReport {
    let verdicts: [KeyVerdict]

    /// - Parameter stepCountMax: Steps of the search for each key, or each element of a set.
    /// - Throws: ``HistoryProblem``
    init(_ lines: [HistoryLine], stepCountMax: Int) throws(HistoryProblem) {
        let translation = Translation(stepCountMax: stepCountMax)
        var verdicts: [KeyVerdict] = []
        for model in HistoryLine.Model.allCases {
            let byKey = Dictionary(grouping: lines.filter { $0.model == model }, by: \.key)
            for key in byKey.keys.sorted() { verdicts.append(try translation.verdict(model, key: key, byKey[key] ?? [])) }
        }
        self.verdicts = verdicts
    }

    /// 0 all right, 1 a violation, 3 no violation but an undecided key.
    var exitCode: Int32 {
        if verdicts.contains(where: { $0.kind == .violation }) { return 1 }
        return verdicts.contains { $0.kind == .undecided } ? 3 : 0
    }

    private func count(_ model: HistoryLine.Model, _ kind: KeyVerdict.Kind) -> Int { verdicts.count { $0.model == model && $0.kind == kind } }
    private func operations(_ model: HistoryLine.Model) -> Int { verdicts.reduce(0) { $0 + ($1.model == model ? $1.operationCount : 0) } }

    var text: String {
        var lines: [String] = []
        for model in HistoryLine.Model.allCases where verdicts.contains(where: { $0.model == model }) {
            lines.append(
                "\(model.rawValue): \(operations(model)) operations; \(count(model, .linearizable)) keys linearizable, "
                    + "\(count(model, .violation)) violated, \(count(model, .undecided)) undecided")
        }
        for verdict in verdicts where verdict.kind != .linearizable {
            lines.append("\n\(verdict.kind.rawValue.uppercased()) \(verdict.model.rawValue) \(verdict.key)\n\(verdict.details)")
        }
        return lines.isEmpty ? "an empty history" : lines.joined(separator: "\n")
    }

    /// - Throws: Nothing that strings and numbers can cause.
    func json() throws -> String {
        let models = HistoryLine.Model.allCases.map { model in
            JSON.Model(
                model: model.rawValue, operations: operations(model), linearizable: count(model, .linearizable),
                violated: count(model, .violation), undecided: count(model, .undecided))
        }
        let findings = verdicts.filter { $0.kind != .linearizable }.map { verdict in
            JSON.Finding(
                model: verdict.model.rawValue, key: verdict.key, operations: verdict.operationCount, verdict: verdict.kind.rawValue,
                details: verdict.details)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(JSON(exitCode: exitCode, models: models, findings: findings)), as: UTF8.self)
    }

    private struct JSON: Encodable {
        struct Model: Encodable {
            let model: String
            let operations: Int
            let linearizable: Int
            let violated: Int
            let undecided: Int
        }

        struct Finding: Encodable {
            let model: String
            let key: String
            let operations: Int
            let verdict: String
            let details: String
        }

        let exitCode: Int32
        let models: [Model]
        let findings: [Finding]
    }
}
