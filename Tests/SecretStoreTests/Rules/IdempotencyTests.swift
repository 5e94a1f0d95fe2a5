import Keyring
import OpenSSL
import Testing

@testable import SecretStore

/// A second request with a token, after `v1` (value "one") and `v2` (value "two") were written to the secret `s`.
struct Repetition: CustomTestStringConvertible, Sendable {
    enum Operation: String, Sendable { case create, put, update }

    var operation: Operation
    var token: String
    var value: String
    var kind = ValueKind.string
    var isScheduled = false
    /// The labels answered, or the failure.
    var expected: Result<[StagingLabel], StoreFailure>

    var testDescription: String { "\(operation.rawValue) \(token) \(value) \(kind)\(isScheduled ? " scheduled" : "")" }

    private static let used = StoreFailure.tokenAlreadyUsed(VersionID("v1"), SecretReference.of("s").arn)

    static let table: [Repetition] = [
        Repetition(operation: .create, token: "v1", value: "one", expected: .success([.previous])),
        Repetition(operation: .create, token: "v1", value: "two", expected: .failure(used)),
        Repetition(operation: .create, token: "v1", value: "one", kind: .binary, expected: .failure(used)),
        Repetition(operation: .create, token: "v9", value: "one", expected: .failure(.secretAlreadyExists(SecretReference.of("s").name))),
        Repetition(operation: .create, token: "v1", value: "one", isScheduled: true, expected: .failure(.nameScheduledForDeletion)),
        Repetition(operation: .create, token: "v9", value: "one", isScheduled: true, expected: .failure(.nameScheduledForDeletion)),
        Repetition(operation: .put, token: "v1", value: "one", expected: .success([.previous])),
        Repetition(operation: .put, token: "v2", value: "two", expected: .success([.current])),
        Repetition(operation: .put, token: "v1", value: "two", expected: .failure(used)),
        Repetition(operation: .put, token: "v1", value: "one", kind: .binary, expected: .failure(used)),
        Repetition(operation: .put, token: "v1", value: "one", isScheduled: true, expected: .failure(.secretMarkedForDeletion)),
        Repetition(operation: .update, token: "v1", value: "one", expected: .success([.previous])),
        Repetition(operation: .update, token: "v1", value: "two", expected: .failure(used)),
        Repetition(operation: .update, token: "v1", value: "one", isScheduled: true, expected: .failure(.secretMarkedForDeletion)),
    ]
}

@Suite("A ClientRequestToken that comes again")
struct IdempotencyTests {
    let fixture: StoreFixture

    init() throws {
        fixture = try StoreFixture()
        _ = try fixture.create("s", token: "v1", value: "one")
        _ = try fixture.put("s", "v2", value: "two")
    }

    @Test("the same value succeeds and changes nothing, another one is refused", arguments: Repetition.table)
    func repetition(_ repetition: Repetition) throws {
        if repetition.isScheduled { try fixture.apply(.deleteSecret(.of("s"), .afterWindow(days: 7))) }
        let before = try fixture.dump().filter { $0.table != "meta" && !$0.table.hasPrefix("proposal") }
        let version = NewVersion.of(repetition.token, repetition.value, in: "s", kind: repetition.kind)
        let outcome =
            switch repetition.operation {
            // A new suffix, as every proposer of a creation chooses one.
            case .create: try fixture.apply(.createSecret(CreateSecret(secret: .of("s", suffix: "ZZZZZZ"), description: "new", version: version)))
            case .put: try fixture.apply(.putSecretValue(PutSecretValue(secret: .of("s"), version: version, stages: [StagingLabel("NEW")])))
            case .update: try fixture.apply(.updateSecret(UpdateSecret(secret: .of("s"), description: "new", version: version)))
            }
        switch repetition.expected {
        case .success(let labels): #expect(outcome == .version(SecretReference.of("s").arn, VersionID(repetition.token), stages: labels))
        case .failure(let failure): #expect(outcome == .failed(failure))
        }
        #expect(try fixture.dump().filter { $0.table != "meta" && !$0.table.hasPrefix("proposal") } == before)
    }

    @Test("a creation without a value is not a repetition of anything")
    func valuelessCreation() throws {
        #expect(try fixture.create("s") == .failed(.secretAlreadyExists(SecretReference.of("s").name)))
        _ = try fixture.create("empty")
        #expect(try fixture.create("empty", token: "v1") == .failed(.secretAlreadyExists(SecretReference.of("empty").name)))
    }

    @Test("the same value under a new token is a new version")
    func newToken() throws {
        _ = try fixture.put("s", "v3", value: "two")
        #expect(try fixture.record("s")?.versions.count == 3)
    }

    @Test("fingerprints of the keyring are equal across ARNs and different across values, tokens, kinds, names and accounts")
    func keyringFingerprints() throws {
        let keyring = fixture.store.keyring
        func fingerprint(_ value: String = "a", account: String = "1", name: String = "n", token: String = "t", kind: ValueKind = .string) -> Digest {
            keyring.fingerprint(SecretBytes(copying: value.utf8.span.bytes), account: account, name: name, versionID: token, kind: kind)
        }
        #expect(fingerprint() == fingerprint())
        for other in [fingerprint("b"), fingerprint(account: "2"), fingerprint(name: "m"), fingerprint(token: "u"), fingerprint(kind: .binary)] {
            #expect(other != fingerprint())
        }
    }

    @Test("a proposal that arrives twice is applied once and answered twice")
    func repeatedProposal() throws {
        let mutation = Mutation(
            account: StoreFixture.account, at: fixture.now, keyTerm: fixture.store.keyring.currentTerm,
            command: .tagResource(.of("s"), [SecretTag(key: TagKey("k"), value: "1")]))
        let first = try fixture.apply(mutation)
        try fixture.apply(.untagResource(.of("s"), [TagKey("k")]))
        let before = try fixture.record("s")
        #expect(try fixture.apply(mutation) == first)
        #expect(try fixture.record("s") == before)
        #expect(try fixture.store.committedIndex() == fixture.index, "the position moves on all the same")
    }

    @Test("a refusal is remembered like a success")
    func repeatedRefusal() throws {
        let mutation = Mutation(
            account: StoreFixture.account, at: fixture.now, keyTerm: fixture.store.keyring.currentTerm, command: .restoreSecret(.of("later")))
        #expect(try fixture.apply(mutation) == .failed(.secretNotFound))
        _ = try fixture.create("later")
        #expect(try fixture.apply(mutation) == .failed(.secretNotFound))
    }
}
