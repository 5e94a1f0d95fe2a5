import Testing

@testable import SecretStore

@Suite("Deletion, restoration, purge")
struct DeletionTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    private var arn: SecretARN { SecretReference.of("s").arn }

    @Test("a scheduled secret keeps everything, refuses all but reads of its description, and comes back whole")
    func story() throws {
        _ = try fixture.create("s", token: "v1")
        try fixture.apply(.putResourcePolicy(.of("s"), policy: "{}"))
        let requested = fixture.now.adding(milliseconds: 5_000)
        let outcome = try fixture.apply(.deleteSecret(.of("s"), .afterWindow(days: 7)), at: requested)
        let date = requested.adding(days: 7)
        #expect(outcome == .deletion(arn, deletionDate: date))
        let scheduled = try #require(try fixture.record("s"))
        #expect(scheduled.deletion == SecretRecord.Deletion(requestedAt: requested, date: date))
        #expect(scheduled.changedAt == requested)
        #expect(try fixture.labels("s") == ["v1": ["AWSCURRENT"]])

        #expect(try fixture.store.value(at: .of("s"), VersionSelector()) == .failure(.secretMarkedForDeletion))
        let refused: [Command] = [
            .putSecretValue(PutSecretValue(secret: .of("s"), version: .of("v2", "v", in: "s"))),
            .updateSecret(UpdateSecret(secret: .of("s"))),
            .updateSecretVersionStage(UpdateSecretVersionStage(secret: .of("s"), stage: .current)),
            .tagResource(.of("s"), []), .untagResource(.of("s"), []),
            .putResourcePolicy(.of("s"), policy: "{}"), .deleteResourcePolicy(.of("s")),
        ]
        for command in refused { #expect(try fixture.apply(command) == .failed(.secretMarkedForDeletion)) }
        #expect(try fixture.apply(.deleteSecret(.of("s"), .afterWindow(days: 30))) == .failed(.secretAlreadyScheduledForDeletion))
        #expect(try fixture.create("s", token: "v9") == .failed(.nameScheduledForDeletion))
        #expect(try fixture.record("s") == scheduled)

        #expect(try fixture.apply(.restoreSecret(.of("s"))) == .secret(arn))
        let restored = try #require(try fixture.record("s"))
        #expect(restored.deletion == nil)
        #expect(restored.changedAt > scheduled.changedAt)
        #expect(try fixture.store.policy(at: .of("s"))?.policy == "{}")
        #expect(try fixture.rowCount("deletions") == 0)
        guard case .success = try fixture.store.value(at: .of("s"), VersionSelector()) else {
            Issue.record("the value is readable again")
            return
        }
    }

    @Test("restoring a secret that is not scheduled succeeds and changes nothing")
    func restoreLive() throws {
        _ = try fixture.create("s", token: "v1")
        let before = try fixture.record("s")
        #expect(try fixture.apply(.restoreSecret(.of("s"))) == .secret(arn))
        #expect(try fixture.record("s") == before)
        #expect(try fixture.apply(.restoreSecret(.of("missing"))) == .failed(.secretNotFound))
    }

    @Test("a forced deletion removes every row of the secret at once", arguments: [false, true])
    func force(isScheduled: Bool) throws {
        let empty = try fixture.dump().filter { !$0.table.hasPrefix("proposal") && $0.table != "meta" }
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.put("s", "v2")
        _ = try fixture.put("s", "v3")
        try fixture.apply(.putResourcePolicy(.of("s"), policy: "{}"))
        try fixture.apply(.recordAccess([AccessMark(secret: .of("s"), version: VersionID("v3"))], day: fixture.now.day))
        if isScheduled { try fixture.apply(.deleteSecret(.of("s"), .afterWindow(days: 7))) }
        let time = fixture.now.adding(milliseconds: 10)
        #expect(try fixture.apply(.deleteSecret(.of("s"), .immediately), at: time) == .deletion(arn, deletionDate: time))
        #expect(try fixture.dump().filter { !$0.table.hasPrefix("proposal") && $0.table != "meta" } == empty)
        #expect(try fixture.record("s") == nil)
    }

    @Test("a forced deletion of what is not there succeeds; one with a window does not")
    func missing() throws {
        let time = fixture.now
        #expect(try fixture.apply(.deleteSecret(.of("s"), .immediately), at: time) == .deletion(arn, deletionDate: time))
        #expect(try fixture.apply(.deleteSecret(.of("s"), .afterWindow(days: 7))) == .failed(.secretNotFound))
    }

    @Test("a name that was deleted and made again is another secret: commands for the old one do not hit it")
    func recreated() throws {
        _ = try fixture.create("s", token: "v1")
        try fixture.apply(.deleteSecret(.of("s"), .immediately))
        try fixture.apply(.createSecret(CreateSecret(secret: .of("s", suffix: "Other1"), version: .of("v1", "other", in: "s"))))
        let before = try fixture.record("s")
        #expect(try fixture.put("s", "v2") == .failed(.secretNotFound))
        #expect(try fixture.apply(.tagResource(.of("s"), [SecretTag(key: TagKey("k"), value: "")])) == .failed(.secretNotFound))
        #expect(try fixture.apply(.deleteSecret(.of("s"), .immediately)).failure == nil)
        try fixture.apply(.recordAccess([AccessMark(secret: .of("s"), version: VersionID("v1"))], day: fixture.now.day))
        #expect(try fixture.record("s") == before)
    }

    @Test("a purge removes a secret when its date has come, and not a millisecond before")
    func purge() throws {
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.create("other", token: "v1")
        guard case .deletion(_, let date) = try fixture.apply(.deleteSecret(.of("s"), .afterWindow(days: 7))) else {
            Issue.record("the deletion was scheduled")
            return
        }
        #expect(try fixture.store.dueDeletions(by: date.adding(milliseconds: -1), limit: 10) == [])
        #expect(try fixture.store.dueDeletions(by: date, limit: 10) == [arn])
        #expect(try fixture.apply(.purgeDeletedSecret(.of("s")), at: date.adding(milliseconds: -1)) == .done)
        #expect(try fixture.record("s") != nil)
        #expect(try fixture.apply(.purgeDeletedSecret(.of("s")), at: date) == .done)
        #expect(try fixture.record("s") == nil)
        #expect(try fixture.rowCount("values") == 1)
        #expect(try fixture.rowCount("deletions") == 0)
        #expect(try fixture.apply(.purgeDeletedSecret(.of("other")), at: date) == .done)
        #expect(try fixture.record("other") != nil, "a secret that is not scheduled is not purged")
    }

    @Test("due deletions come with the most overdue first, up to the limit")
    func dueOrder() throws {
        for (name, days) in [("a", 9), ("b", 7), ("c", 8), ("d", 30)] {
            _ = try fixture.create(name)
            try fixture.apply(.deleteSecret(.of(name), .afterWindow(days: UInt8(days))))
        }
        let due = try fixture.store.dueDeletions(by: fixture.now.adding(days: 10), limit: 2)
        #expect(due.map(\.name.rawValue) == ["b", "c"])
    }
}
