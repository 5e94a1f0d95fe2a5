import Keyring
import OpenSSL
import struct Raft.NodeID
import Testing

@testable import SecretStore

@Suite("Encodings")
struct CodecTests {
    /// Every command once, with every optional member given.
    static let commands: [Command] = [
        .createSecret(
            CreateSecret(
                secret: .of("n"), description: "d\u{2603}", kmsKeyID: "k", tags: [SecretTag(key: TagKey("a"), value: "b")], type: "t",
                version: .of("v1", "x", in: "n", kind: .binary))),
        .putSecretValue(PutSecretValue(secret: .of("n"), version: .of("v1", "x", in: "n"), stages: [.current, StagingLabel("X")])),
        .updateSecret(UpdateSecret(secret: .of("n"), description: "", kmsKeyID: "", type: "", version: .of("v1", "", in: "n"))),
        .updateSecretVersionStage(UpdateSecretVersionStage(secret: .of("n"), stage: .current, moveTo: VersionID("a"), removeFrom: VersionID("b"))),
        .deleteSecret(.of("n"), .afterWindow(days: 30)), .deleteSecret(.of("n"), .immediately), .restoreSecret(.of("n")),
        .tagResource(.of("n"), [SecretTag(key: TagKey(""), value: "")]), .untagResource(.of("n"), [TagKey("k")]),
        .putResourcePolicy(.of("n"), policy: "{}"), .deleteResourcePolicy(.of("n")),
        .recordAccess([AccessMark(secret: .of("n"), version: VersionID("v"))], day: UTCDay(daysSince1970: 20_240)),
        .purgeDeletedSecret(.of("n")), .createAccount, .putAccessKey(PutAccessKey(id: "AKID", wrappedSecret: [9, 8], isActive: true)),
        .cluster(.createCluster(CreateCluster(authorityPEM: "CA", sealedAuthorityKey: [1], firstNode: .of("k", name: "n")))),
        .cluster(.createJoinToken(hash: .of("t"), expiresAt: StoreFixture.start)), .cluster(.admitNode(tokenHash: .of("t"), .of("k"))),
        .cluster(
            .updateNode(
                UpdateNode(
                    id: NodeID(2), peerAddress: .of("p:1"), apiAddress: .of("[::1]:2"),
                    keys: UpdateNode.KeyChange(current: .of("a"), next: .of("b")), version: "v"))),
        .cluster(.removeNode(NodeID(3))),
        // The same with nothing given.
        .cluster(.updateNode(UpdateNode(id: NodeID(2)))),
        .createSecret(CreateSecret(secret: .of("n"))), .updateSecret(UpdateSecret(secret: .of("n"))),
        .putSecretValue(PutSecretValue(secret: .of("n"), version: .of("v1", "x", in: "n"))),
        .updateSecretVersionStage(UpdateSecretVersionStage(secret: .of("n"), stage: .current)), .recordAccess([], day: UTCDay(daysSince1970: -1)),
    ]

    static let outcomes: [Outcome] = [
        .secret(SecretReference.of("n").arn), .version(SecretReference.of("n").arn, VersionID("v"), stages: [.current, .pending]),
        .deletion(SecretReference.of("n").arn, deletionDate: StoreFixture.start), .done, .node(NodeID(7)),
    ] + failures.map { .failed($0) }

    static let failures: [StoreFailure] = [
        .secretNotFound, .labelNotFound(.pending), .versionNotFound(VersionID("v")), .secretMarkedForDeletion, .secretAlreadyScheduledForDeletion,
        .nameScheduledForDeletion, .secretAlreadyExists(SecretReference.of("n").name), .tokenAlreadyUsed(VersionID("v"), SecretReference.of("n").arn),
        .labelNotOnVersion, .currentLabelNotRemovable, .removeFromVersionRequired(.current, holder: VersionID("v")), .removeFromVersionMismatch(.previous),
        .labelMoveWithoutVersion, .tooManyVersions, .tooManyLabels, .tooManyTags, .accountNotFound, .accountAlreadyExists, .accessKeyInOtherAccount,
        .expired,
    ] + clusterFailures.map { .cluster($0) }

