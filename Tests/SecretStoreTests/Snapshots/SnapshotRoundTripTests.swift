import Foundation
import Keyring
import LMDB
import OpenSSL
import Testing

@testable import SecretStore

@Suite("An image holds the whole state", .timeLimit(.minutes(1)))
struct SnapshotRoundTripTests {
    let keyring = Keyring.forTesting()
    let directory: SnapshotDirectory

    init() throws { directory = try SnapshotDirectory() }

    @Test("installed in an empty state, in an older and in an unrelated one", arguments: 0...2)
    func roundTrip(target: Int) throws {
        let source = try StoreFixture.rich(keyring: keyring, largeValues: 9)
        try source.passMembership([1, 2, 3], at: source.index + 1, term: 4)
        let written = try source.store.writeSnapshot(to: directory.image, attachment: [7, 8])
        let other =
            switch target {
            case 0: try StoreFixture(keyring: keyring)
            case 1: try StoreFixture.rich(keyring: keyring, mutations: 100)
            default: try StoreFixture.rich(keyring: keyring, seed: 9, mutations: 900)
            }
        let installed = try other.store.install(snapshot: directory.image)
        #expect(installed == written)
        #expect(try SnapshotFile.verify(directory.image, keyring: keyring) == written)
        #expect(try other.dump() == source.dump())
        let position = try other.store.committedPosition()
        #expect(position.index == source.index + 1 && position.term == 4)
        #expect(try position.stateHash == source.store.committedStateHash())
        let membership = try #require(try other.store.committedMembership())
        #expect(membership.encoded == [1, 2, 3] && membership.index == source.index + 1)
        #expect(try SnapshotFile.readHead(directory.image, keyring: keyring) == written.head)
        // Both go on alike.
        for fixture in [source, other] {
            try fixture.store.environment.write { txn in
                let mutation = Mutation(
                    id: ProposalID(high: 5, low: 5), account: StoreFixture.account, at: StoreFixture.start, keyTerm: keyring.currentTerm,
                    command: .createSecret(CreateSecret(secret: .of("next"), version: .of("v", "v", in: "next"))))
                _ = try fixture.store.apply(mutation, at: source.index + 2, term: 4, in: &txn)
            }
        }
        #expect(try other.dump() == source.dump())
    }

    @Test("an empty state too")
    func empty() throws {
        let written = try StoreFixture(keyring: keyring).store.writeSnapshot(to: directory.image, attachment: [])
        let target = try StoreFixture.rich(keyring: keyring)
        #expect(try target.store.install(snapshot: directory.image) == written)
        #expect(try target.dump() == StoreFixture(keyring: keyring).dump())
        #expect(written.tables.map(\.rowCount) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4])
    }

