import Keyring
import OpenSSL
import struct Raft.NodeID

@testable import SecretStore

/// Generates mutations over so few names, tokens and labels that they collide all the time.
struct CommandGenerator {
    private static let names = ["a", "b", "c", String(repeating: "long", count: 128)]
    private static let suffixes = ["AAAAAA", "BBBBBB"]
    private static let labels = ["AWSCURRENT", "AWSPREVIOUS", "AWSPENDING", "X", "Y"]

    private var generator: SeededGenerator
    private let keyTerm: UInt32
    private var sent: [Mutation] = []

    init(seed: UInt64, keyTerm: UInt32) {
        generator = SeededGenerator(seed: seed)
        self.keyTerm = keyTerm
    }

    mutating func mutation() -> Mutation {
        // Now and then one that was sent before, as a proposer repeats it.
        if generator.chance(5), let old = sent.randomElement(using: &generator) { return old }
        let mutation = Mutation(
            id: ProposalID(high: generator.next(), low: generator.next()),
            account: generator.chance(80) ? StoreFixture.account : StoreFixture.otherAccount,
            // Clocks that go back and forth over half a month, so that versions age and deletions fall due.
            at: StoreFixture.start.adding(milliseconds: Int64.random(in: 0..<1_300_000_000, using: &generator)), keyTerm: keyTerm,
            command: command())
        sent.append(mutation)
        return mutation
    }

    private mutating func command() -> Command {
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<14:
            .createSecret(
                CreateSecret(
                    secret: reference(), description: generator.chance(50) ? text() : nil, kmsKeyID: generator.chance(20) ? text() : nil,
                    tags: generator.chance(30) ? tags() : [], type: generator.chance(10) ? text() : nil, version: generator.chance(80) ? version() : nil))
        case 14..<44:
            .putSecretValue(PutSecretValue(secret: reference(), version: version(), stages: generator.chance(40) ? stages() : nil))
        case 44..<52:
            .updateSecret(
                UpdateSecret(
                    secret: reference(), description: generator.chance(50) ? text() : nil, kmsKeyID: generator.chance(30) ? text() : nil,
                    type: generator.chance(10) ? text() : nil, version: generator.chance(40) ? version() : nil))
        case 52..<66:
            .updateSecretVersionStage(
                UpdateSecretVersionStage(
                    secret: reference(), stage: label(), moveTo: generator.chance(80) ? token() : nil,
                    removeFrom: generator.chance(70) ? token() : nil))
        case 66..<69: .deleteSecret(reference(), .afterWindow(days: UInt8.random(in: 7...30, using: &generator)))
        case 69..<71: .deleteSecret(reference(), .immediately)
        case 71..<76: .restoreSecret(reference())
        case 76..<80: .tagResource(reference(), tags())
        case 80..<83: .untagResource(reference(), tags().map(\.key))
        case 83..<86: .putResourcePolicy(reference(), policy: text())
        case 86..<88: .deleteResourcePolicy(reference())
        case 88..<94:
            .recordAccess(
                (0..<3).map { _ in AccessMark(secret: reference(), version: token()) },
                day: UTCDay(daysSince1970: Int32.random(in: 20_000..<20_010, using: &generator)))
        case 94..<96: .purgeDeletedSecret(reference())
        case 96..<97: .createAccount
        case 97..<99: .cluster(clusterCommand())
        default: .putAccessKey(PutAccessKey(id: "KEY\(Int.random(in: 0..<3, using: &generator))", wrappedSecret: [1], isActive: generator.chance(50)))
        }
    }

    /// Few nodes, keys and tokens, and tokens that end in the time that the clocks are in.
    private mutating func clusterCommand() -> ClusterCommand {
        let id = NodeID(UInt64.random(in: 1...4, using: &generator))
        let (key, other, token) = (pick(["a", "b", "c", "d"]), pick(["a", "b", "c", "d"]), Digest.of(pick(["t", "u", "v"])))
        return switch Int.random(in: 0..<10, using: &generator) {
        case 0..<2: .createCluster(CreateCluster(authorityPEM: "CA", sealedAuthorityKey: [1], firstNode: .of(key)))
        case 2..<4:
            .createJoinToken(
                hash: token, expiresAt: StoreFixture.start.adding(milliseconds: Int64.random(in: 0..<1_300_000_000, using: &generator)))
        case 4..<7: .admitNode(tokenHash: token, .of(key))
        case 7..<9: .updateNode(UpdateNode(id: id, keys: UpdateNode.KeyChange(current: .of(key), next: .of(other)), version: pick(["1", "2"])))
        default: .removeNode(id)
        }
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: values.indices, using: &generator)] }

    private mutating func reference() -> SecretReference { .of(pick(Self.names), suffix: generator.chance(90) ? Self.suffixes[0] : Self.suffixes[1]) }

    private mutating func token() -> VersionID { VersionID("token-\(Int.random(in: 0..<12, using: &generator))") }

    private mutating func version() -> NewVersion {
        // Three values, so that a repeated token often has the same one.
        .of(token().rawValue, "value \(Int.random(in: 0..<3, using: &generator))", in: "n", kind: generator.chance(70) ? .string : .binary)
    }

    private mutating func label() -> StagingLabel { StagingLabel(pick(Self.labels)) }

    private mutating func stages() -> [StagingLabel] { (0..<Int.random(in: 0..<4, using: &generator)).map { _ in label() } }

    private mutating func tags() -> [SecretTag] {
        (0..<Int.random(in: 1..<4, using: &generator)).map { _ in SecretTag(key: TagKey("k\(Int.random(in: 0..<5, using: &generator))"), value: text()) }
    }

    private mutating func text() -> String { pick(["", "one", "zwei \u{2603}", String(repeating: "long ", count: 100)]) }
}
