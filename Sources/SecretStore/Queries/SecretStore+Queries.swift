import LMDB
import OpenSSL

/// Queries: synchronous, on any thread, each on one snapshot of the last commit. Ask ``Applier/isVisible(_:)`` first.
///
/// All throw `LMDBError`, `KeyringError` or ``StoreError`` when the state cannot be read.
extension SecretStore {
    /// The record of a secret, scheduled for deletion or not; nil if there is none of that name and suffix.
    package func record(at address: SecretAddress) throws -> SecretRecord? {
        try environment.read { txn in try record(at: address, in: txn) }
    }

    private func record(at address: SecretAddress, in txn: borrowing ReadTransaction) throws -> SecretRecord? {
        guard let record = try record(address.key, in: txn) else { return nil }
        return address.suffix == nil || address.suffix == record.suffix ? record : nil
    }

    /// The full ARN of a record.
    package func arn(of record: SecretRecord) -> SecretARN { scope.arn(account: record.account, record.reference) }

    /// A resource policy and the secret it is on; nil if there is no such secret.
    package func policy(at address: SecretAddress) throws -> StoredPolicy? {
        try environment.read { txn in
            guard let record = try record(at: address, in: txn) else { return nil }
            let text = try open(tables.policies, key: StateKeys.number(record.number), in: txn)
            return StoredPolicy(
                arn: arn(of: record), isScheduledForDeletion: record.deletion != nil,
                policy: text.map { String(decoding: $0, as: UTF8.self) })
        }
    }

    /// Secrets whose deletion date has come, the most overdue first.
    package func dueDeletions(by time: Timestamp, limit: Int) throws -> [SecretARN] {
        try environment.read { txn in
            var due: [SecretARN] = []
            try tables.deletions.raw.forEach(in: txn) { key, row in
                guard due.count < limit, let date = StateKeys.number(decoding: key.extracting(first: 8)) else { return .stop }
                guard date <= UInt64(time.millisecondsSince1970) else { return .stop }
                guard let record = try record(row: row.withUnsafeBytes { [UInt8]($0) }, in: txn) else {
                    throw StoreError.corrupted(table: tables.deletions.name)
                }
                due.append(arn(of: record))
                return .continue
            }
            return due
        }
    }

    /// An access key by its id, in whatever account.
    package func accessKey(_ id: String) throws -> StoredAccessKey? {
        // LMDB has no empty keys; the length keeps a hostile id from its error.
        guard (1...Limits.accessKeyIDBytesMax).contains(id.utf8.count) else { return nil }
        return try environment.read { txn in try accessKey(id, in: txn) }
    }

    /// Every account, ascending.
    package func accounts() throws -> [AccountID] {
        try environment.read { txn in
            var accounts: [AccountID] = []
            try tables.accounts.raw.forEach(in: txn) { key, _ in
                guard let account = StateKeys.number(decoding: key).flatMap({ AccountID(rawValue: $0) }) else {
                    throw StoreError.corrupted(table: tables.accounts.name)
                }
                accounts.append(account)
                return .continue
            }
            return accounts
        }
    }
}

/// A resource policy as it is stored.
package struct StoredPolicy: Equatable, Sendable {
    package var arn: SecretARN
    package var isScheduledForDeletion: Bool
    /// The text as it was put; nil if there is none.
    package var policy: String?
}
