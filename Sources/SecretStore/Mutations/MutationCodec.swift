import Keyring

/// The encoding of mutations in the replicated log: `format | id | account | time | key term | basis | command tag | members`.
///
/// A mutation without a basis has format 1, which lacks that field; every value has one encoding. Once written, a format is read for ever: a change of any member is a new tag or a new format number.
extension Mutation {
    private static let formatWithoutBasis: UInt8 = 1
    private static let formatWithBasis: UInt8 = 2

    /// The bytes that the log seals.
    package func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 512)
        writer.write(basis == 0 ? Self.formatWithoutBasis : Self.formatWithBasis)
        writer.write(id.high)
        writer.write(id.low)
        writer.write(account)
        writer.write(at)
        writer.write(keyTerm)
        if basis > 0 { writer.write(basis) }
        writer.write(command)
        return writer.bytes
    }

    /// - Throws: ``DecodingFailure`` for bytes that ``encode()`` cannot have made. Never traps.
    package init(decoding bytes: RawSpan) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { reader throws(DecodingFailure) in
            let format = try reader.number(UInt8.self)
            guard format == Self.formatWithoutBasis || format == Self.formatWithBasis else { throw .unknownValue }
            return Mutation(
                id: ProposalID(high: try reader.number(), low: try reader.number()), account: try reader.account(),
                at: try reader.timestamp(), keyTerm: try reader.number(), basis: format == Self.formatWithBasis ? try reader.basis() : 0,
                command: try reader.command())
        }
    }
}

/// The first byte of an encoded command. Numbers are never reused.
private enum CommandTag: UInt8 {
    case createSecret = 1
    case putSecretValue = 2
    case updateSecret = 3
    case updateSecretVersionStage = 4
    case deleteSecret = 5
    case restoreSecret = 6
    case tagResource = 7
    case untagResource = 8
    case putResourcePolicy = 9
    case deleteResourcePolicy = 10
    case recordAccess = 11
    case purgeDeletedSecret = 12
    case createAccount = 13
    case putAccessKey = 14
    case cluster = 15
}

extension ByteWriter {
    private mutating func write(_ tag: CommandTag) { write(tag.rawValue) }

    fileprivate mutating func write(_ command: Command) {
        switch command {
        case .createSecret(let members):
            write(CommandTag.createSecret)
            write(members)
        case .putSecretValue(let members):
            write(CommandTag.putSecretValue)
            write(members.secret)
            write(members.version)
            write(optional: members.stages) { $0.write(list: $1) { $0.write($1) } }
        case .updateSecret(let members):
            write(CommandTag.updateSecret)
            write(members)
        case .updateSecretVersionStage(let members):
            write(CommandTag.updateSecretVersionStage)
            write(members.secret)
            write(members.stage)
            write(optional: members.moveTo) { $0.write($1) }
            write(optional: members.removeFrom) { $0.write($1) }
        case .deleteSecret(let secret, let mode):
            write(CommandTag.deleteSecret)
            write(secret)
            write(mode)
        case .restoreSecret(let secret):
            write(CommandTag.restoreSecret)
            write(secret)
        case .tagResource(let secret, let tags):
            write(CommandTag.tagResource)
            write(secret)
            write(list: tags) { $0.write($1) }
        case .untagResource(let secret, let keys):
            write(CommandTag.untagResource)
            write(secret)
            write(list: keys) { $0.write($1) }
        case .putResourcePolicy(let secret, let policy):
            write(CommandTag.putResourcePolicy)
            write(secret)
            write(policy)
        case .deleteResourcePolicy(let secret):
            write(CommandTag.deleteResourcePolicy)
            write(secret)
        case .recordAccess(let marks, let day):
            write(CommandTag.recordAccess)
            write(day)
            write(list: marks) {
                $0.write($1.secret)
                $0.write($1.version)
            }
        case .purgeDeletedSecret(let secret):
            write(CommandTag.purgeDeletedSecret)
            write(secret)
        case .createAccount:
            write(CommandTag.createAccount)
        case .putAccessKey(let key):
            write(CommandTag.putAccessKey)
            write(key.id)
            write(field: key.wrappedSecret)
            write(key.isActive)
        case .cluster(let command):
            write(CommandTag.cluster)
            write(command)
        }
    }

    private mutating func write(_ members: CreateSecret) {
        write(members.secret)
        write(optional: members.description) { $0.write($1) }
        write(optional: members.kmsKeyID) { $0.write($1) }
        write(list: members.tags) { $0.write($1) }
        write(optional: members.type) { $0.write($1) }
        write(optional: members.version) { $0.write($1) }
    }

    private mutating func write(_ members: UpdateSecret) {
        write(members.secret)
        write(optional: members.description) { $0.write($1) }
        write(optional: members.kmsKeyID) { $0.write($1) }
        write(optional: members.type) { $0.write($1) }
        write(optional: members.version) { $0.write($1) }
    }

    /// The window in days, if there is one.
    private mutating func write(_ mode: DeletionMode) {
        switch mode {
        case .afterWindow(let days):
            write(true)
            write(days)
        case .immediately: write(false)
        }
    }

    private mutating func write(_ version: NewVersion) {
        write(version.id)
        write(version.kind.rawValue)
        write(version.fingerprint)
        write(version.value)
    }

