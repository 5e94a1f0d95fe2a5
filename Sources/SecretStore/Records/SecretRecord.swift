package import Keyring
package import OpenSSL

/// Everything about one secret but its values and its resource policy: one sealed row.
///
/// A value, without any I/O: `apply` loads it, changes it by the rules in its extensions, and stores it.
package struct SecretRecord: Equatable, Sendable {
    /// The secret's number in this cluster: never reused, and the order of creation. Keys its other rows.
    package var number: UInt64
    package var account: AccountID
    package var name: SecretName
    package var suffix: ARNSuffix
    /// Never changes.
    package var createdAt: Timestamp
    /// Strictly increases with every modification, also when the clocks of proposers do not.
    package var changedAt: Timestamp
    /// The last UTC day on which the value was read; nil if it never was.
    package var lastAccessedDay: UTCDay?
    /// Not nil while the secret is scheduled for deletion.
    package var deletion: Deletion?
    /// nil when never given or given as "".
    package var description: String?
    /// As the caller wrote it; nil for the default key.
    package var kmsKeyID: String?
    /// Partner of an external secret.
    package var type: String?
    /// In the order they were added. nil if the secret never had a tag; empty after the last one was removed: AWS shows the difference.
    package var tags: [Tag]?
    /// In the order they were written.
    package var versions: [SecretVersion]

    /// A scheduled deletion.
    package struct Deletion: Equatable, Sendable {
        /// When it was requested: the `DeletedDate` of Describe and List (reference, section 9.12).
        package var requestedAt: Timestamp
        /// When the secret goes: the `DeletionDate` of DeleteSecret.
        package var date: Timestamp
    }

    package var reference: SecretReference { SecretReference(name: name, suffix: suffix) }
    package var key: SecretKey { SecretKey(account: account, name: name) }

    /// The version that has a label.
    package func version(labelled label: StagingLabel) -> SecretVersion? { versions.first { $0.labels.contains(label) } }

    package func version(_ id: VersionID) -> SecretVersion? { versions.first { $0.id == id } }

    /// Moves ``changedAt`` on: to the mutation's time, or a millisecond beyond the last change if that clock lags.
    mutating func touch(at time: Timestamp) {
        changedAt = max(time, changedAt.adding(milliseconds: 1))
    }
}

/// One version of a secret's value, without the value.
package struct SecretVersion: Equatable, Sendable {
    package var id: VersionID
    /// The mutation's time, which the value is encrypted for.
    package var createdAt: Timestamp
    package var lastAccessedDay: UTCDay?
    /// Sorted by their bytes. Empty: the version is deprecated, hidden by default, and may be dropped when room is needed.
    package var labels: [StagingLabel]
    package var kind: ValueKind
    package var fingerprint: Digest
    /// Key of the value's row.
    var valueNumber: UInt64
    /// The secret's KMS key when the version was encrypted; nil for the default key.
    package var kmsKeyID: String?
}

/// Name of a secret within the cluster.
package struct SecretKey: Hashable, Sendable {
    package var account: AccountID
    package var name: SecretName

    package init(account: AccountID, name: SecretName) {
        self.account = account
        self.name = name
    }
}