    @Test("the summary is right about the file and the rows")
    func summary() throws {
        let source = try StoreFixture.rich(keyring: keyring, largeValues: 9)
        let summary = try source.store.writeSnapshot(to: directory.image, attachment: [1])
        let bytes = try content(of: directory.image)
        #expect(summary.fileByteCount == UInt64(bytes.count))
        #expect(summary.contentHash == SHA256.hash(bytes.span.bytes))
        let rows = try source.dump()
        #expect(summary.tables.map(\.name) == source.store.tables.all.map(\.name))
        for table in summary.tables { #expect(table.rowCount == UInt64(rows.count { $0.table == table.name })) }
        #expect(summary.rowByteCount == UInt64(rows.reduce(0) { $0 + SnapshotRow.prefixByteCount + $1.key.count + $1.value.count }))
        #expect(CutImage(bytes).frames.count == 5, "attachment, three frames of rows, trailer")
        #expect(CutImage(bytes).bytes == bytes)
        let header = summary.head.header
        #expect(header.clusterID == keyring.clusterID && header.scope == StoreFixture.scope && header.keyTerm == 1)
        #expect(header.position.appliedIndex == source.index && header.position.appliedTerm == 0)
        #expect(summary.head.attachment == [1])
    }

    @Test("two nodes at the same entry write the same plaintext, cut at the same places, under other keys", arguments: 1...3 as ClosedRange<UInt64>)
    func determinism(seed: UInt64) throws {
        let first = try StoreFixture.rich(keyring: keyring, seed: seed, largeValues: 9)
        let second = try StoreFixture(keyring: keyring)
        let bystander = try StoreFixture.rich(keyring: keyring, seed: seed, largeValues: 3)
        // The second one comes by an image and goes on from there.
        try bystander.store.writeSnapshot(to: directory.image, attachment: [])
        try second.store.install(snapshot: directory.image)
        let rest = (3..<9).map { number in
            var version = NewVersion.of("v1", "", in: "large\(number)")
            version.value.ciphertext = [UInt8](repeating: UInt8(number), count: 260_000)
            return Mutation(
                id: ProposalID(high: .max, low: UInt64(number)), account: StoreFixture.account, at: StoreFixture.start,
                keyTerm: keyring.currentTerm, command: .createSecret(CreateSecret(secret: .of("large\(number)"), version: version)))
        }
        for (offset, mutation) in rest.enumerated() {
            try second.store.environment.write { txn in
                _ = try second.store.apply(mutation, at: bystander.index + UInt64(offset) + 1, in: &txn)
            }
        }
        func plaintext(_ fixture: StoreFixture, _ name: String) throws -> [[UInt8]] {
            try fixture.store.writeSnapshot(to: directory.path + "/" + name, attachment: [1])
            let image = CutImage(try content(of: directory.path + "/" + name))
            let prefix = SnapshotHeader.prefixByteCount
            let header = try SnapshotHeader(decodingFields: Array(image.header[prefix...]).span.bytes)
            var opener = try keyring.openSnapshot(header: image.header, term: header.keyTerm, salt: header.salt)
            var frames: [[UInt8]] = []
            for frame in image.frames { frames.append(try opener.open(Array(frame[5...]).span.bytes, isLast: frame[4] == 1)) }
            return frames
        }
        #expect(try plaintext(first, "a") == plaintext(second, "b"))
        #expect(try content(of: directory.path + "/a") != content(of: directory.path + "/b"))
        #expect(try plaintext(first, "a").count == 5)
    }

    @Test("the attachment is made from where the image stands, and can be as long as allowed")
    func attachment() throws {
        let source = try StoreFixture.rich(keyring: keyring)
        try source.passMembership([9], at: source.index + 5, term: 2)
        let long = [UInt8](repeating: 3, count: Limits.snapshotAttachmentBytesMax)
        let summary = try source.store.writeSnapshot(to: directory.image) { origin in
            #expect(origin.position.appliedIndex == source.index + 5 && origin.position.appliedTerm == 2)
            #expect(origin.membership?.encoded == [9] && origin.membership?.index == source.index + 5)
            return long
        }
        #expect(summary.head.attachment == long)
        #expect(try SnapshotFile.readHead(directory.image, keyring: keyring).attachment == long)
        #expect(try SnapshotFile.verify(directory.image, keyring: keyring) == summary)
    }

    @Test("100,000 rows")
    func manyRows() throws {
        let source = try StoreFixture(keyring: keyring)
        try source.store.environment.write { txn in
            let value = [UInt8](repeating: 5, count: 100)
            for number in 0..<100_000 as Range<UInt64> {
                let key = StateKeys.number(number)
                try source.store.tables.values.raw.append(key.span.bytes, value.span.bytes, in: &txn)
            }
        }
        let written = try source.store.writeSnapshot(to: directory.image, attachment: [])
        let target = try StoreFixture(keyring: keyring)
        #expect(try target.store.install(snapshot: directory.image) == written)
        #expect(try target.store.environment.read { txn in try target.store.tables.values.raw.count(in: txn) } == 100_000)
        #expect(written.tables[1].rowCount == 100_000)
        #expect(CutImage(try content(of: directory.image)).frames.count == 2 + (100_000 * 115 + (1 << 20)) / (1 << 20))
    }

    @Test("no name, text, label or value can be read in the file")
    func canaries() throws {
        let source = try StoreFixture(keyring: keyring)
        let canary = "CANARY-0123456789abcdef"
        func secretBytes(_ text: String) -> SecretBytes { SecretBytes(copying: text.utf8.span.bytes) }
        let reference = SecretReference.of(canary + "-name")
        let context = ValueContext(arn: reference.arn.description, versionID: canary, kind: .string, createdAtMilliseconds: 0)
        let version = NewVersion(
            id: VersionID(canary + "-id"), kind: .string, value: keyring.encrypt(secretBytes(canary + "-value"), for: context),
            fingerprint: SHA256.hash(RawSpan()))
        try source.apply(.createAccount)
        try source.apply(
            .createSecret(
                CreateSecret(
                    secret: reference, description: canary + "-text", kmsKeyID: canary, tags: [SecretTag(key: TagKey(canary), value: canary)],
                    type: canary, version: version)))
        try source.apply(.putResourcePolicy(reference, policy: canary))
        try source.apply(.putAccessKey(PutAccessKey(id: canary, wrappedSecret: [1], isActive: true)))
        try source.apply(.deleteSecret(reference, .afterWindow(days: 7)))
        try source.store.writeSnapshot(to: directory.image, attachment: [UInt8](canary.utf8))
        let needle = Data("CANARY".utf8)
        #expect(Data(try content(of: directory.image)).range(of: needle) == nil)
        // The search would find it: names are the keys of the tables.
        #expect(try source.dump().contains { Data($0.key).range(of: needle) != nil })
    }
}
