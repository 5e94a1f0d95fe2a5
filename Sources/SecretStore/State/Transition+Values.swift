import LMDB

/// CreateSecret, PutSecretValue, UpdateSecret.
extension Transition {
    mutating func createSecret(_ command: CreateSecret, in txn: inout WriteTransaction) throws -> Outcome {
        let key = SecretKey(account: mutation.account, name: command.secret.name)
        if let existing = try store.record(key, in: txn) { return try repeated(command, existing) }
        var record = SecretRecord(
            number: position.nextSecretNumber, account: key.account, name: key.name, suffix: command.secret.suffix, createdAt: mutation.at,
            changedAt: mutation.at, lastAccessedDay: nil, deletion: nil, description: command.description?.nonEmpty,
            kmsKeyID: command.kmsKeyID?.nonEmpty, type: command.type?.nonEmpty, tags: nil, versions: [])
        _ = try record.add(command.tags)
        guard let version = command.version else {
            try insert(record, in: &txn)
            return .secret(arn(record))
        }
        _ = try record.add(version, stages: nil, valueNumber: nextValueNumber, at: mutation.at)
        try insert(record, in: &txn)
        try store(version.value, in: &txn)
        return .version(arn(record), version.id, stages: [.current])
    }

    private mutating func insert(_ record: SecretRecord, in txn: inout WriteTransaction) throws {
        _ = takeSecretNumber()
        try save(record, replacing: nil, in: &txn)
    }

    /// A creation of a name that exists: a repetition of the request that made one of its versions, or an error (reference, 3.1).
    private func repeated(_ command: CreateSecret, _ existing: SecretRecord) throws(StoreFailure) -> Outcome {
        guard existing.deletion == nil else { throw .nameScheduledForDeletion }
        guard let new = command.version, let made = try existing.version(madeBy: new, in: store.scope) else {
            throw .secretAlreadyExists(existing.name)
        }
        return .version(arn(existing), made.id, stages: made.labels)
    }

    mutating func putSecretValue(_ command: PutSecretValue, in txn: inout WriteTransaction) throws -> Outcome {
        let old = try live(command.secret, in: txn)
        if let made = try old.version(madeBy: command.version, in: store.scope) { return .version(arn(old), made.id, stages: made.labels) }
        return try write(command.version, stages: command.stages, to: old, replacing: old, in: &txn)
    }

    mutating func updateSecret(_ command: UpdateSecret, in txn: inout WriteTransaction) throws -> Outcome {
        let old = try live(command.secret, in: txn)
        if let new = command.version, let made = try old.version(madeBy: new, in: store.scope) {
            return .version(arn(old), made.id, stages: made.labels)
        }
        var record = old
        if let description = command.description { record.description = description.nonEmpty }
        if let kmsKeyID = command.kmsKeyID { record.useKMSKey(kmsKeyID.nonEmpty) }
        if let type = command.type { record.type = type.nonEmpty }
        if let version = command.version { return try write(version, stages: nil, to: record, replacing: old, in: &txn) }
        let isEmpty = command.description == nil && command.kmsKeyID == nil && command.type == nil
        guard !isEmpty else { return .secret(arn(old)) }
        record.touch(at: mutation.at)
        try save(record, replacing: old, in: &txn)
        return .secret(arn(record))
    }

    /// Adds a version to a record that may have been changed already, and stores both.
    private mutating func write(
        _ version: NewVersion, stages: [StagingLabel]?, to changed: SecretRecord, replacing old: SecretRecord,
        in txn: inout WriteTransaction
    ) throws -> Outcome {
        var record = changed
        let dropped = try record.add(version, stages: stages, valueNumber: nextValueNumber, at: mutation.at)
        record.touch(at: mutation.at)
        try removeValues(of: dropped, in: &txn)
        try save(record, replacing: old, in: &txn)
        try store(version.value, in: &txn)
        return .version(arn(record), version.id, stages: record.version(version.id)?.labels ?? [])
    }
}

extension String {
    /// AWS treats an empty description, key id or type as none.
    var nonEmpty: String? { utf8.isEmpty ? nil : self }
}
