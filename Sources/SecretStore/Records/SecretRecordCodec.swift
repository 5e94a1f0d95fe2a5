import Keyring
import OpenSSL

/// The encoding of a secret's row, before it is sealed: `format | head | tags | versions`.
///
/// A read of a value needs the head and one version, so the versions come last and each is preceded by its length:
/// ``VersionSelection`` passes over the rest without making strings of it.
extension SecretRecord {
    static let format: UInt8 = 1

    func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 256 + versions.count * 128)
        writer.write(Self.format)
        writer.write(number)
        writer.write(account)
        writer.write(reference)
        writer.write(createdAt)
        writer.write(changedAt)
        writer.write(optional: lastAccessedDay) { $0.write($1) }
        writer.write(optional: deletion) {
            $0.write($1.requestedAt)
            $0.write($1.date)
        }
        writer.write(optional: kmsKeyID) { $0.write($1) }
        writer.write(optional: description) { $0.write($1) }
        writer.write(optional: type) { $0.write($1) }
        writer.write(optional: tags) { $0.write(list: $1) { $0.write($1) } }
        writer.write(list: versions) { $0.write(field: $1.encode()) }
        return writer.bytes
    }

    /// - Throws: ``DecodingFailure`` for bytes that ``encode()`` cannot have made. Never traps.
    init(decoding bytes: RawSpan) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { reader throws(DecodingFailure) in
            var record = try reader.recordHead()
            record.description = try reader.optionalText(max: Limits.descriptionBytesMax)
            record.type = try reader.optionalText(max: Limits.typeBytesMax)
            record.tags = try reader.optional { reader throws(DecodingFailure) in
                try reader.list(max: Limits.tagsPerSecretMax) { reader throws(DecodingFailure) in try reader.tag() }
            }
            record.versions = try reader.list(max: Limits.versionsPerSecretMax) { reader throws(DecodingFailure) in
                try reader.sized(max: SecretVersion.encodedBytesMax) { reader throws(DecodingFailure) in try reader.version() }
            }
            return record
        }
    }
}

extension SecretVersion {
    /// Longest encoding: id, all labels, a KMS key id, and less than a hundred bytes of fixed width.
    static let encodedBytesMax =
        Limits.versionIDBytesMax + Limits.labelsPerSecretMax * (Limits.labelBytesMax + 2) + Limits.kmsKeyIDBytesMax + 128

    fileprivate func encode() -> [UInt8] {
        var writer = ByteWriter(capacity: 128)
        writer.write(id)
        writer.write(list: labels) { $0.write($1) }
        writer.write(createdAt)
        writer.write(optional: lastAccessedDay) { $0.write($1) }
        writer.write(kind.rawValue)
        writer.write(fingerprint)
        writer.write(valueNumber)
        writer.write(optional: kmsKeyID) { $0.write($1) }
        return writer.bytes
    }
}

extension ByteReader {
    /// The members before `description`, the rest empty.
    mutating func recordHead() throws(DecodingFailure) -> SecretRecord {
        guard try number(UInt8.self) == SecretRecord.format else { throw .unknownValue }
        let number: UInt64 = try number()
        let account = try account()
        let reference = try reference()
        return SecretRecord(
            number: number, account: account, name: reference.name, suffix: reference.suffix, createdAt: try timestamp(),
            changedAt: try timestamp(), lastAccessedDay: try optional { reader throws(DecodingFailure) in try reader.day() },
            deletion: try optional { reader throws(DecodingFailure) in
                SecretRecord.Deletion(requestedAt: try reader.timestamp(), date: try reader.timestamp())
            }, description: nil, kmsKeyID: try optionalText(max: Limits.kmsKeyIDBytesMax), type: nil, tags: nil, versions: [])
    }

    mutating func version() throws(DecodingFailure) -> SecretVersion {
        let id = try versionID()
        let labels = try list(max: Limits.labelsPerSecretMax) { reader throws(DecodingFailure) in try reader.label() }
        return try version(id: id, labels: labels)
    }

    /// The members behind `labels`.
    mutating func version(id: VersionID, labels: [StagingLabel]) throws(DecodingFailure) -> SecretVersion {
        let createdAt = try timestamp()
        let lastAccessedDay = try optional { reader throws(DecodingFailure) in try reader.day() }
        guard let kind = ValueKind(rawValue: try number()) else { throw .unknownValue }
        return SecretVersion(
            id: id, createdAt: createdAt, lastAccessedDay: lastAccessedDay, labels: labels, kind: kind, fingerprint: try digest(),
            valueNumber: try number(), kmsKeyID: try optionalText(max: Limits.kmsKeyIDBytesMax))
    }
}
