import Foundation
import OpenSSL
import Testing

@testable import Keyring

@Suite("Keys for a node that joins")
struct JoinTests {
    let directory: TemporaryDirectory
    let seal = FileSeal(key: .random(count: 32))
    let exporter = Keyring.forTesting()
    var path: String { directory.path + "/keyring" }

    init() throws { directory = try TemporaryDirectory() }

    private let context = ValueContext(
        arn: "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-a1B2c3", versionID: "v", kind: .string, createdAtMilliseconds: 1)

    @Test("the new node opens what the cluster sealed, and the other way round, under a seal of its own")
    func roundTrip() throws {
        let imported = try Keyring.importFromJoin(exporter.exportForJoin(), seal: seal, path: path)
        let reopened = try Keyring.open(path: path, seal: seal)
        for keyring in [imported, reopened] {
            #expect(keyring.clusterID == exporter.clusterID && keyring.currentTerm == exporter.currentTerm)
            let value = SecretBytes(copying: "value".utf8.span.bytes)
            let there = try keyring.decrypt(exporter.encrypt(value, for: context), for: context)
            let back = try exporter.decrypt(keyring.encrypt(value, for: context), for: context)
            let isEqual = isEqualInConstantTime(there.bytes, value.bytes) && isEqualInConstantTime(back.bytes, value.bytes)
            #expect(isEqual)
            let entry = exporter.sealLogEntry("entry".utf8.span.bytes)
            #expect(try keyring.openLogEntry(entry.span.bytes) == Array("entry".utf8))
            #expect(keyring.fingerprint(value, account: "1", name: "n", versionID: "v", kind: .string) == exporter.fingerprint(value, account: "1", name: "n", versionID: "v", kind: .string))
            let row = try keyring.sealRecord("row".utf8.span.bytes, table: "t", key: "k".utf8.span.bytes, revision: 1, term: keyring.currentTerm)
            #expect(try exporter.sealRecord("row".utf8.span.bytes, table: "t", key: "k".utf8.span.bytes, revision: 1, term: exporter.currentTerm) == row)
        }
        #expect(throws: KeyringError.wrongSeal) { try Keyring.open(path: path, seal: FileSeal(key: .random(count: 32))) }
        let again = try Keyring.importFromJoin(reopened.exportForJoin(), seal: seal, path: path + "2")
        #expect(again.clusterID == exporter.clusterID)
    }

    @Test("the file holds no key in the clear, and the export is printed by nobody")
    func canary() throws {
        let exported = exporter.exportForJoin()
        _ = try Keyring.importFromJoin(exported, seal: seal, path: path)
        let file = try Data(contentsOf: URL(fileURLWithPath: path))
        let root = exporter.root.withUnsafeBytes { Data($0) }
        #expect(file.range(of: root) == nil)
        #expect(exported.withUnsafeBytes { Data($0) }.range(of: root) != nil, "the search finds what is there")
        #expect("\(exported)" == "<redacted>")
    }

    @Test("an export that was cut, lengthened or altered makes no keyring and no file")
    func damaged() throws {
        let exported = exporter.exportForJoin().withUnsafeBytes { [UInt8]($0) }
        var broken: [[UInt8]] = [[], Array(exported.dropLast()), exported + [0], [UInt8](repeating: 0, count: 500)]
        for index in stride(from: 0, to: exported.count, by: 7) {
            var altered = exported
            altered[index] ^= 0x40
            broken.append(altered)
        }
        for bytes in broken {
            #expect(throws: KeyringError.self) { try Keyring.importFromJoin(SecretBytes(copying: bytes.span.bytes), seal: seal, path: path) }
        }
        #expect(!PrivateFile.exists(path))
    }

    @Test("private files are removed once, and their absence is no error")
    func removal() throws {
        #expect(!PrivateFile.exists(path))
        let content: [UInt8] = [1]
        try PrivateFile.write(content.span.bytes, to: path)
        #expect(PrivateFile.exists(path))
        try PrivateFile.remove(path)
        #expect(!PrivateFile.exists(path))
        try PrivateFile.remove(path)
        #expect(throws: KeyringError.self) { try PrivateFile.remove(directory.path) }
    }
}
