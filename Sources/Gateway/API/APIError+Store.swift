internal import Keyring
internal import SecretStore

extension APIError {
    /// AWS's error for each refusal of the state. No `default`: a new refusal asks for its sentence.
    init(_ failure: StoreFailure) {
        self =
            switch failure {
            case .secretNotFound: .secretNotFound
            case .labelNotFound(let label): .valueNotFound(stage: label.rawValue)
            case .versionNotFound(let id): .valueNotFound(versionID: id.rawValue)
            case .secretMarkedForDeletion: .markedForDeletion
            case .secretAlreadyScheduledForDeletion: .alreadyScheduledForDeletion
            case .nameScheduledForDeletion: .nameScheduledForDeletion
            case .secretAlreadyExists(let name): .secretExists(name: name.rawValue)
            case .tokenAlreadyUsed(let token, let arn): .tokenInUse(token: token.rawValue, arn: arn.description)
            case .labelNotOnVersion: .stageNotOnVersion
            case .currentLabelNotRemovable:
                APIError(
                    .invalidParameter,
                    "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
            case .removeFromVersionRequired(let label, let holder):
                APIError(
                    .invalidParameter,
                    "The parameter RemoveFromVersionId can't be empty. Staging label \(label) is currently attached to version \(holder), so you "
                        + "must explicitly reference that version in RemoveFromVersionId.")
            case .removeFromVersionMismatch(let label):
                APIError(
                    .invalidParameter,
                    "When you move staging label \(label), if you specify RemoveFromVersionId, it must be set to the version that currently has "
                        + "the staging label \(label).")
            // Open question 10: neither id given.
            case .labelMoveWithoutVersion:
                APIError(.invalidParameter, "You must provide at least one of MoveToVersionId and RemoveFromVersionId.")
            // Open question 8: the texts of these limits are not known.
            case .tooManyVersions:
                APIError(.limitExceeded, "You've exceeded the number of versions that a secret can have.")
            case .tooManyLabels:
                APIError(.limitExceeded, "You've exceeded the number of staging labels that can be attached to the versions of a secret.")
            case .tooManyTags:
                APIError(.invalidParameter, "A secret can have at most \(Limits.tagsPerSecretMax) tags.")
            // Commands of the operator, which no API call makes; an account that is gone takes its access keys along.
            case .accountNotFound, .accountAlreadyExists, .accessKeyInOtherAccount, .cluster: .internalFailure
            // As for `outcomeUnknown` below: whether it was executed before is not known.
            case .expired: .internalFailure
            }
    }

    /// What a write that did not get into the log is answered with.
    init(_ failure: ProposalFailure) {
        self =
            switch failure {
            // 503: SDKs try again, by which time there may be room. Reads go on.
            case .diskFull: APIError(.serviceUnavailable, "The storage is full. Writes are accepted again when there is space.")
            case .overloaded: .throttled
            case .stopping: APIError(.serviceUnavailable, "The server is shutting down.")
            case .unavailable: APIError(.serviceUnavailable, "The cluster has no leader at the moment. Try again.")
            // 500: SDKs try again with the same ClientRequestToken, which finds out.
            case .outcomeUnknown: .internalFailure
            }
    }
}
