import Testing

@testable import SecretStore

@Suite("At most a hundred versions")
struct VersionLimitTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    /// A secret with a hundred versions, written a second apart.
    private func fill() throws -> Timestamp {
        _ = try fixture.create("s", token: "v1")
        for number in 2...100 { _ = try fixture.put("s", "v\(number)") }
        #expect(try fixture.record("s")?.versions.count == 100)
        return try #require(try fixture.record("s")?.versions.first?.createdAt)
    }

    @Test("within 24 hours the next write is refused and changes nothing")
    func refused() throws {
        let first = try fill()
        let before = try fixture.record("s")
        let almost = first.adding(days: 1).adding(milliseconds: -1)
        let put = Command.putSecretValue(PutSecretValue(secret: .of("s"), version: .of("v101", "v", in: "s")))
        #expect(try fixture.apply(put, at: almost) == .failed(.tooManyVersions))
        #expect(try fixture.record("s") == before)
        #expect(try fixture.rowCount("values") == 100)
    }

    @Test("after 24 hours the oldest unlabelled version makes room, its value with it")
    func dropped() throws {
        let first = try fill()
        let put = Command.putSecretValue(PutSecretValue(secret: .of("s"), version: .of("v101", "v", in: "s")))
        #expect(try fixture.apply(put, at: first.adding(days: 1)).failure == nil)
        let versions = try #require(try fixture.record("s")?.versions.map(\.id.rawValue))
        #expect(versions == (2...101).map { "v\($0)" })
        #expect(try fixture.rowCount("values") == 100)
        let again = Command.putSecretValue(PutSecretValue(secret: .of("s"), version: .of("v102", "v", in: "s")))
        #expect(try fixture.apply(again, at: first.adding(days: 1)) == .failed(.tooManyVersions), "the next one is not a day old")
        #expect(try fixture.store.value(at: .of("s"), VersionSelector(id: VersionID("v1"))) == .failure(.versionNotFound(VersionID("v1"))))
    }

    @Test("a labelled version stays, however old")
    func labelled() throws {
        _ = try fixture.create("s", token: "v1")
        _ = try fixture.move("s", "KEEP", to: "v1")
        for number in 2...100 { _ = try fixture.put("s", "v\(number)") }
        let later = fixture.now.adding(days: 2)
        try fixture.apply(.putSecretValue(PutSecretValue(secret: .of("s"), version: .of("v101", "v", in: "s"))), at: later)
        let versions = try #require(try fixture.record("s")?.versions.map(\.id.rawValue))
        #expect(versions.first == "v1")
        #expect(!versions.contains("v2"))
    }

    @Test("UpdateSecret with a value meets the same limit")
    func update() throws {
        _ = try fill()
        let version = NewVersion.of("v101", "v", in: "s")
        #expect(try fixture.apply(.updateSecret(UpdateSecret(secret: .of("s"), description: "d", version: version))) == .failed(.tooManyVersions))
        #expect(try fixture.record("s")?.description == nil)
        #expect(try fixture.apply(.updateSecret(UpdateSecret(secret: .of("s"), description: "d"))).failure == nil)
    }
}
