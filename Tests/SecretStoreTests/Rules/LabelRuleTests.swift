import Testing

@testable import SecretStore

@Suite("Staging labels: the rules of the reference, section 2.7")
struct LabelRuleTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    @Test("rule 1: a secret made with a value has one version, AWSCURRENT")
    func createWithValue() throws {
        #expect(try fixture.create("s", token: "v1") == .version(SecretReference.of("s").arn, VersionID("v1"), stages: [.current]))
        #expect(try fixture.labels("s") == ["v1": ["AWSCURRENT"]])
    }

    @Test("rule 2: a secret made without a value has no version; the first one becomes AWSCURRENT")
    func createWithoutValue() throws {
        #expect(try fixture.create("s") == .secret(SecretReference.of("s").arn))
        #expect(try fixture.record("s")?.versions == [])
        _ = try fixture.put("s", "v1")
        #expect(try fixture.labels("s") == ["v1": ["AWSCURRENT"]])
    }

    @Test("rule 2: the first version is AWSCURRENT also when other labels were asked for")
    func firstVersionWithOtherLabels() throws {
        _ = try fixture.create("s")
        let outcome = try fixture.put("s", "v1", stages: ["AWSPENDING", "X"])
        #expect(outcome == .version(SecretReference.of("s").arn, VersionID("v1"), stages: [.current, .pending, StagingLabel("X")]))
    }

    @Test("rule 3: a new value moves AWSCURRENT on and AWSPREVIOUS after it; what had AWSPREVIOUS is deprecated")
    func newValue() throws {
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.put("s", "v2")
        #expect(try fixture.labels("s") == ["v1": ["AWSPREVIOUS"], "v2": ["AWSCURRENT"]])
        _ = try fixture.apply(.updateSecret(UpdateSecret(secret: .of("s"), version: .of("v3", "v", in: "s"))))
        #expect(try fixture.labels("s") == ["v2": ["AWSPREVIOUS"], "v3": ["AWSCURRENT"]])
        #expect(try fixture.record("s")?.versions.map(\.id.rawValue) == ["v1", "v2", "v3"], "a deprecated version stays readable by its id")
    }

    @Test("rule 4: custom labels without AWSCURRENT are taken from whichever version had them")
    func customLabels() throws {
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.put("s", "v2", stages: ["X", "Y"])
        #expect(try fixture.labels("s") == ["v1": ["AWSCURRENT"], "v2": ["X", "Y"]])
        _ = try fixture.put("s", "v3", stages: ["Y", "X"])
        #expect(try fixture.labels("s") == ["v1": ["AWSCURRENT"], "v3": ["X", "Y"]], "v2 has no label left")
    }

    @Test("rule 5: AWSCURRENT and a custom label go to the new version together")
    func currentAndCustom() throws {
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.put("s", "v2", stages: ["AWSCURRENT", "PUT0"])
        #expect(try fixture.labels("s") == ["v1": ["AWSPREVIOUS"], "v2": ["AWSCURRENT", "PUT0"]])
    }

    @Test("rule 6: AWSPENDING moves, even off the version that is AWSCURRENT")
    func pendingMoves() throws {
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.put("s", "v2", stages: ["AWSCURRENT", "AWSPENDING"])
        _ = try fixture.put("s", "v3", stages: ["AWSPENDING"])
        #expect(try fixture.labels("s") == ["v1": ["AWSPREVIOUS"], "v2": ["AWSCURRENT"], "v3": ["AWSPENDING"]])
    }

    @Test("rule 7: a moved AWSCURRENT takes AWSPREVIOUS along, and custom labels stay where they are")
    func moveCurrent() throws {
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.put("s", "v2", stages: ["AWSPENDING", "PUT1"])
        _ = try fixture.move("s", "AWSCURRENT", from: "v1", to: "v2")
        #expect(try fixture.labels("s") == ["v1": ["AWSPREVIOUS"], "v2": ["AWSCURRENT", "AWSPENDING", "PUT1"]])
        _ = try fixture.put("s", "v3", stages: ["PUT2"])
        _ = try fixture.move("s", "AWSCURRENT", from: "v2", to: "v3")
        #expect(try fixture.labels("s") == ["v2": ["AWSPENDING", "AWSPREVIOUS", "PUT1"], "v3": ["AWSCURRENT", "PUT2"]])
        _ = try fixture.put("s", "v4", stages: ["PUT3"])
        _ = try fixture.move("s", "AWSCURRENT", from: "v3", to: "v4")
        #expect(
            try fixture.labels("s") == ["v2": ["AWSPENDING", "PUT1"], "v3": ["AWSPREVIOUS", "PUT2"], "v4": ["AWSCURRENT", "PUT3"]],
            "the former AWSPREVIOUS keeps its custom labels")
    }

    @Test("rule 7: a roll-back swaps AWSCURRENT and AWSPREVIOUS")
    func rollBack() throws {
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.put("s", "v2")
        _ = try fixture.move("s", "AWSCURRENT", from: "v2", to: "v1")
        #expect(try fixture.labels("s") == ["v1": ["AWSCURRENT"], "v2": ["AWSPREVIOUS"]])
    }

    @Test("rule 8: a new current value takes AWSPENDING off", arguments: [["AWSCURRENT", "AWSPENDING"], ["AWSPENDING"]])
    func pendingIsAbandoned(stages: [String]) throws {
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.put("s", "v2", stages: stages)
        _ = try fixture.put("s", "v3")
        #expect(try fixture.labels("s").values.allSatisfy { !$0.contains("AWSPENDING") })
        #expect(try fixture.labels("s")["v3"] == ["AWSCURRENT"])
    }

    @Test("rule 8: a new current value that is itself AWSPENDING keeps the label")
    func pendingAndCurrentTogether() throws {
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.put("s", "v2", stages: ["AWSPENDING"])
        _ = try fixture.put("s", "v3", stages: ["AWSPENDING", "AWSCURRENT"])
        #expect(try fixture.labels("s") == ["v1": ["AWSPREVIOUS"], "v3": ["AWSCURRENT", "AWSPENDING"]])
    }

    @Test("rule 9: custom labels never move by themselves")
    func customLabelsStay() throws {
        _ = try fixture.create("s")
        _ = try fixture.put("s", "v1", stages: ["AWSCURRENT", "AWSSOMETHING", "PUT1"])
        _ = try fixture.put("s", "v2")
        #expect(try fixture.labels("s") == ["v1": ["AWSPREVIOUS", "AWSSOMETHING", "PUT1"], "v2": ["AWSCURRENT"]])
    }

    @Test("rule 10: a label is removed from a version, the others stay", arguments: ["AWSPENDING", "PUT1", "AWSPREVIOUS"])
    func removeLabel(label: String) throws {
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.put("s", "v2", stages: ["AWSPENDING", "PUT1", "AWSPREVIOUS", "STAY"])
        #expect(try fixture.move("s", label, from: "v2") == .secret(SecretReference.of("s").arn))
        let labels = try fixture.labels("s")
        #expect(labels["v1"] == ["AWSCURRENT"])
        #expect(labels["v2"] == ["AWSPENDING", "AWSPREVIOUS", "PUT1", "STAY"].filter { $0 != label })
    }

    @Test("labels are compared by bytes, not by Unicode equivalence")
    func labelsByBytes() throws {
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.put("s", "v2", stages: ["caf\u{E9}"])
        _ = try fixture.put("s", "v3", stages: ["cafe\u{301}"])
        #expect(try fixture.labels("s").count == 3)
    }
}
