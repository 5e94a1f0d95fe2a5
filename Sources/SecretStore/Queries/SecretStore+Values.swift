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

    /// What the value decrypts for.
    package var context: ValueContext {
        ValueContext(
            arn: arn.description, versionID: versionID.rawValue, kind: kind,
            createdAtMilliseconds: createdAt.millisecondsSince1970)
    }
}

extension SecretStore {
    /// The value of a version: what GetSecretValue reads. One look-up of the record and one of the value.
    ///
    /// - Returns: The value, or why there is none, in the order existence, state, version.
    package func value(at address: SecretAddress, _ selector: VersionSelector) throws -> Result<StoredValue, StoreFailure> {
        try environment.read { txn in
            guard let row = try open(tables.secrets, key: StateKeys.secret(address.key), in: txn) else { return .failure(.secretNotFound) }
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
            return .success(
                StoredValue(
                    arn: scope.arn(account: head.account, head.reference), versionID: version.id, labels: version.labels,
                    createdAt: version.createdAt, kind: version.kind, kmsKeyID: head.kmsKeyID, value: value,
                    secretLastAccessedDay: head.lastAccessedDay, versionLastAccessedDay: version.lastAccessedDay))
        }
    }
}
