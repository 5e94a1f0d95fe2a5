import Foundation
import Keyring
import LMDB
import OpenSSL

@testable import SecretStore

/// A state in a temporary directory, and a log that is a counter.
final class StoreFixture {
    static let scope = ARNScope(region: "eu-north-1")
    static let account = AccountID("123456789012") ?? placeholder
    static let otherAccount = AccountID("210987654321") ?? placeholder
    private static var placeholder: AccountID { preconditionFailure("twelve digits are an account") }
    /// 2025-06-01T00:00:00Z, a day's first moment.
    static let start = Timestamp(millisecondsSince1970: 1_748_736_000_000)

    let store: SecretStore
    private let directory: String
    /// Index of the last entry.
    private(set) var index: UInt64 = 0
    /// The proposer's clock; moves on by a second with every command.
    var now = StoreFixture.start

    init(keyring: Keyring = .forTesting(), scope: ARNScope = StoreFixture.scope) throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("store-" + Keyring.randomIdentifier()).path
        store = try Self.open(directory, keyring: keyring, scope: scope)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) } // a leftover in the temporary folder harms nobody

    static func open(_ directory: String, keyring: Keyring, scope: ARNScope) throws -> SecretStore {
        var configuration = Environment.Configuration(path: directory)
        configuration.durability = .noMetaSync
        return try SecretStore(environment: try Environment(configuration), keyring: keyring, scope: scope)
    }

    /// Applies a command as the next entry.
    @discardableResult
    func apply(_ command: Command, account: AccountID = StoreFixture.account, at time: Timestamp? = nil) throws -> Outcome {
        now = now.adding(milliseconds: 1_000)
        return try apply(Mutation(account: account, at: time ?? now, keyTerm: store.keyring.currentTerm, command: command))
    }

    @discardableResult
    func apply(_ mutation: Mutation) throws -> Outcome {
        index += 1
        return try store.environment.write { txn in try store.apply(mutation, at: index, in: &txn) }
    }

    // MARK: Short forms

    func create(_ name: String, token: String? = nil, value: String = "v") throws -> Outcome {
        try apply(.createSecret(CreateSecret(secret: .of(name), version: token.map { .of($0, value, in: name) })))
    }

    func put(_ name: String, _ token: String, value: String = "v", stages: [String]? = nil) throws -> Outcome {
        try apply(
            .putSecretValue(
                PutSecretValue(secret: .of(name), version: .of(token, value, in: name), stages: stages.map { $0.map { StagingLabel($0) } })))
    }

    func move(_ name: String, _ label: String, from source: String? = nil, to target: String? = nil) throws -> Outcome {
        try apply(
            .updateSecretVersionStage(
                UpdateSecretVersionStage(
                    secret: .of(name), stage: StagingLabel(label), moveTo: target.map { VersionID($0) }, removeFrom: source.map { VersionID($0) })))
    }

    func record(_ name: String) throws -> SecretRecord? { try store.record(at: .of(name)) }

    /// Labels by version, of the versions that have any.
    func labels(_ name: String) throws -> [String: [String]] {
        let labelled = try record(name)?.versions.filter { !$0.labels.isEmpty } ?? []
        return Dictionary(uniqueKeysWithValues: labelled.map { ($0.id.rawValue, $0.labels.map(\.rawValue)) })
    }

    func dump() throws -> [StateRow] { try store.dump() }

    func rowCount(_ name: String) throws -> Int { try dump().count { $0.table == name } }
}

struct StateRow: Equatable {
    var table: String
    var key: [UInt8]
    var value: [UInt8]
}

extension SecretStore {
    /// Every row of every table, in order.
    func dump() throws -> [StateRow] {
        try environment.read { txn in
            var rows: [StateRow] = []
            for table in tables.all {
                try table.raw.forEach(in: txn) { key, value in
                    rows.append(StateRow(table: table.name, key: key.withUnsafeBytes { [UInt8]($0) }, value: value.withUnsafeBytes { [UInt8]($0) }))
                    return .continue
                }
            }
            return rows
        }
    }
}

extension SecretReference {
    /// A name with the suffix that all secrets of the tests have.
    static func of(_ name: String, suffix: String = "AbC123") -> SecretReference {
        guard let name = SecretName(name), let suffix = ARNSuffix(suffix) else { preconditionFailure("the test names a valid secret") }
        return SecretReference(name: name, suffix: suffix)
    }

    var arn: SecretARN { StoreFixture.scope.arn(account: StoreFixture.account, self) }
}

extension SecretAddress {
    static func of(_ name: String, account: AccountID = StoreFixture.account) -> SecretAddress {
        SecretAddress(key: SecretKey(account: account, name: SecretReference.of(name).name))
    }
}

extension NewVersion {
    /// A version whose "ciphertext" is not one; the fingerprint is that of name, token, kind and value, as with the keyring.
    static func of(_ token: String, _ value: String, in name: String, kind: ValueKind = .string) -> NewVersion {
        let content = [UInt8]("\(name)|\(token)|\(kind.rawValue)|\(value)".utf8)
        return NewVersion(
            id: VersionID(token), kind: kind,
            value: EncryptedValue(keyReference: "aws/secretsmanager/1", wrappedDataKey: [1, 2, 3], ciphertext: [UInt8](value.utf8)),
            fingerprint: SHA256.hash(content.span.bytes))
    }
}

extension Outcome {
    var failure: StoreFailure? { if case .failed(let failure) = self { failure } else { nil } }
}

/// A generator that replays from its seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}

extension StoreFixture {
    /// Applies many commands in one transaction.
    func applyAll(_ body: (_ apply: (Command, AccountID, Timestamp) throws -> Void) throws -> Void) throws {
        var mutations: [Mutation] = []
        try body { command, account, time in
            mutations.append(Mutation(account: account, at: time, keyTerm: store.keyring.currentTerm, command: command))
        }
        try apply(mutations)
    }

    /// Applies mutations as the next entries, in one transaction.
    func apply(_ mutations: [Mutation]) throws {
        let first = index + 1
        try store.environment.write { txn in
            for (offset, mutation) in mutations.enumerated() { _ = try store.apply(mutation, at: first + UInt64(offset), in: &txn) }
        }
        index += UInt64(mutations.count)
    }
}

/// The module's `Tag`, under a name that the `Tag` of Swift Testing does not hide.
typealias SecretTag = Tag
