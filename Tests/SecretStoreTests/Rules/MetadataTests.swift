import Testing

@testable import SecretStore

@Suite("Descriptions, keys, tags, policies and dates")
struct MetadataTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    private var arn: SecretARN { SecretReference.of("s").arn }

    @Test("empty members of a creation are absent ones")
    func emptyMembers() throws {
        try fixture.apply(.createSecret(CreateSecret(secret: .of("s"), description: "", kmsKeyID: "", type: "")))
        let record = try #require(try fixture.record("s"))
        #expect(record.description == nil && record.kmsKeyID == nil && record.type == nil && record.tags == nil)
    }

    @Test("UpdateSecret replaces what it names, clears what is empty, and keeps the rest")
    func update() throws {
        try fixture.apply(.createSecret(CreateSecret(secret: .of("s"), description: "one", kmsKeyID: "key", version: .of("v1", "v", in: "s"))))
        #expect(try fixture.apply(.updateSecret(UpdateSecret(secret: .of("s"), description: "two"))) == .secret(arn))
        #expect(try fixture.record("s")?.description == "two")
        #expect(try fixture.record("s")?.kmsKeyID == "key")
        #expect(try fixture.apply(.updateSecret(UpdateSecret(secret: .of("s"), description: "", kmsKeyID: ""))) == .secret(arn))
        #expect(try fixture.record("s")?.description == nil)
        #expect(try fixture.record("s")?.kmsKeyID == nil)
        let outcome = try fixture.apply(.updateSecret(UpdateSecret(secret: .of("s"), description: "three", version: .of("v2", "v", in: "s"))))
        #expect(outcome == .version(arn, VersionID("v2"), stages: [.current]))
        #expect(try fixture.record("s")?.description == "three")
    }

    @Test("an update without any member succeeds and changes nothing")
    func emptyUpdate() throws {
        _ = try fixture.create("s", token: "v1")
        let before = try fixture.record("s")
        #expect(try fixture.apply(.updateSecret(UpdateSecret(secret: .of("s")))) == .secret(arn))
        #expect(try fixture.record("s") == before)
    }

    @Test("a new KMS key holds for new versions and for those with AWS's labels")
    func kmsKey() throws {
        _ = try fixture.create("s", token: "v1")
        for token in ["v2", "v3"] { _ = try fixture.put("s", token) }
        _ = try fixture.put("s", "v4", stages: ["X"])
        try fixture.apply(.updateSecret(UpdateSecret(secret: .of("s"), kmsKeyID: "key")))
        _ = try fixture.put("s", "v5", stages: ["Y"])
        #expect(try fixture.record("s")?.versions.map(\.kmsKeyID) == [nil, "key", "key", nil, "key"])
    }

    @Test("LastChangedDate strictly increases, whatever the clocks of the proposers say; CreatedDate stays")
    func dates() throws {
        let created = fixture.now
        try fixture.apply(.createSecret(CreateSecret(secret: .of("s"), version: .of("v1", "v", in: "s"))), at: created)
        let changes: [Command] = [
            .updateSecret(UpdateSecret(secret: .of("s"), description: "d")),
            .putSecretValue(PutSecretValue(secret: .of("s"), version: .of("v2", "v", in: "s"))),
            .updateSecretVersionStage(UpdateSecretVersionStage(secret: .of("s"), stage: StagingLabel("X"), moveTo: VersionID("v1"))),
            .tagResource(.of("s"), [SecretTag(key: TagKey("k"), value: "")]), .untagResource(.of("s"), [TagKey("k")]),
            .putResourcePolicy(.of("s"), policy: "{}"), .deleteResourcePolicy(.of("s")),
            .deleteSecret(.of("s"), .afterWindow(days: 7)), .restoreSecret(.of("s")),
        ]
        var last = created
        for (number, command) in changes.enumerated() {
            // A clock that stands, one that goes back, and one that runs ahead.
            let time = created.adding(milliseconds: [0, -5_000, 5_000][number % 3])
            try fixture.apply(command, at: time)
            let record = try #require(try fixture.record("s"))
            #expect(record.changedAt == max(time, last.adding(milliseconds: 1)), "\(command)")
            #expect(record.createdAt == created)
            last = record.changedAt
        }
        #expect(try fixture.record("s")?.version(VersionID("v2"))?.createdAt == created.adding(milliseconds: -5_000), "what its value is encrypted for")
    }

    @Test("tags keep their order, are replaced by key, and leave an empty list behind")
    func tags() throws {
        func tag(_ key: String, _ value: String) -> SecretTag { SecretTag(key: TagKey(key), value: value) }
        try fixture.apply(.createSecret(CreateSecret(secret: .of("s"), tags: [tag("b", "1"), tag("a", "1")])))
        try fixture.apply(.tagResource(.of("s"), [tag("c", "1"), tag("b", "2"), tag("B", "3")]))
        #expect(try fixture.record("s")?.tags == [tag("b", "2"), tag("a", "1"), tag("c", "1"), tag("B", "3")])
        let before = try fixture.record("s")
        #expect(try fixture.apply(.tagResource(.of("s"), [tag("a", "1")])) == .secret(arn))
        #expect(try fixture.apply(.untagResource(.of("s"), [TagKey("unknown")])) == .secret(arn))
        #expect(try fixture.record("s") == before)
        try fixture.apply(.untagResource(.of("s"), ["a", "b", "c", "B"].map { TagKey($0) }))
        #expect(try fixture.record("s")?.tags == [])
    }

    @Test("a secret has at most 50 tags, counted after the request")
    func tagLimit() throws {
        func tags(_ range: ClosedRange<Int>) -> [SecretTag] { range.map { SecretTag(key: TagKey("k\($0)"), value: "") } }
        #expect(try fixture.apply(.createSecret(CreateSecret(secret: .of("s"), tags: tags(1...51)))) == .failed(.tooManyTags))
        #expect(try fixture.record("s") == nil)
        #expect(try fixture.apply(.createSecret(CreateSecret(secret: .of("s"), tags: tags(1...50)))).failure == nil)
        #expect(try fixture.apply(.tagResource(.of("s"), tags(50...51))) == .failed(.tooManyTags))
        #expect(try fixture.apply(.tagResource(.of("s"), tags(1...50))).failure == nil)
    }

    @Test("a resource policy is replaced as a whole and may be removed twice")
    func policy() throws {
        _ = try fixture.create("s")
        #expect(try fixture.store.policy(at: .of("s")) == StoredPolicy(arn: arn, isScheduledForDeletion: false, policy: nil))
        #expect(try fixture.apply(.deleteResourcePolicy(.of("s"))) == .secret(arn))
        for text in [String(repeating: "x", count: 20_480), "{ \"spacing\" :1}"] {
            #expect(try fixture.apply(.putResourcePolicy(.of("s"), policy: text)) == .secret(arn))
            #expect(try fixture.store.policy(at: .of("s"))?.policy == text)
        }
        #expect(try fixture.apply(.deleteResourcePolicy(.of("s"))) == .secret(arn))
        #expect(try fixture.store.policy(at: .of("s"))?.policy == nil)
        #expect(try fixture.apply(.putResourcePolicy(.of("missing"), policy: "{}")) == .failed(.secretNotFound))
        #expect(try fixture.store.policy(at: .of("missing")) == nil)
    }

    @Test("access dates only move forward, and are no modification")
    func access() throws {
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.put("s", "v2")
        let changed = try fixture.record("s")?.changedAt
        let day = fixture.now.day
        let next = UTCDay(daysSince1970: day.daysSince1970 + 1)
        func marks(_ versions: String...) -> [AccessMark] { versions.map { AccessMark(secret: .of("s"), version: VersionID($0)) } }
        #expect(try fixture.apply(.recordAccess(marks("v1", "nowhere"), day: next)) == .done)
        try fixture.apply(.recordAccess(marks("v1", "v2"), day: day))
        let record = try #require(try fixture.record("s"))
        #expect(record.lastAccessedDay == next)
        #expect(record.versions.map(\.lastAccessedDay) == [next, day])
        #expect(record.changedAt == changed)
        let before = try fixture.dump().filter { $0.table == "secrets" }
        try fixture.apply(.recordAccess(marks("v1", "v2"), day: day) )
        #expect(try fixture.dump().filter { $0.table == "secrets" } == before, "a record that does not change is not written")
    }

    @Test("accounts and access keys: made once, replaced within the account, refused across accounts")
    func accessKeys() throws {
        let key = PutAccessKey(id: "AKIDEXAMPLE", wrappedSecret: [1, 2, 3], isActive: true)
        #expect(try fixture.apply(.putAccessKey(key)) == .failed(.accountNotFound))
        #expect(try fixture.apply(.createAccount) == .done)
        #expect(try fixture.apply(.createAccount) == .failed(.accountAlreadyExists))
        #expect(try fixture.apply(.createAccount, account: StoreFixture.otherAccount) == .done)
        #expect(try fixture.store.accounts() == [StoreFixture.account, StoreFixture.otherAccount])
        let created = fixture.now.adding(milliseconds: 1)
        #expect(try fixture.apply(.putAccessKey(key), at: created) == .done)
        #expect(try fixture.apply(.putAccessKey(key), account: StoreFixture.otherAccount) == .failed(.accessKeyInOtherAccount))
        #expect(try fixture.apply(.putAccessKey(PutAccessKey(id: key.id, wrappedSecret: [4], isActive: false))) == .done)
        let stored = StoredAccessKey(id: key.id, account: StoreFixture.account, wrappedSecret: [4], isActive: false, createdAt: created)
        #expect(try fixture.store.accessKey(key.id) == stored)
        #expect(try fixture.store.accessKey("akidexample") == nil)
        #expect(try fixture.store.accessKey("") == nil)
        #expect(try fixture.store.accessKey(String(repeating: "A", count: 600)) == nil)
    }
}
