import LMDB

/// DeleteSecret, RestoreSecret, and the removal of secrets whose window has passed.
extension Transition {
    mutating func scheduleDeletion(of secret: SecretReference, days: Int, in txn: inout WriteTransaction) throws -> Outcome {
        let old = try existing(secret, in: txn)
        guard old.deletion == nil else { throw StoreFailure.secretAlreadyScheduledForDeletion }
        var record = old
        let deletion = SecretRecord.Deletion(requestedAt: mutation.at, date: mutation.at.adding(days: days))
        record.deletion = deletion
        record.touch(at: mutation.at)
        try save(record, replacing: old, in: &txn)
        return .deletion(arn(record), deletionDate: deletion.date)
    }

    /// Succeeds also for a secret that is not there any more: AWS answers as if it had existed (reference, 3.10).
    mutating func deleteImmediately(_ secret: SecretReference, in txn: inout WriteTransaction) throws -> Outcome {
        if let record = try find(secret, in: txn) { try remove(record, in: &txn) }
        return .deletion(store.scope.arn(account: mutation.account, secret), deletionDate: mutation.at)
    }

    /// A secret that is not scheduled is left as it is, and that is a success (reference, 3.11: open).
    mutating func restoreSecret(_ secret: SecretReference, in txn: inout WriteTransaction) throws -> Outcome {
        let old = try existing(secret, in: txn)
        guard old.deletion != nil else { return .secret(arn(old)) }
        var record = old
        record.deletion = nil
        record.touch(at: mutation.at)
        try save(record, replacing: old, in: &txn)
        return .secret(arn(record))
    }

    /// Checks again: the secret may have been restored, or its deletion put off, since the proposer looked.
    mutating func purgeDeletedSecret(_ secret: SecretReference, in txn: inout WriteTransaction) throws -> Outcome {
        guard let record = try find(secret, in: txn), let deletion = record.deletion, deletion.date <= mutation.at else { return .done }
        try remove(record, in: &txn)
        return .done
    }
}
