import Raft

/// The encoding of outcomes in the table of recent proposals.
extension Outcome {
    private static let format: UInt8 = 1

    private enum Tag: UInt8 {
        case secret = 1
        case version = 2
        case deletion = 3
        case done = 4
        case failed = 5
        case node = 6
    }

    package func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 128)
        writer.write(Self.format)
        switch self {
        case .secret(let arn):
            writer.write(Tag.secret.rawValue)
            writer.write(arn)
        case .version(let arn, let id, let stages):
            writer.write(Tag.version.rawValue)
            writer.write(arn)
            writer.write(id)
            writer.write(list: stages) { $0.write($1) }
        case .deletion(let arn, let deletionDate):
            writer.write(Tag.deletion.rawValue)
            writer.write(arn)
            writer.write(deletionDate)
        case .done: writer.write(Tag.done.rawValue)
        case .node(let id):
            writer.write(Tag.node.rawValue)
            writer.write(id.raw)
        case .failed(let failure):
            writer.write(Tag.failed.rawValue)
            writer.write(failure)
        }
        return writer.bytes
    }

    /// - Throws: ``DecodingFailure`` for bytes that ``encode()`` cannot have made. Never traps.
    package init(decoding bytes: RawSpan) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { reader throws(DecodingFailure) in
            guard try reader.number(UInt8.self) == Self.format, let tag = Tag(rawValue: try reader.number()) else { throw .unknownValue }
            switch tag {
            case .secret: return .secret(try reader.arn())
            case .version:
                let arn = try reader.arn()
                let id = try reader.versionID()
                let stages = try reader.list(max: Limits.labelsPerSecretMax) { reader throws(DecodingFailure) in try reader.label() }
                return .version(arn, id, stages: stages)
            case .deletion: return .deletion(try reader.arn(), deletionDate: try reader.timestamp())
            case .done: return .done
            case .node: return .node(NodeID(try reader.number()))
            case .failed: return .failed(try reader.failure())
            }
        }
    }
}

/// The first byte of an encoded failure. Numbers are never reused.
private enum FailureTag: UInt8 {
    case secretNotFound = 1
    case labelNotFound = 2
    case versionNotFound = 3
    case secretMarkedForDeletion = 4
    case secretAlreadyScheduledForDeletion = 5
    case nameScheduledForDeletion = 6
    case secretAlreadyExists = 7
    case tokenAlreadyUsed = 8
    case labelNotOnVersion = 9
    case currentLabelNotRemovable = 10
    case removeFromVersionRequired = 11
    case removeFromVersionMismatch = 12
    case labelMoveWithoutVersion = 13
    case tooManyVersions = 14
    case tooManyLabels = 15
    case tooManyTags = 16
    case accountNotFound = 17
    case accountAlreadyExists = 18
    case accessKeyInOtherAccount = 19
    case expired = 20
    case cluster = 21
}

extension StoreFailure {
    private var tag: FailureTag {
        switch self {
        case .secretNotFound: .secretNotFound
        case .labelNotFound: .labelNotFound
        case .versionNotFound: .versionNotFound
        case .secretMarkedForDeletion: .secretMarkedForDeletion
        case .secretAlreadyScheduledForDeletion: .secretAlreadyScheduledForDeletion
        case .nameScheduledForDeletion: .nameScheduledForDeletion
        case .secretAlreadyExists: .secretAlreadyExists
        case .tokenAlreadyUsed: .tokenAlreadyUsed
        case .labelNotOnVersion: .labelNotOnVersion
        case .currentLabelNotRemovable: .currentLabelNotRemovable
        case .removeFromVersionRequired: .removeFromVersionRequired
        case .removeFromVersionMismatch: .removeFromVersionMismatch
        case .labelMoveWithoutVersion: .labelMoveWithoutVersion
        case .tooManyVersions: .tooManyVersions
        case .tooManyLabels: .tooManyLabels
        case .tooManyTags: .tooManyTags
        case .accountNotFound: .accountNotFound
        case .accountAlreadyExists: .accountAlreadyExists
        case .accessKeyInOtherAccount: .accessKeyInOtherAccount
        case .expired: .expired
        case .cluster: .cluster
        }
    }

    fileprivate func encode(into writer: inout ByteWriter) {
        writer.write(tag.rawValue)
        switch self {
        case .labelNotFound(let label), .removeFromVersionMismatch(let label): writer.write(label)
        case .versionNotFound(let id): writer.write(id)
        case .secretAlreadyExists(let name): writer.write(name)
        case .tokenAlreadyUsed(let id, let arn):
            writer.write(id)
            writer.write(arn)
        case .removeFromVersionRequired(let label, let holder):
            writer.write(label)
            writer.write(holder)
        case .cluster(let failure): writer.write(failure)
        case .secretNotFound, .secretMarkedForDeletion, .secretAlreadyScheduledForDeletion, .nameScheduledForDeletion, .labelNotOnVersion,
            .currentLabelNotRemovable, .labelMoveWithoutVersion, .tooManyVersions, .tooManyLabels, .tooManyTags, .accountNotFound,
            .accountAlreadyExists, .accessKeyInOtherAccount, .expired:
            break
        }
    }
}

extension ByteWriter {
    fileprivate mutating func write(_ failure: StoreFailure) { failure.encode(into: &self) }

    fileprivate mutating func write(_ arn: SecretARN) {
        write(arn.partition)
        write(arn.region)
        write(arn.account)
        write(arn.reference)
    }
}

extension ByteReader {
    fileprivate mutating func arn() throws(DecodingFailure) -> SecretARN {
        let scope = ARNScope(partition: try text(max: Limits.regionBytesMax), region: try text(max: Limits.regionBytesMax))
        return scope.arn(account: try account(), try reference())
    }

    fileprivate mutating func failure() throws(DecodingFailure) -> StoreFailure {
        guard let tag = FailureTag(rawValue: try number()) else { throw .unknownValue }
        switch tag {
        case .secretNotFound: return .secretNotFound
        case .labelNotFound: return .labelNotFound(try label())
        case .versionNotFound: return .versionNotFound(try versionID())
        case .secretMarkedForDeletion: return .secretMarkedForDeletion
        case .secretAlreadyScheduledForDeletion: return .secretAlreadyScheduledForDeletion
        case .nameScheduledForDeletion: return .nameScheduledForDeletion
        case .secretAlreadyExists: return .secretAlreadyExists(try name())
        case .tokenAlreadyUsed: return .tokenAlreadyUsed(try versionID(), try arn())
        case .labelNotOnVersion: return .labelNotOnVersion
        case .currentLabelNotRemovable: return .currentLabelNotRemovable
        case .removeFromVersionRequired: return .removeFromVersionRequired(try label(), holder: try versionID())
        case .removeFromVersionMismatch: return .removeFromVersionMismatch(try label())
        case .labelMoveWithoutVersion: return .labelMoveWithoutVersion
        case .tooManyVersions: return .tooManyVersions
        case .tooManyLabels: return .tooManyLabels
        case .tooManyTags: return .tooManyTags
        case .accountNotFound: return .accountNotFound
        case .accountAlreadyExists: return .accountAlreadyExists
        case .accessKeyInOtherAccount: return .accessKeyInOtherAccount
        case .expired: return .expired
        case .cluster: return .cluster(try clusterFailure())
        }
    }
}