    mutating func write(_ secret: SecretReference) {
        write(secret.name)
        write(secret.suffix)
    }

    mutating func write(_ tag: Tag) {
        write(tag.key)
        write(tag.value)
    }

    /// Key reference and wrapped data key, each after its length, then the ciphertext after its own.
    private mutating func write(_ value: EncryptedValue) {
        write(value.keyReference)
        write(field: value.wrappedDataKey)
        write(field: value.ciphertext)
    }
}

extension ByteReader {
    fileprivate mutating func basis() throws(DecodingFailure) -> UInt64 {
        let basis = try number(UInt64.self)
        guard basis > 0 else { throw .unknownValue }
        return basis
    }

    fileprivate mutating func command() throws(DecodingFailure) -> Command {
        guard let tag = CommandTag(rawValue: try number()) else { throw .unknownValue }
        switch tag {
        case .createSecret: return .createSecret(try createSecret())
        case .putSecretValue:
            let secret = try reference()
            let version = try newVersion()
            let stages = try optional { reader throws(DecodingFailure) in try reader.labels() }
            return .putSecretValue(PutSecretValue(secret: secret, version: version, stages: stages))
        case .updateSecret: return .updateSecret(try updateSecret())
        case .updateSecretVersionStage:
            return .updateSecretVersionStage(
                UpdateSecretVersionStage(
                    secret: try reference(), stage: try label(), moveTo: try optionalVersionID(), removeFrom: try optionalVersionID()))
        case .deleteSecret: return .deleteSecret(try reference(), try deletionMode())
        case .restoreSecret: return .restoreSecret(try reference())
        case .tagResource: return .tagResource(try reference(), try tags())
        case .untagResource:
            let secret = try reference()
            let keys = try list(max: Limits.tagKeysPerRequestMax) { reader throws(DecodingFailure) in try reader.tagKey() }
            return .untagResource(secret, keys)
        case .putResourcePolicy: return .putResourcePolicy(try reference(), policy: try text(max: Limits.policyBytesMax))
        case .deleteResourcePolicy: return .deleteResourcePolicy(try reference())
        case .recordAccess:
            let day = try day()
            let marks = try list(max: Limits.accessMarksPerCommandMax) { reader throws(DecodingFailure) in
                AccessMark(secret: try reader.reference(), version: try reader.versionID())
            }
            return .recordAccess(marks, day: day)
        case .purgeDeletedSecret: return .purgeDeletedSecret(try reference())
        case .createAccount: return .createAccount
        case .cluster: return .cluster(try clusterCommand())
        case .putAccessKey:
            return .putAccessKey(
                PutAccessKey(
                    id: try text(max: Limits.accessKeyIDBytesMax), wrappedSecret: try field(max: Limits.wrappedCredentialBytesMax),
                    isActive: try flag()))
        }
    }

    private mutating func createSecret() throws(DecodingFailure) -> CreateSecret {
        CreateSecret(
            secret: try reference(), description: try optionalText(max: Limits.descriptionBytesMax),
            kmsKeyID: try optionalText(max: Limits.kmsKeyIDBytesMax), tags: try tags(), type: try optionalText(max: Limits.typeBytesMax),
            version: try optional { reader throws(DecodingFailure) in try reader.newVersion() })
    }

    private mutating func updateSecret() throws(DecodingFailure) -> UpdateSecret {
        UpdateSecret(
            secret: try reference(), description: try optionalText(max: Limits.descriptionBytesMax),
            kmsKeyID: try optionalText(max: Limits.kmsKeyIDBytesMax), type: try optionalText(max: Limits.typeBytesMax),
            version: try optional { reader throws(DecodingFailure) in try reader.newVersion() })
    }

    private mutating func deletionMode() throws(DecodingFailure) -> DeletionMode {
        try flag() ? .afterWindow(days: try number()) : .immediately
    }

    private mutating func newVersion() throws(DecodingFailure) -> NewVersion {
        let id = try versionID()
        guard let kind = ValueKind(rawValue: try number()) else { throw .unknownValue }
        let fingerprint = try digest()
        let value = EncryptedValue(
            keyReference: try text(max: Limits.keyReferenceBytesMax), wrappedDataKey: try field(max: Limits.wrappedDataKeyBytesMax),
            ciphertext: try field(max: Limits.ciphertextBytesMax))
        return NewVersion(id: id, kind: kind, value: value, fingerprint: fingerprint)
    }

    private mutating func labels() throws(DecodingFailure) -> [StagingLabel] {
        try list(max: Limits.labelsPerSecretMax) { reader throws(DecodingFailure) in try reader.label() }
    }

    private mutating func tags() throws(DecodingFailure) -> [Tag] {
        try list(max: Limits.tagKeysPerRequestMax) { reader throws(DecodingFailure) in try reader.tag() }
    }

    private mutating func optionalVersionID() throws(DecodingFailure) -> VersionID? {
        try optional { reader throws(DecodingFailure) in try reader.versionID() }
    }

    mutating func optionalText(max: Int) throws(DecodingFailure) -> String? {
        try optional { reader throws(DecodingFailure) in try reader.text(max: max) }
    }
}
