import LMDB

/// UpdateSecretVersionStage, TagResource, UntagResource, PutResourcePolicy, DeleteResourcePolicy, and reads that are remembered.
extension Transition {
    mutating func updateSecretVersionStage(_ command: UpdateSecretVersionStage, in txn: inout WriteTransaction) throws -> Outcome {
        try change(command.secret, in: &txn) { record throws(StoreFailure) in
            try record.move(command.stage, to: command.moveTo, from: command.removeFrom)
        }
    }

    mutating func tagResource(_ secret: SecretReference, _ tags: [Tag], in txn: inout WriteTransaction) throws -> Outcome {
        try change(secret, in: &txn) { record throws(StoreFailure) in try record.add(tags) }
    }

    mutating func untagResource(_ secret: SecretReference, _ keys: [TagKey], in txn: inout WriteTransaction) throws -> Outcome {
        try change(secret, in: &txn) { $0.removeTags(keys) }
    }

    /// Changes the record of a live secret and stores it if `body` says that something changed.
    private mutating func change(
        _ secret: SecretReference, in txn: inout WriteTransaction, _ body: (inout SecretRecord) throws(StoreFailure) -> Bool
    ) throws -> Outcome {
        let old = try live(secret, in: txn)
        var record = old
        guard try body(&record) else { return .secret(arn(old)) }
        record.touch(at: mutation.at)
        try save(record, replacing: old, in: &txn)
        return .secret(arn(record))
    }

    // MARK: Resource policy

    mutating func putResourcePolicy(_ policy: String, on secret: SecretReference, in txn: inout WriteTransaction) throws -> Outcome {
        let record = try live(secret, in: txn)
        try seal(tables.policies, key: StateKeys.number(record.number), plaintext: [UInt8](policy.utf8), in: &txn)
        return try touch(record, in: &txn)
    }

    mutating func deleteResourcePolicy(of secret: SecretReference, in txn: inout WriteTransaction) throws -> Outcome {
        let record = try live(secret, in: txn)
        let key = StateKeys.number(record.number)
        guard try tables.policies.raw.contains(key.span.bytes, in: txn) else { return .secret(arn(record)) }
        try delete(tables.policies, key: key, in: &txn)
        return try touch(record, in: &txn)
    }

    private mutating func touch(_ old: SecretRecord, in txn: inout WriteTransaction) throws -> Outcome {
        var record = old
        record.touch(at: mutation.at)
        try save(record, replacing: old, in: &txn)
        return .secret(arn(record))
    }

    // MARK: Reads

    /// A read is not a modification: `LastChangedDate` stays. Marks of secrets and versions that are gone are passed over.
    mutating func recordAccess(_ marks: [AccessMark], on day: UTCDay, in txn: inout WriteTransaction) throws -> Outcome {
        for mark in marks {
            guard let old = try find(mark.secret, in: txn), let index = old.index(of: mark.version) else { continue }
            var record = old
            record.lastAccessedDay = day.later(than: record.lastAccessedDay)
            record.versions[index].lastAccessedDay = day.later(than: record.versions[index].lastAccessedDay)
            guard record != old else { continue }
            try save(record, replacing: old, in: &txn)
        }
        return .done
    }
}

extension UTCDay {
    /// The later one of two days.
    fileprivate func later(than other: UTCDay?) -> UTCDay { other.map { Swift.max($0, self) } ?? self }
}
