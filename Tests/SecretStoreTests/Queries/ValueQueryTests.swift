import Keyring
import LMDB
import OpenSSL
import Testing

@testable import SecretStore

/// A read of the secret of ``ValueQueryTests``.
struct ValueQuery: CustomTestStringConvertible, Sendable {
    var id: String?
    var label: String?
    /// The id of the version found.
    var expected: Result<String, StoreFailure>

    var testDescription: String { "id \(id ?? "-") label \(label ?? "-")" }

    static let table: [ValueQuery] = [
        ValueQuery(expected: .success("v3")),
        ValueQuery(label: "AWSCURRENT", expected: .success("v3")),
        ValueQuery(label: "AWSPREVIOUS", expected: .success("v2")),
        ValueQuery(label: "X", expected: .success("v4")),
        ValueQuery(label: "AWSPENDING", expected: .failure(.labelNotFound(.pending))),
        ValueQuery(label: "awscurrent", expected: .failure(.labelNotFound(StagingLabel("awscurrent")))),
        ValueQuery(id: "v1", expected: .success("v1")),
        ValueQuery(id: "v3", expected: .success("v3")),
        ValueQuery(id: "v9", expected: .failure(.versionNotFound(VersionID("v9")))),
        ValueQuery(id: "v", expected: .failure(.versionNotFound(VersionID("v")))),
        ValueQuery(id: "v3", label: "AWSCURRENT", expected: .success("v3")),
        ValueQuery(id: "v2", label: "AWSCURRENT", expected: .failure(.labelNotOnVersion)),
        ValueQuery(id: "v1", label: "AWSPENDING", expected: .failure(.labelNotOnVersion)),
        ValueQuery(id: "v9", label: "AWSPENDING", expected: .failure(.versionNotFound(VersionID("v9")))),
    ]
}

@Suite("Reading a value")
struct ValueQueryTests {
    let fixture: StoreFixture

    /// v1{}, v2{AWSPREVIOUS}, v3{AWSCURRENT}, v4{X}; with a description and tags, which the read passes over.
    init() throws {
        fixture = try StoreFixture()
        let tags = (0..<50).map { SecretTag(key: TagKey("key \($0)"), value: String(repeating: "t", count: $0)) }
        try fixture.apply(
            .createSecret(
                CreateSecret(
                    secret: .of("s"), description: "about", kmsKeyID: "key", tags: tags, type: "partner", version: .of("v1", "value of v1", in: "s"))))
        for token in ["v2", "v3"] { _ = try fixture.put("s", token, value: "value of \(token)") }
        _ = try fixture.put("s", "v4", value: "value of v4", stages: ["X"])
    }

    @Test("each selector finds its version or says why not", arguments: ValueQuery.table)
    func selectors(_ query: ValueQuery) throws {
        let selector = VersionSelector(id: query.id.map { VersionID($0) }, label: query.label.map { StagingLabel($0) })
        let result = try fixture.store.value(at: .of("s"), selector)
        switch (result, query.expected) {
        case (.success(let found), .success(let id)):
            let version = try #require(try fixture.record("s")?.version(VersionID(id)))
            #expect(found.versionID == version.id)
            #expect(found.value.ciphertext == [UInt8]("value of \(id)".utf8))
            #expect(found.labels == version.labels && found.createdAt == version.createdAt && found.kind == version.kind)
            #expect(found.arn == SecretReference.of("s").arn && found.kmsKeyID == "key")
        case (.failure(let failure), .failure(let expected)): #expect(failure == expected)
        default: Issue.record("\(result) is not \(query.expected)")
        }
    }

