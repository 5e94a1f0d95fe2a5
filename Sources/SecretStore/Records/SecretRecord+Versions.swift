/// Versions: how one is added, and which ones make room for it.
extension SecretRecord {
    /// Adds a version and labels it.
    ///
    /// - Parameters:
    ///   - new: The version as the proposer made it.
    ///   - valueNumber: Key of the row that its value goes to.
    /// - Returns: The versions that were dropped to make room; their values must go as well.
    /// - Throws: ``StoreFailure/tooManyVersions``, ``StoreFailure/tooManyLabels``; the record is half changed then, drop it.
    mutating func add(
        _ new: NewVersion, stages: [StagingLabel]?, valueNumber: UInt64, at time: Timestamp
    ) throws(StoreFailure) -> [SecretVersion] {
        let dropped = try makeRoomForVersion(at: time)
        versions.append(
            SecretVersion(
                id: new.id, createdAt: time, lastAccessedDay: nil, labels: [], kind: new.kind, fingerprint: new.fingerprint,
                valueNumber: valueNumber, kmsKeyID: kmsKeyID))
        label(newVersion: versions.endIndex - 1, requested: stages)
        guard labelCount <= Limits.labelsPerSecretMax else { throw .tooManyLabels }
        return dropped
    }

    /// Drops the oldest unlabelled versions of more than a day until one more fits (reference, section 2.5).
    private mutating func makeRoomForVersion(at time: Timestamp) throws(StoreFailure) -> [SecretVersion] {
        var dropped: [SecretVersion] = []
        while versions.count >= Limits.versionsPerSecretMax {
            let oldest = versions.firstIndex {
                $0.labels.isEmpty && $0.createdAt.adding(milliseconds: Limits.versionAgeBeforeRemovalMilliseconds) <= time
            }
            guard let oldest else { throw .tooManyVersions }
            dropped.append(versions.remove(at: oldest))
        }
        return dropped
    }

    /// What a repeated `ClientRequestToken` means (reference, section 2.6).
    ///
    /// - Returns: The version that the token made, if its value is the same; nil if the token is new.
    /// - Throws: ``StoreFailure/tokenAlreadyUsed(_:_:)`` if its value is another one.
    func version(madeBy new: NewVersion, in scope: ARNScope) throws(StoreFailure) -> SecretVersion? {
        guard let version = version(new.id) else { return nil }
        // The fingerprint covers the kind as well.
        guard version.fingerprint == new.fingerprint else {
            throw .tokenAlreadyUsed(new.id, scope.arn(account: account, reference))
        }
        return version
    }

    /// A change of the KMS key: it holds for versions to come, and for those with one of AWS's three labels, which AWS
    /// encrypts again (UpdateSecret `KmsKeyId`).
    mutating func useKMSKey(_ id: String?) {
        kmsKeyID = id
        for label in [StagingLabel.current, .pending, .previous] {
            if let holder = holder(of: label) { versions[holder].kmsKeyID = id }
        }
    }
}

/// Tags.
extension SecretRecord {
    /// Adds tags or replaces the values of those that are there, which keep their place.
    mutating func add(_ new: [Tag]) throws(StoreFailure) -> Bool {
        guard !new.isEmpty else { return false }
        let before = tags
        var tags = before ?? []
        for tag in new {
            if let index = tags.firstIndex(where: { $0.key == tag.key }) { tags[index] = tag } else { tags.append(tag) }
        }
        guard tags.count <= Limits.tagsPerSecretMax else { throw .tooManyTags }
        self.tags = tags
        return tags != before
    }

    /// Removes tags; unknown keys are ignored.
    mutating func removeTags(_ keys: [TagKey]) -> Bool {
        guard let before = tags else { return false }
        let after = before.filter { !keys.contains($0.key) }
        tags = after
        return after != before
    }
}
