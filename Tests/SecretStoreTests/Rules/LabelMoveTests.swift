import Testing

@testable import SecretStore

/// One call of UpdateSecretVersionStage on the secret of ``LabelMoveTests``, and what must come of it.
struct LabelMove: CustomTestStringConvertible, Sendable {
    var label: String
    var from: String?
    var to: String?
    /// nil: success.
    var failure: StoreFailure?
    /// Labels that differ afterwards from those before.
    var changes: [String: [String]] = [:]

    var testDescription: String { "\(label) from \(from ?? "-") to \(to ?? "-")" }

    static let table: [LabelMove] = [
        LabelMove(label: "AWSCURRENT", failure: .labelMoveWithoutVersion),
        LabelMove(label: "AWSCURRENT", from: "v2", failure: .currentLabelNotRemovable),
        LabelMove(label: "AWSCURRENT", from: "v1", failure: .currentLabelNotRemovable),
        LabelMove(label: "AWSCURRENT", to: "v1", failure: .removeFromVersionRequired(.current, holder: VersionID("v2"))),
        LabelMove(label: "AWSCURRENT", from: "v3", to: "v1", failure: .removeFromVersionMismatch(.current)),
        LabelMove(label: "AWSCURRENT", from: "nowhere", to: "v1", failure: .removeFromVersionMismatch(.current)),
        LabelMove(label: "AWSCURRENT", from: "v2", to: "nowhere", failure: .versionNotFound(VersionID("nowhere"))),
        LabelMove(label: "AWSCURRENT", to: "v2"),
        // Already there: a repetition of a move that was done, whatever it names as the source.
        LabelMove(label: "AWSCURRENT", from: "v1", to: "v2"),
        LabelMove(label: "AWSCURRENT", from: "v2", to: "v3", changes: ["v1": [], "v2": ["AWSPREVIOUS"], "v3": ["AWSCURRENT", "X"]]),
        LabelMove(label: "AWSPREVIOUS", to: "v3", failure: .removeFromVersionRequired(.previous, holder: VersionID("v1"))),
        LabelMove(label: "AWSPREVIOUS", from: "v1", to: "v3", changes: ["v1": [], "v3": ["AWSPREVIOUS", "X"]]),
        LabelMove(label: "X", to: "v1", failure: .removeFromVersionRequired(StagingLabel("X"), holder: VersionID("v3"))),
        LabelMove(label: "X", from: "v3", to: "v1", changes: ["v1": ["AWSPREVIOUS", "X"], "v3": []]),
        LabelMove(label: "X", from: "v1", failure: .removeFromVersionMismatch(StagingLabel("X"))),
        LabelMove(label: "X", from: "v3", changes: ["v3": []]),
        LabelMove(label: "NEW", to: "v1", changes: ["v1": ["AWSPREVIOUS", "NEW"]]),
        LabelMove(label: "NEW", from: "v1", to: "v2", failure: .removeFromVersionMismatch(StagingLabel("NEW"))),
        LabelMove(label: "NEW", from: "v1", failure: .removeFromVersionMismatch(StagingLabel("NEW"))),
    ]
}

@Suite("UpdateSecretVersionStage")
struct LabelMoveTests {
    let fixture: StoreFixture

    /// v1{AWSPREVIOUS}, v2{AWSCURRENT}, v3{X}.
    init() throws {
        fixture = try StoreFixture()
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.put("s", "v2")
        _ = try fixture.put("s", "v3", stages: ["X"])
    }

    @Test("each combination of label, source and target has AWS's result", arguments: LabelMove.table)
    func moves(_ move: LabelMove) throws {
        let before = try fixture.record("s")
        var expected = try fixture.labels("s")
        let outcome = try fixture.move("s", move.label, from: move.from, to: move.to)
        if let failure = move.failure {
            #expect(outcome == .failed(failure))
        } else {
            #expect(outcome == .secret(SecretReference.of("s").arn))
        }
        for (version, labels) in move.changes { expected[version] = labels.isEmpty ? nil : labels }
        #expect(try fixture.labels("s") == expected)
        #expect((try fixture.record("s") == before) == move.changes.isEmpty, "LastChangedDate moves exactly when something changes")
    }

    @Test("a secret has at most 20 labels, also when a move of AWSCURRENT adds AWSPREVIOUS")
    func labelLimit() throws {
        _ = try fixture.create("t", token: "v1")
        for number in 1...18 {
            _ = try fixture.put("t", "p\(number)", stages: ["L\(number)"])
        }
        #expect(try fixture.move("t", "L19", to: "v1").failure == nil)
        // 20 labels now, none of them AWSPREVIOUS.
        #expect(try fixture.move("t", "L20", to: "v1") == .failed(.tooManyLabels))
        #expect(try fixture.move("t", "AWSCURRENT", from: "v1", to: "p1") == .failed(.tooManyLabels))
        #expect(try fixture.put("t", "v2") == .failed(.tooManyLabels))
        #expect(try fixture.put("t", "v2", stages: ["L20"]) == .failed(.tooManyLabels))
        #expect(try fixture.put("t", "v2", stages: ["L1"]).failure == nil, "a label that only moves is no new one")
        #expect(try fixture.move("t", "L2", from: "p2").failure == nil)
        #expect(try fixture.put("t", "v3").failure == nil)
    }

    @Test("existence comes before deletion, and deletion before the checks of the labels")
    func orderOfChecks() throws {
        #expect(try fixture.move("missing", "X") == .failed(.secretNotFound))
        _ = try fixture.apply(.deleteSecret(.of("s"), .afterWindow(days: 7)))
        #expect(try fixture.move("s", "X") == .failed(.secretMarkedForDeletion))
    }
}
