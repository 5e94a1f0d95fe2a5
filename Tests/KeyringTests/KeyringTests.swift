import Foundation
import OpenSSL
import Testing

@testable import Keyring

private func secret(_ text: String) -> SecretBytes { SecretBytes(copying: text.utf8.span.bytes) }
private func reveal(_ secret: SecretBytes) -> String { secret.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }

/// A directory that is removed with the test.
final class TemporaryDirectory {
    let path: String
    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("keyring-" + Keyring.randomIdentifier())
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.path
    }
    deinit { try? FileManager.default.removeItem(atPath: path) } // a leftover in the temporary folder harms nobody
}

@Suite("Secret values")
struct ValueTests {
    let keyring = Keyring.forTesting()
    let context = ValueContext(
        arn: "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-a1B2c3", versionID: "11111111-1111-1111-1111-111111111111",
        kind: .string, createdAtMilliseconds: 1_700_000_000_123)

    @Test("come back where they were put", arguments: [0, 1, 27, 28, 29, 1020, 1021, 65_536])
    func roundTrip(count: Int) throws {
        let value = SecretBytes.random(count: count)
        let encrypted = keyring.encrypt(value, for: context)
        let opened = try keyring.decrypt(encrypted, for: context)
        let isEqual = isEqualInConstantTime(opened.bytes, value.bytes)
        #expect(isEqual)
    }

