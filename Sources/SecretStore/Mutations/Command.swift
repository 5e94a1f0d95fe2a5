package import Keyring
package import OpenSSL

/// What a mutation does. Members that are nil were not in the request.
///
/// The proposer has checked the form of every member (lengths, characters, ranges); `apply` decides everything that depends on
/// the state.
package enum Command: Equatable, Sendable {
    case createSecret(CreateSecret)
    case putSecretValue(PutSecretValue)
    case updateSecret(UpdateSecret)
    case updateSecretVersionStage(UpdateSecretVersionStage)
    case deleteSecret(SecretReference, DeletionMode)
    case restoreSecret(SecretReference)
    /// Adds tags, or replaces the values of those that are there.
    case tagResource(SecretReference, [Tag])
    /// Unknown keys are ignored.
    case untagResource(SecretReference, [TagKey])
    /// Replaces the policy `default`, the only one that can be put.
    case putResourcePolicy(SecretReference, policy: String)
    case deleteResourcePolicy(SecretReference)
    /// Moves `LastAccessedDate` of secrets and versions forward to a day; what is gone or was read later is passed over.
    case recordAccess([AccessMark], day: UTCDay)
    /// Removes a secret whose deletion date has come by the mutation's time; does nothing otherwise.
    case purgeDeletedSecret(SecretReference)
    case createAccount
    /// Makes or replaces an access key of the mutation's account.
    case putAccessKey(PutAccessKey)
    /// Changes the registry of nodes; the mutation's account plays no part.
    case cluster(ClusterCommand)
}

/// A value to be stored as a version, encrypted for the ARN of its secret, its version id, its kind, and a creation time that is
/// the mutation's `at`.
package struct NewVersion: Equatable, Sendable {
    /// The `ClientRequestToken`.
    package var id: VersionID
    package var kind: ValueKind
    package var value: EncryptedValue
    /// Keyed hash of account, name, id, kind and value: tells a repeated request from a token used again.
    package var fingerprint: Digest

    package init(id: VersionID, kind: ValueKind, value: EncryptedValue, fingerprint: Digest) {
        self.id = id
        self.kind = kind
        self.value = value
        self.fingerprint = fingerprint
    }
}

package struct CreateSecret: Equatable, Sendable {
    /// Name, and the suffix for a new ARN; without effect when the secret turns out to exist.
    package var secret: SecretReference
    /// "" equals none.
    package var description: String?
    /// "" equals none: the default key.
    package var kmsKeyID: String?
    package var tags: [Tag]
    /// Partner of an external secret (`Type`).
    package var type: String?
    /// nil: a secret without any version.
    package var version: NewVersion?

    package init(
        secret: SecretReference, description: String? = nil, kmsKeyID: String? = nil, tags: [Tag] = [], type: String? = nil,
        version: NewVersion? = nil
    ) {
        self.secret = secret
        self.description = description
        self.kmsKeyID = kmsKeyID
        self.tags = tags
        self.type = type
        self.version = version
    }
}

package struct PutSecretValue: Equatable, Sendable {
    package var secret: SecretReference
    package var version: NewVersion
    /// `VersionStages`; nil or empty: the new version becomes AWSCURRENT.
    package var stages: [StagingLabel]?

    package init(secret: SecretReference, version: NewVersion, stages: [StagingLabel]? = nil) {
        self.secret = secret
        self.version = version
        self.stages = stages
    }
}

package struct UpdateSecret: Equatable, Sendable {
    package var secret: SecretReference
    /// "" removes it.
    package var description: String?
    /// "" goes back to the default key.
    package var kmsKeyID: String?
    package var type: String?
    package var version: NewVersion?

    package init(
        secret: SecretReference, description: String? = nil, kmsKeyID: String? = nil, type: String? = nil, version: NewVersion? = nil
    ) {
        self.secret = secret
        self.description = description
        self.kmsKeyID = kmsKeyID
        self.type = type
        self.version = version
    }
}

package struct UpdateSecretVersionStage: Equatable, Sendable {
    package var secret: SecretReference
    package var stage: StagingLabel
    package var moveTo: VersionID?
    package var removeFrom: VersionID?

    package init(secret: SecretReference, stage: StagingLabel, moveTo: VersionID? = nil, removeFrom: VersionID? = nil) {
        self.secret = secret
        self.stage = stage
        self.moveTo = moveTo
        self.removeFrom = removeFrom
    }
}

/// How a secret goes away.
package enum DeletionMode: Equatable, Sendable {
    /// After a window of days in which it can be restored (7 to 30 with AWS; the proposer checks).
    case afterWindow(days: UInt8)
    /// At once, also when it is scheduled already or not there (`ForceDeleteWithoutRecovery`).
    case immediately
}

/// One read of a secret's value.
package struct AccessMark: Hashable, Sendable {
    package var secret: SecretReference
    package var version: VersionID

    package init(secret: SecretReference, version: VersionID) {
        self.secret = secret
        self.version = version
    }
}

package struct PutAccessKey: Equatable, Sendable {
    /// The access key id.
    package var id: String
    /// The secret half, wrapped by the keyring for this id and account.
    package var wrappedSecret: [UInt8]
    package var isActive: Bool

    package init(id: String, wrappedSecret: [UInt8], isActive: Bool) {
        self.id = id
        self.wrappedSecret = wrappedSecret
        self.isActive = isActive
    }
}
