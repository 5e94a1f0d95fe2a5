package import Keyring
import LMDB

/// A version with its value, still encrypted.
package struct StoredValue: Equatable, Sendable {
    package var arn: SecretARN
    package var versionID: VersionID
    /// Sorted.
    package var labels: [StagingLabel]
    package var createdAt: Timestamp
    package var kind: ValueKind
    /// The secret's KMS key setting; nil for the default key.
    package var kmsKeyID: String?
    package var value: EncryptedValue
    /// Days of the last reads so far, for ``AccessRecorder``.
    package var secretLastAccessedDay: UTCDay?
    package var versionLastAccessedDay: UTCDay?
    /// Where it lies, for the next read of it.
    package var location: ValueLocation

    /// What the value decrypts for.
    package var context: ValueContext {
        ValueContext(
            arn: arn.description, versionID: versionID.rawValue, kind: kind,
            createdAtMilliseconds: createdAt.millisecondsSince1970)
    }
}

/// Where a read found a value. As long as the secret's record has the same revision, the same question has the same answer.
package struct ValueLocation: Hashable, Sendable {
    fileprivate let row: [UInt8]
    fileprivate let revision: UInt64
    fileprivate let valueKey: [UInt8]
    fileprivate let ciphertextByteCount: Int
}

extension SecretStore {
    /// Lends the ciphertext of a value that was read before. Two look-ups; nothing is opened or decoded.
    ///
    /// - Returns: nil, without calling `body`, when the record of the secret has changed since, or is gone.
    package func withCiphertext<Result>(at location: ValueLocation, _ body: (RawSpan) throws -> Result) throws -> Result? {
        try environment.read { txn in
            guard let sealed = try tables.secrets.raw.get(location.row.span.bytes, in: txn),
                keyring.recordRevision(sealed) == location.revision
            else { return nil }
            guard let row = try tables.values.raw.get(location.valueKey.span.bytes, in: txn), row.byteCount > location.ciphertextByteCount else {
                throw StoreError.corrupted(table: tables.values.name)
            }
            return try body(row.extracting(last: location.ciphertextByteCount))
        }
    }

    /// The value of a version: what GetSecretValue reads. One look-up of the record and one of the value.
    ///
    /// - Returns: The value, or why there is none, in the order existence, state, version.
    package func value(at address: SecretAddress, _ selector: VersionSelector) throws -> Result<StoredValue, StoreFailure> {
        try environment.read { txn in
            let key = StateKeys.secret(address.key)
            guard let sealed = try tables.secrets.raw.get(key.span.bytes, in: txn) else { return .failure(.secretNotFound) }
            let row = try keyring.openRecord(sealed, table: tables.secrets.name, key: key.span.bytes)
            guard let revision = keyring.recordRevision(sealed) else { throw StoreError.corrupted(table: tables.secrets.name) }
            let selection = try decode(tables.secrets) { () throws(DecodingFailure) in
                try VersionSelection(decoding: row.span.bytes, selector)
            }
            let head = selection.head
            guard head.key == address.key, address.suffix == nil || address.suffix == head.suffix else { return .failure(.secretNotFound) }
            guard head.deletion == nil else { return .failure(.secretMarkedForDeletion) }
            guard let version = selection.version else {
                return .failure(selector.id.map { .versionNotFound($0) } ?? .labelNotFound(selector.label ?? .current))
            }
            if let label = selector.label, !version.labels.contains(label) { return .failure(.labelNotOnVersion) }
            guard let bytes = try tables.values.raw.get(StateKeys.number(version.valueNumber).span.bytes, in: txn) else {
                throw StoreError.corrupted(table: tables.values.name)
            }
            let value = try decode(tables.values) { () throws(DecodingFailure) in try ValueRow.decode(bytes) }
            let location = ValueLocation(
                row: key, revision: revision, valueKey: StateKeys.number(version.valueNumber), ciphertextByteCount: value.ciphertext.count)
            return .success(
                StoredValue(
                    arn: scope.arn(account: head.account, head.reference), versionID: version.id, labels: version.labels,
                    createdAt: version.createdAt, kind: version.kind, kmsKeyID: head.kmsKeyID, value: value,
                    secretLastAccessedDay: head.lastAccessedDay, versionLastAccessedDay: version.lastAccessedDay,
                    location: location))
        }
    }
}