    @Test("do not decrypt for another secret, version, kind, time or account")
    func bindings() {
        let encrypted = keyring.encrypt(secret("hunter2"), for: context)
        var others: [ValueContext] = []
        others.append(with(context) { $0.arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-a1B2c4" })
        others.append(with(context) { $0.arn = "arn:aws:secretsmanager:us-east-1:210987654321:secret:db-a1B2c3" })
        others.append(with(context) { $0.arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-a1B2c3" })
        others.append(with(context) { $0.versionID = "11111111-1111-1111-1111-111111111112" })
        others.append(with(context) { $0.kind = .binary })
        others.append(with(context) { $0.createdAtMilliseconds += 1 })
        for other in others {
            #expect(throws: KeyringError.notAuthentic) { try keyring.decrypt(encrypted, for: other) }
        }
    }

    @Test("do not decrypt in another cluster, even with the same keys' names")
    func otherCluster() {
        let encrypted = keyring.encrypt(secret("hunter2"), for: context)
        #expect(throws: KeyringError.notAuthentic) { try Keyring.forTesting().decrypt(encrypted, for: context) }
    }

    @Test("two encryptions of the same value share nothing")
    func freshKeys() {
        let a = keyring.encrypt(secret("hunter2"), for: context)
        let b = keyring.encrypt(secret("hunter2"), for: context)
        #expect(a.ciphertext != b.ciphertext && a.wrappedDataKey != b.wrappedDataKey)
        #expect(throws: KeyringError.notAuthentic) {
            try keyring.decrypt(wrappedDataKey: a.wrappedDataKey.span.bytes, ciphertext: b.ciphertext.span.bytes, for: context)
        }
    }

    @Test("any flipped bit of either blob is refused")
    func alteration() {
        let encrypted = keyring.encrypt(secret("hunter2"), for: context)
        for i in encrypted.ciphertext.indices {
            let altered = with(encrypted) { $0.ciphertext[i] ^= 1 }
            #expect(throws: KeyringError.notAuthentic) { try keyring.decrypt(altered, for: context) }
        }
        for i in encrypted.wrappedDataKey.indices {
            let altered = with(encrypted) { $0.wrappedDataKey[i] ^= 1 }
            #expect(throws: KeyringError.self) { try keyring.decrypt(altered, for: context) }
        }
        for count in 0..<encrypted.wrappedDataKey.count {
            let altered = with(encrypted) { $0.wrappedDataKey = Array($0.wrappedDataKey.prefix(count)) }
            #expect(throws: KeyringError.self) { try keyring.decrypt(altered, for: context) }
        }
    }

    @Test("the stored size tells a size class, not the length")
    func padding() {
        let sizes = Set((0...28).map { keyring.encrypt(SecretBytes.random(count: $0), for: context).ciphertext.count })
        #expect(sizes.count == 1)
        #expect(Padding.paddedCount(for: 28) == 32 && Padding.paddedCount(for: 29) == 64)
        #expect(Padding.paddedCount(for: 1020) == 1024 && Padding.paddedCount(for: 1021) == 2048 && Padding.paddedCount(for: 2045) == 3072)
    }

    @Test("an opener gives the value that decryption gives, for its version only")
    func openers() throws {
        let other = ValueContext(arn: context.arn, versionID: "other", kind: context.kind, createdAtMilliseconds: context.createdAtMilliseconds)
        for count in [0, 1, 28, 29, 1_020, 65_536] {
            let value = SecretBytes.random(count: count)
            let encrypted = keyring.encrypt(value, for: context)
            let opener = try keyring.opener(wrappedDataKey: encrypted.wrappedDataKey.span.bytes, for: context)
            #expect(throws: KeyringError.notAuthentic) { try keyring.opener(wrappedDataKey: encrypted.wrappedDataKey.span.bytes, for: other) }
            var space = [UInt8](repeating: 0, count: ValueOpener.byteCountMax(of: encrypted.ciphertext.span.bytes))
            for _ in 0..<2 {
                let range = try space.withUnsafeMutableBytes { try opener.open(encrypted.ciphertext.span.bytes, into: $0) }
                #expect(value.withUnsafeBytes { $0.elementsEqual(space[range]) })
            }
            let foreign = keyring.encrypt(value, for: context)
            #expect(throws: KeyringError.notAuthentic) {
                try space.withUnsafeMutableBytes { try opener.open(foreign.ciphertext.span.bytes, into: $0) }
            }
            #expect(throws: KeyringError.notAuthentic) { try space.withUnsafeMutableBytes { try opener.open([1, 2].span.bytes, into: $0) } }
        }
    }

    @Test("fingerprints tell equal from other content, and depend on each thing they are for")
    func fingerprints() {
        func fingerprint(_ value: String = "v", account: String = "1", name: String = "n", version: String = "t", kind: ValueKind = .string) -> Digest {
            keyring.fingerprint(secret(value), account: account, name: name, versionID: version, kind: kind)
        }
        #expect(fingerprint() == fingerprint())
        let all = [
            fingerprint(), fingerprint("w"), fingerprint(account: "2"), fingerprint(name: "m"), fingerprint(version: "u"), fingerprint(kind: .binary),
            fingerprint(account: "1n", name: ""), Keyring.forTesting().fingerprint(secret("v"), account: "1", name: "n", versionID: "t", kind: .string),
        ]
        #expect(Set(all).count == all.count)
    }
}

@Suite("Records and log entries")
struct RecordTests {
    let keyring = Keyring.forTesting()
    let key = Array("123456789012db".utf8)

    private func seal(_ text: String, table: String = "secrets", revision: UInt64 = 1) throws -> [UInt8] {
        try keyring.sealRecord(text.utf8.span.bytes, table: table, key: key.span.bytes, revision: revision, term: keyring.currentTerm)
    }

    @Test("come back, with their revision")
    func roundTrip() throws {
        for text in ["", "x", String(repeating: "metadata", count: 1000)] {
            let sealed = try seal(text, revision: 77)
            #expect(try keyring.openRecord(sealed.span.bytes, table: "secrets", key: key.span.bytes) == Array(text.utf8))
            #expect(keyring.recordRevision(sealed.span.bytes) == 77)
        }
    }

    @Test("sealing is deterministic, and everything that goes in changes everything that comes out")
    func determinism() throws {
        let a = try seal("row")
        #expect(try seal("row") == a)
        let saltOfA = a[13..<41]
        for other in [try seal("rox"), try seal("row", table: "other"), try seal("row", revision: 2)] {
            #expect(other[13..<41] != saltOfA, "salt and nonce never repeat for another row")
        }
    }

    @Test("do not open in another table, at another key, with another revision or altered")
    func bindings() throws {
        let sealed = try seal("row")
        #expect(throws: KeyringError.notAuthentic) { try keyring.openRecord(sealed.span.bytes, table: "other", key: key.span.bytes) }
        #expect(throws: KeyringError.notAuthentic) { try keyring.openRecord(sealed.span.bytes, table: "secrets", key: "k".utf8.span.bytes) }
        for i in sealed.indices {
            let altered = with(sealed) { $0[i] ^= 1 }
            #expect(throws: KeyringError.self) { try keyring.openRecord(altered.span.bytes, table: "secrets", key: key.span.bytes) }
            #expect(throws: KeyringError.self) { try keyring.openRecord(Array(sealed.prefix(i)).span.bytes, table: "secrets", key: key.span.bytes) }
        }
    }

    @Test("a term that the keyring does not hold is named")
    func unknownTerm() {
        #expect(throws: KeyringError.unknownKey(reference: "domain/9")) {
            try keyring.sealRecord(RawSpan(), table: "t", key: RawSpan(), revision: 0, term: 9)
        }
    }

    @Test("log entries come back in their own cluster only, and never look the same twice")
    func logEntries() throws {
        let sealed = keyring.sealLogEntry("mutation".utf8.span.bytes)
        #expect(try keyring.openLogEntry(sealed.span.bytes) == Array("mutation".utf8))
        #expect(keyring.sealLogEntry("mutation".utf8.span.bytes) != sealed)
        #expect(throws: KeyringError.notAuthentic) { try Keyring.forTesting().openLogEntry(sealed.span.bytes) }
        for i in sealed.indices {
            let altered = with(sealed) { $0[i] ^= 1 }
            #expect(throws: KeyringError.self) { try keyring.openLogEntry(altered.span.bytes) }
        }
    }

    @Test("credentials are bound to their key id and account")
    func credentials() throws {
        let wrapped = keyring.wrapCredential(secret("credential"), accessKeyID: "AKIDEXAMPLE", account: "123456789012")
        #expect(reveal(try keyring.unwrapCredential(wrapped.span.bytes, accessKeyID: "AKIDEXAMPLE", account: "123456789012")) == "credential")
        for (id, account) in [("AKIDEXAMPLF", "123456789012"), ("AKIDEXAMPLE", "123456789013")] {
            #expect(throws: KeyringError.notAuthentic) { try keyring.unwrapCredential(wrapped.span.bytes, accessKeyID: id, account: account) }
        }
    }
}

@Suite("The keyring on disk")
struct KeyringFileTests {
    let directory: TemporaryDirectory
    var sealPath: String { directory.path + "/seal.key" }
    var keyringPath: String { directory.path + "/keyring" }

