/// Why the state refuses a command or a query: one case per error of AWS's domain, with the data that its message needs.
///
/// The gateway makes code and text of it, in one switch.
package enum StoreFailure: Error, Hashable, Sendable {
    // MARK: Existence

    /// No secret of that name or ARN.
    case secretNotFound
    /// The secret has no version with this label.
    case labelNotFound(StagingLabel)
    /// The secret has no version of this id.
    case versionNotFound(VersionID)

    // MARK: State

    /// The secret is scheduled for deletion, and the operation is not for such a secret.
    case secretMarkedForDeletion
    /// A second `DeleteSecret` with a window.
    case secretAlreadyScheduledForDeletion
    /// `CreateSecret` with the name of a secret that is scheduled for deletion.
    case nameScheduledForDeletion
    /// `CreateSecret` with a name that is taken.
    case secretAlreadyExists(SecretName)

    // MARK: Semantic checks

    /// The token names an existing version of this secret that has another value.
    case tokenAlreadyUsed(VersionID, SecretARN)
    /// A query named a version and a label, and the version does not have it.
    case labelNotOnVersion
    /// `UpdateSecretVersionStage` would take AWSCURRENT away without giving it to another version.
    case currentLabelNotRemovable
    /// `UpdateSecretVersionStage` moves a label that is on `holder` without naming it in `RemoveFromVersionId`.
    case removeFromVersionRequired(StagingLabel, holder: VersionID)
    /// `RemoveFromVersionId` is not the version that has the label.
    case removeFromVersionMismatch(StagingLabel)
    /// `UpdateSecretVersionStage` names neither version.
    case labelMoveWithoutVersion

    // MARK: Limits

    /// The secret has ``Limits/versionsPerSecretMax`` versions, and none may be dropped yet.
    case tooManyVersions
    /// More than ``Limits/labelsPerSecretMax`` labels.
    case tooManyLabels
    /// More than ``Limits/tagsPerSecretMax`` tags.
    case tooManyTags

    // MARK: Accounts

    case accountNotFound
    case accountAlreadyExists
    /// The access key id exists in another account.
    case accessKeyInOtherAccount

    // MARK: Proposals

    /// The proposal arrived too far behind its basis: it is not executed now, and whether it was before is not known any more.
    case expired

    // MARK: Nodes

    case cluster(ClusterFailure)
}