    @Test("a missing secret, another suffix and another account find nothing; a value-less secret has no AWSCURRENT")
    func notFound() throws {
        let key = SecretKey(account: StoreFixture.account, name: SecretReference.of("s").name)
        let addresses = [
            SecretAddress.of("t"), SecretAddress(key: key, suffix: ARNSuffix("Wrong1")), SecretAddress.of("s", account: StoreFixture.otherAccount),
        ]
        for address in addresses {
            #expect(try fixture.store.value(at: address, VersionSelector()) == .failure(.secretNotFound))
            #expect(try fixture.store.record(at: address) == nil)
            #expect(try fixture.store.policy(at: address) == nil)
        }
        #expect(try fixture.store.record(at: SecretAddress(key: key, suffix: ARNSuffix("AbC123"))) != nil)
        _ = try fixture.create("empty")
        #expect(try fixture.store.value(at: .of("empty"), VersionSelector()) == .failure(.labelNotFound(.current)))
    }

    @Test("names of 512 characters that differ only at the end are different secrets")
    func longNames() throws {
        let names = ["a", "b"].map { String(repeating: "n", count: 511) + $0 } + [String(repeating: "n", count: 480), String(repeating: "n", count: 481)]
        for name in names { _ = try fixture.create(name, token: "v1", value: name) }
        for name in names {
            #expect(try fixture.record(name)?.name.rawValue == name)
            #expect(try fixture.store.value(at: .of(name), VersionSelector()).map(\.value.ciphertext) == .success([UInt8](name.utf8)))
        }
        for name in names { try fixture.apply(.deleteSecret(.of(name), .immediately)) }
        #expect(try fixture.rowCount("secrets") == 1)
        #expect(try fixture.rowCount("listing") == 4)
    }

    @Test("a value that the keyring encrypted for a version decrypts for the context of that version only")
    func encryptedValue() throws {
        let keyring = fixture.store.keyring
        let arn = SecretReference.of("real").arn
        let time = fixture.now
        func version(_ token: String, _ text: String) -> NewVersion {
            let value = SecretBytes(copying: text.utf8.span.bytes)
            let context = ValueContext(
                arn: arn.description, versionID: token, kind: .string, createdAtMilliseconds: time.millisecondsSince1970)
            return NewVersion(
                id: VersionID(token), kind: .string, value: keyring.encrypt(value, for: context),
                fingerprint: keyring.fingerprint(
                    value, account: arn.account.description, name: arn.name.rawValue, versionID: token, kind: .string))
        }
        try fixture.apply(.createSecret(CreateSecret(secret: .of("real"), version: version("v1", "first"))), at: time)
        try fixture.apply(.putSecretValue(PutSecretValue(secret: .of("real"), version: version("v2", "second"))), at: time)
        let first = try fixture.store.value(at: .of("real"), VersionSelector(id: VersionID("v1"))).get()
        let second = try fixture.store.value(at: .of("real"), VersionSelector()).get()
        #expect(try keyring.decrypt(second.value, for: second.context).withUnsafeBytes { [UInt8]($0) } == [UInt8]("second".utf8))
        #expect(throws: KeyringError.notAuthentic) { try keyring.decrypt(second.value, for: first.context) }
        #expect(
            try fixture.apply(.putSecretValue(PutSecretValue(secret: .of("real"), version: version("v2", "second"))))
                == .version(arn, VersionID("v2"), stages: [.current]), "encrypted anew, the same value is a repetition")
    }

    @Test("a record sealed for one secret does not open as another's")
    func swappedRows() throws {
        _ = try fixture.create("t", token: "v1")
        let table = fixture.store.tables.secrets
        let own = StateKeys.secret(SecretAddress.of("s").key)
        let other = StateKeys.secret(SecretAddress.of("t").key)
        try fixture.store.environment.write { txn in
            var row: [UInt8] = []
            if let span = try table.raw.get(own.span.bytes, in: txn) { row = span.withUnsafeBytes { [UInt8]($0) } }
            try table.raw.put(other.span.bytes, row.span.bytes, in: &txn)
        }
        #expect(throws: KeyringError.notAuthentic) { try fixture.record("t") }
    }
}