    init() throws {
        directory = try TemporaryDirectory()
        try FileSeal.createKeyFile(at: sealPath)
    }

    private func create() throws -> Keyring {
        try Keyring.create(clusterID: Keyring.randomIdentifier(), seal: try FileSeal(keyFile: sealPath), path: keyringPath)
    }

    @Test("opens again with its seal and reads what it wrote")
    func reopen() throws {
        let first = try create()
        let entry = first.sealLogEntry("entry".utf8.span.bytes)
        let second = try Keyring.open(path: keyringPath, seal: try FileSeal(keyFile: sealPath))
        #expect(second.clusterID == first.clusterID)
        #expect(try second.openLogEntry(entry.span.bytes) == Array("entry".utf8))
    }

    @Test("does not open with another seal key")
    func wrongSeal() throws {
        _ = try create()
        try FileSeal.createKeyFile(at: directory.path + "/other.key")
        #expect(throws: KeyringError.wrongSeal) {
            try Keyring.open(path: keyringPath, seal: try FileSeal(keyFile: directory.path + "/other.key"))
        }
    }

    @Test("any damage is refused with a sentence, never a trap")
    func damage() throws {
        _ = try create()
        let whole = try PrivateFile.read(keyringPath).withUnsafeBytes { [UInt8]($0) }
        let seal = try FileSeal(keyFile: sealPath)
        for i in stride(from: 0, to: whole.count, by: 7) {
            for damaged in [with(whole) { $0[i] ^= 0x41 }, Array(whole.prefix(i))] {
                try PrivateFile.write(damaged.span.bytes, to: keyringPath)
                #expect(throws: KeyringError.self) { try Keyring.open(path: keyringPath, seal: seal) }
            }
        }
    }

    @Test("key files that others can read, links and wrong sizes are refused")
    func permissions() throws {
        #expect(chmod(sealPath, 0o640) == 0)
        #expect(throws: KeyringError.self) { try FileSeal(keyFile: sealPath) }
        #expect(chmod(sealPath, 0o400) == 0)
        _ = try FileSeal(keyFile: sealPath)
        try FileManager.default.createSymbolicLink(atPath: directory.path + "/link", withDestinationPath: sealPath)
        #expect(throws: KeyringError.self) { try FileSeal(keyFile: directory.path + "/link") }
        try PrivateFile.write("short".utf8.span.bytes, to: directory.path + "/short")
        #expect(throws: KeyringError.self) { try FileSeal(keyFile: directory.path + "/short") }
        #expect(throws: KeyringError.self) { try FileSeal(keyFile: directory.path + "/missing") }
        #expect(throws: KeyringError.self) { try PrivateFile.read(directory.path) }
    }

    @Test("files are made for their owner alone")
    func modes() throws {
        _ = try create()
        for path in [sealPath, keyringPath] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test("the keyring file does not hold the seal key")
    func sealedAtRest() throws {
        _ = try create()
        let root = try PrivateFile.read(sealPath).withUnsafeBytes { [UInt8]($0) }
        let file = try PrivateFile.read(keyringPath).withUnsafeBytes { [UInt8]($0) }
        #expect(!file.indices.contains { file[$0...].starts(with: root.prefix(16)) })
    }
}

private func with<Value>(_ value: Value, _ change: (inout Value) -> Void) -> Value {
    var copy = value
    change(&copy)
    return copy
}
