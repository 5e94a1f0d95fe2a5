import LMDB

/// Records and the rows that hang on them.
extension Transition {
    /// The secret that a command names: of this name, and with this ARN.
    ///
    /// - Throws: ``StoreFailure/secretNotFound``, also when the name was deleted and made again since the proposer looked.
    func existing(_ reference: SecretReference, in txn: borrowing WriteTransaction) throws -> SecretRecord {
        guard let record = try find(reference, in: txn) else { throw StoreFailure.secretNotFound }
        return record
    }

    /// The secret that a command names, which must not be scheduled for deletion. Existence is checked before state.
    func live(_ reference: SecretReference, in txn: borrowing WriteTransaction) throws -> SecretRecord {
        let record = try existing(reference, in: txn)
        guard record.deletion == nil else { throw StoreFailure.secretMarkedForDeletion }
        return record
    }

    func find(_ reference: SecretReference, in txn: borrowing WriteTransaction) throws -> SecretRecord? {
        guard let record = try store.record(SecretKey(account: mutation.account, name: reference.name), in: txn) else { return nil }
        return record.suffix == reference.suffix ? record : nil
    }

    func arn(_ record: SecretRecord) -> SecretARN { store.scope.arn(account: record.account, record.reference) }

    /// Stores a record and moves its rows in the indexes.
    ///
    /// - Parameter old: The record as it was loaded; nil for a new secret.
    mutating func save(_ record: SecretRecord, replacing old: SecretRecord?, in txn: inout WriteTransaction) throws {
        try seal(tables.secrets, key: StateKeys.secret(record.key), plaintext: record.encode(), in: &txn)
        let value = ListKey.value(record)
        for order in SecretOrder.allCases {
            let key = ListKey.key(record, order: order)
            if let old {
                let oldKey = ListKey.key(old, order: order)
                if oldKey == key, ListKey.value(old) == value { continue }
                if oldKey != key { try delete(tables.listing, key: oldKey, in: &txn) }
            }
            try put(tables.listing, key: key, value: value, in: &txn)
        }
        try moveDeletion(of: record, from: old?.deletion?.date, to: record.deletion?.date, in: &txn)
    }

    /// Removes a secret: record, index rows, policy, and the value of every version.
    mutating func remove(_ record: SecretRecord, in txn: inout WriteTransaction) throws {
        try delete(tables.secrets, key: StateKeys.secret(record.key), in: &txn)
        for order in SecretOrder.allCases { try delete(tables.listing, key: ListKey.key(record, order: order), in: &txn) }
        try moveDeletion(of: record, from: record.deletion?.date, to: nil, in: &txn)
        try delete(tables.policies, key: StateKeys.number(record.number), in: &txn)
        try removeValues(of: record.versions, in: &txn)
    }

    mutating func removeValues(of versions: [SecretVersion], in txn: inout WriteTransaction) throws {
        for version in versions { try delete(tables.values, key: StateKeys.number(version.valueNumber), in: &txn) }
    }

    private mutating func moveDeletion(
        of record: SecretRecord, from old: Timestamp?, to new: Timestamp?, in txn: inout WriteTransaction
    ) throws {
        guard old != new else { return }
        if let old { try delete(tables.deletions, key: StateKeys.deletion(date: old, secret: record.number), in: &txn) }
        if let new {
            let key = StateKeys.deletion(date: new, secret: record.number)
            try put(tables.deletions, key: key, value: StateKeys.secret(record.key), in: &txn)
        }
    }
}