    static let clusterFailures: [ClusterFailure] = [
        .clusterAlreadyExists, .clusterNotFound, .joinTokenUnknown, .joinTokenExpired, .joinTokenUsed, .joinTokenAlreadyExists, .tooManyJoinTokens,
        .nodeNotFound(NodeID(1)), .nodeRemoved(NodeID(2)), .nodeKeyTaken(NodeID(3)), .nodeKeyUnknown, .lastNode,
    ]

    static func mutation(_ command: Command) -> Mutation {
        Mutation(
            id: ProposalID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10), account: StoreFixture.account,
            at: Timestamp(millisecondsSince1970: 0x0123_4567_89AB), keyTerm: 7, command: command)
    }

    static let record = SecretRecord(
        number: 3, account: StoreFixture.account, name: SecretReference.of("n").name, suffix: SecretReference.of("n").suffix,
        createdAt: Timestamp(millisecondsSince1970: 1), changedAt: Timestamp(millisecondsSince1970: 2), lastAccessedDay: UTCDay(daysSince1970: 3),
        deletion: SecretRecord.Deletion(requestedAt: Timestamp(millisecondsSince1970: 4), date: Timestamp(millisecondsSince1970: 5)),
        description: "d", kmsKeyID: "k", type: "t", tags: [SecretTag(key: TagKey("a"), value: "b")],
        versions: [
            SecretVersion(
                id: VersionID("v"), createdAt: Timestamp(millisecondsSince1970: 6), lastAccessedDay: UTCDay(daysSince1970: 7), labels: [.current],
                kind: .binary, fingerprint: SHA256.hash("f".utf8.span.bytes), valueNumber: 8, kmsKeyID: "k")
        ])

    // MARK: Round trips

    @Test("every command comes back as it was", arguments: CodecTests.commands.indices)
    func mutationRoundTrip(index: Int) throws {
        let mutation = Self.mutation(Self.commands[index])
        #expect(try Mutation(decoding: mutation.encode().span.bytes) == mutation)
    }

    @Test("every outcome and failure comes back as it was", arguments: CodecTests.outcomes.indices)
    func outcomeRoundTrip(index: Int) throws {
        #expect(try Outcome(decoding: Self.outcomes[index].encode().span.bytes) == Self.outcomes[index])
    }

    @Test("generated mutations come back as they were", arguments: 1...3 as ClosedRange<UInt64>)
    func generated(seed: UInt64) throws {
        var generator = CommandGenerator(seed: seed, keyTerm: 1)
        for _ in 0..<500 {
            let mutation = generator.mutation()
            #expect(try Mutation(decoding: mutation.encode().span.bytes) == mutation)
        }
    }

    @Test("records, positions, access keys and values come back as they were")
    func rows() throws {
        #expect(try SecretRecord(decoding: Self.record.encode().span.bytes) == Self.record)
        var bare = Self.record
        bare.lastAccessedDay = nil
        bare.deletion = nil
        bare.description = nil
        bare.kmsKeyID = nil
        bare.type = nil
        bare.tags = nil
        bare.versions = []
        #expect(try SecretRecord(decoding: bare.encode().span.bytes) == bare)
        bare.tags = []
        #expect(try SecretRecord(decoding: bare.encode().span.bytes) == bare)
        var position = MachinePosition.initial
        position.appliedIndex = 5
        position.appliedTerm = 7
        position.nextValueNumber = 6
        #expect(try MachinePosition(decoding: position.encode().span.bytes) == position)
        let key = StoredAccessKey(id: "AKID", account: StoreFixture.account, wrappedSecret: [1], isActive: true, createdAt: StoreFixture.start)
        #expect(try StoredAccessKey(decoding: key.encode().span.bytes) == key)
        let value = EncryptedValue(keyReference: "r", wrappedDataKey: [1, 2], ciphertext: [UInt8](repeating: 3, count: 70_000))
        #expect(try ValueRow.decode(ValueRow.encode(value).span.bytes) == value)
    }

    @Test("the largest requests that the API admits can be encoded and read back")
    func limits() throws {
        let wide = "\u{1F512}" // four bytes of UTF-8
        func text(_ characters: Int) -> String { String(repeating: wide, count: characters) }
        let tags = (0..<50).map { SecretTag(key: TagKey("\($0)" + text(125)), value: text(256)) }
        var version = NewVersion.of(text(64), "", in: "n")
        version.value.ciphertext = [UInt8](repeating: 1, count: 65_536 * 4 + 1_024 + 28)
        let name = String(repeating: "n", count: 512)
        let largest: [Command] = [
            .createSecret(
                CreateSecret(secret: .of(name), description: text(2_048), kmsKeyID: text(2_048), tags: tags, type: text(256), version: version)),
            .putSecretValue(PutSecretValue(secret: .of(name), version: version, stages: (0..<20).map { StagingLabel("\($0)" + text(254)) })),
            .putResourcePolicy(.of(name), policy: text(20_480)),
        ]
        let fixture = try StoreFixture()
        for command in largest {
            let mutation = Mutation(account: StoreFixture.account, at: fixture.now, keyTerm: 1, command: command)
            #expect(try Mutation(decoding: mutation.encode().span.bytes) == mutation)
            #expect(try fixture.apply(mutation).failure.map { $0 == .tokenAlreadyUsed(version.id, SecretReference.of(name).arn) } ?? true)
        }
        #expect(try fixture.record(name)?.tags == tags)
    }

    // MARK: Golden bytes

    @Test("the bytes of a mutation are fixed: logs on disk are read by later versions")
    func goldenMutation() {
        let put = Self.mutation(
            .putSecretValue(
                PutSecretValue(
                    secret: .of("n"),
                    version: NewVersion(
                        id: VersionID("v1"), kind: .string,
                        value: EncryptedValue(keyReference: "r", wrappedDataKey: [0xAA, 0xBB], ciphertext: [0xCC]),
                        fingerprint: SHA256.hash("abc".utf8.span.bytes)), stages: [StagingLabel("X")])))
        let expected =
            "01" + "0102030405060708090a0b0c0d0e0f10" + "0000001cbe991a14" + "00000123456789ab" + "00000007" + "02" // format, id, account, time, term, tag
            + "016e" + "06416243313233" // name, suffix
            + "027631" + "01" // version id, kind
            + "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // fingerprint: SHA-256 of "abc" (FIPS 180-4)
            + "0172" + "02aabb" + "01cc" // key reference, data key, ciphertext
            + "01" + "01" + "0158" // stages
        #expect(Self.hex(put.encode()) == expected)
    }

    @Test("a basis gives a mutation a format of its own, and none is written as none")
    func goldenBasis() throws {
        var mutation = Self.mutation(.createAccount)
        let head = "0102030405060708090a0b0c0d0e0f10" + "0000001cbe991a14" + "00000123456789ab" + "00000007" // id, account, time, term
        #expect(Self.hex(mutation.encode()) == "01" + head + "0d")
        mutation.basis = 0x1122
        #expect(Self.hex(mutation.encode()) == "02" + head + "0000000000001122" + "0d")
        #expect(try Mutation(decoding: mutation.encode().span.bytes) == mutation)
        var zero = mutation.encode()
        zero.replaceSubrange((zero.count - 3)..<(zero.count - 1), with: [0, 0])
        #expect(throws: DecodingFailure.unknownValue) { try Mutation(decoding: zero.span.bytes) }
    }

    @Test("the bytes of a position are fixed, and those of the version before it are read")
    func goldenPosition() throws {
        var position = MachinePosition.initial
        position.advance(to: 1, term: 2, hash: SHA256.hash("f".utf8.span.bytes))
        let hash = SHA256.hash("f".utf8.span.bytes)
        #expect(
            Self.hex(position.encode()) == "02" + "0000000000000001" + "0000000000000002" + hash.hex + "0000000000000001" + "0000000000000001")
        position.appliedTerm = 0
        let old = [1] + position.encode()[1..<9] + position.encode()[17...]
        #expect(try MachinePosition(decoding: old.span.bytes) == position)
    }

    @Test("the bytes of a record are fixed: rows on disk are read by later versions")
    func goldenRecord() {
        let expected =
            "01" + "0000000000000003" + "0000001cbe991a14" + "016e" + "06416243313233" + "0000000000000001" + "0000000000000002"
            + "0100000003" + "01" + "0000000000000004" + "0000000000000005" + "01016b" + "010164" + "010174" + "010101610162" // read, deletion, key, text, type, tags
            + "01" + "47" // one version of 71 bytes
            + "0176" + "010a41575343555252454e54" + "0000000000000006" + "0100000007" + "02"
            + SHA256.hash("f".utf8.span.bytes).hex + "0000000000000008" + "01016b"
        #expect(Self.hex(Self.record.encode()) == expected)
    }

    @Test("the keys of the tables are fixed and sort as they should")
    func goldenKeys() {
        let key = SecretKey(account: StoreFixture.account, name: SecretReference.of("n").name)
        #expect(Self.hex(StateKeys.secret(key)) == "0000001cbe991a14" + "6e")
        #expect(Self.hex(ListKey.key(Self.record, order: .created)) == "0000001cbe991a14" + "01" + "0000000000000001" + "0000000000000003")
        #expect(Self.hex(ListKey.value(Self.record)) == "01" + "0000001cbe991a14" + "6e")
        let long = StateKeys.name(SecretReference.of(String(repeating: "n", count: 512)).name)
        #expect(long.count == 480 && long[446] == UInt8(ascii: "n") && long[447] == 0xFF)
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // MARK: Hostile bytes

    @Test("no cut of an encoding is an encoding, and neither is one with a byte more", arguments: CodecTests.commands.indices)
    func truncation(index: Int) {
        let bytes = Self.mutation(Self.commands[index]).encode()
        for count in 0..<bytes.count {
            #expect(throws: DecodingFailure.self) { try Mutation(decoding: bytes.span.bytes.extracting(first: count)) }
        }
        #expect(throws: DecodingFailure.trailingBytes) { try Mutation(decoding: (bytes + [0]).span.bytes) }
    }

    @Test("altered and random bytes are refused or decode to something that encodes to them; none trap", arguments: 1...4 as ClosedRange<UInt64>)
    func fuzz(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for round in 0..<4_000 {
            var bytes: [UInt8]
            if round % 4 == 0 {
                bytes = (0..<Int.random(in: 0..<200, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
                if !bytes.isEmpty { bytes[0] = 1 }
            } else {
                bytes = Self.mutation(Self.commands[Int.random(in: Self.commands.indices, using: &generator)]).encode()
                for _ in 0..<Int.random(in: 1..<4, using: &generator) {
                    bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
                }
            }
            if let mutation = try? Mutation(decoding: bytes.span.bytes) { #expect(mutation.encode() == bytes, "one value, one encoding") }
            var row = round % 2 == 0 ? bytes : Self.record.encode()
            for _ in 0..<3 where !row.isEmpty { row[Int.random(in: row.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator) }
            if let record = try? SecretRecord(decoding: row.span.bytes) { #expect(record.encode() == row) }
            _ = try? VersionSelection(decoding: row.span.bytes, VersionSelector())
            if let outcome = try? Outcome(decoding: row.span.bytes) { #expect(outcome.encode() == row) }
            _ = try? ValueRow.decode(row.span.bytes)
            _ = try? StoredAccessKey(decoding: row.span.bytes)
            _ = try? NodeRecord(decoding: row.span.bytes)
            _ = try? MachinePosition(decoding: row.span.bytes)
        }
    }

    @Test(
        "lengths beyond their limits are refused before anything is allocated",
        arguments: [[0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x80, 0x00], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0x81, 0x04]] as [[UInt8]])
    func lengths(bytes: [UInt8]) {
        #expect(throws: DecodingFailure.limitExceeded) {
            try ByteReader.decode(bytes.span.bytes) { reader throws(DecodingFailure) in try reader.field(max: 512) }
        }
    }

    @Test("the selective decoder finds what the whole one finds", arguments: 1...3 as ClosedRange<UInt64>)
    func selection(seed: UInt64) throws {
        var generator = CommandGenerator(seed: seed, keyTerm: 1)
        let fixture = try StoreFixture()
        try fixture.apply((0..<400).map { _ in generator.mutation() })
        for row in try fixture.dump() where row.table == "secrets" {
            let plaintext = try fixture.store.keyring.openRecord(row.value.span.bytes, table: row.table, key: row.key.span.bytes)
            let record = try SecretRecord(decoding: plaintext.span.bytes)
            for version in record.versions {
                #expect(try VersionSelection(decoding: plaintext.span.bytes, VersionSelector(id: version.id)).version == version)
                for label in version.labels {
                    #expect(try VersionSelection(decoding: plaintext.span.bytes, VersionSelector(label: label)).version == version)
                }
            }
            #expect(try VersionSelection(decoding: plaintext.span.bytes, VersionSelector(id: VersionID("none"))).version == nil)
        }
    }
}
