/// The limits that `apply` and the codecs enforce. AWS counts most texts in characters; a codec counts bytes, so it admits
/// four times as many (the most that UTF-8 needs per character).
package enum Limits {
    private static let bytesPerCharacter = 4

    // MARK: Decided in `apply`

    /// Versions of one secret ("about 100", Secrets Manager quotas).
    package static let versionsPerSecretMax = 100
    /// No version younger than this is dropped to make room (Secrets Manager: none created less than 24 hours ago).
    package static let versionAgeBeforeRemovalMilliseconds: Int64 = 24 * 60 * 60 * 1000
    /// Staging labels across all versions of a secret (Secrets Manager quotas).
    package static let labelsPerSecretMax = 20
    /// Tags of one secret (AWS tagging rules).
    package static let tagsPerSecretMax = 50

    // MARK: Of a list page

    /// Records that one page of `ListSecrets` may open while it looks for matches.
    package static let recordsExaminedPerPageMax = 2_500
    /// Index entries that one page may pass over because they are scheduled for deletion (they are not opened).
    package static let entriesSkippedPerPageMax = 50_000
    /// Secrets of one page (Secrets Manager, `MaxResults`).
    package static let secretsPerPageMax = 100

    // MARK: Checked by the codecs, in bytes of UTF-8 unless said otherwise

    /// Secret name: 512 characters, all ASCII (Secrets Manager API, CreateSecret `Name`).
    package static let nameBytesMax = 512
    /// `Description`: 2,048 characters.
    static let descriptionBytesMax = 2_048 * bytesPerCharacter
    /// `KmsKeyId`: 2,048 characters.
    static let kmsKeyIDBytesMax = 2_048 * bytesPerCharacter
    /// `Type`: 256 characters.
    static let typeBytesMax = 256 * bytesPerCharacter
    /// Tag key: 128 characters.
    static let tagKeyBytesMax = 128 * bytesPerCharacter
    /// Tag value: 256 characters.
    static let tagValueBytesMax = 256 * bytesPerCharacter
    /// Keys in one `UntagResource`; more than a secret can have tags is pointless but not an error of AWS's.
    static let tagKeysPerRequestMax = 1_000
    /// `ClientRequestToken`, `VersionId`: 64 characters.
    static let versionIDBytesMax = 64 * bytesPerCharacter
    /// `VersionStage`: 256 characters.
    static let labelBytesMax = 256 * bytesPerCharacter
    /// `ResourcePolicy`: 20,480 characters.
    static let policyBytesMax = 20_480 * bytesPerCharacter
    /// A value of 65,536 characters, padded and sealed.
    static let ciphertextBytesMax = 65_536 * bytesPerCharacter + 4_096
    /// A wrapped data key with its header and key reference.
    static let wrappedDataKeyBytesMax = 1_024
    /// Reference of a key-encryption key: a KMS key ARN and a version number.
    static let keyReferenceBytesMax = 2_048
    /// Partition and region names.
    static let regionBytesMax = 128
    /// Access key id (IAM: 16 to 128 characters).
    static let accessKeyIDBytesMax = 128
    /// A wrapped access-key secret.
    static let wrappedCredentialBytesMax = 4_096
    /// Marks in one `recordAccess` command.
    package static let accessMarksPerCommandMax = 500

    // MARK: Of the registry of nodes

    /// Join tokens that are not forgotten yet.
    package static let joinTokensMax = 256
    /// How long a join token is remembered behind its end: 1 day.
    package static let joinTokenRetentionMilliseconds: Int64 = 86_400_000
    /// Name of a node, in bytes.
    package static let nodeNameBytesMax = 128
    /// Version that a node reports, in bytes.
    package static let nodeVersionBytesMax = 64
    /// Certificates in PEM, in bytes: two authorities while one replaces the other.
    static let certificateBytesMax = 16_384
    /// A sealed private key, in bytes.
    static let sealedPrivateKeyBytesMax = 4_096

    // MARK: Of the state machine

    /// How many log positions back a repeated proposal id is recognised, and how far behind its basis a proposal is executed.
    static let proposalsRemembered: UInt64 = 16_384
    /// The encoded membership of the cluster, in bytes.
    package static let membershipBytesMax = 64 << 10
    /// What a caller may attach to an image of the state, in bytes: a membership and its frame.
    package static let snapshotAttachmentBytesMax = 2 * membershipBytesMax
}
