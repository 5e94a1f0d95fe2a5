/// The service's sentences, each written once. Their sources: `secretsmanager-behaviour.md`, by section.
extension APIError {
    /// 1.5: recorded for names and ids of every operation.
    static let invalidName = APIError(
        .validation, "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")

    /// 2.2.
    static let secretNotFound = APIError(.resourceNotFound, "Secrets Manager can't find the specified secret.")

    /// 3.2, no full stop in the original.
    static func valueNotFound(versionID: String) -> APIError {
        APIError(.resourceNotFound, "Secrets Manager can't find the specified secret value for VersionId: \(versionID)")
    }

    /// 3.2, no full stop in the original.
    static func valueNotFound(stage: String) -> APIError {
        APIError(.resourceNotFound, "Secrets Manager can't find the specified secret value for staging label: \(stage)")
    }

    /// 3.2.
    static let stageNotOnVersion = APIError(
        .invalidRequest, "You provided a VersionStage that is not associated to the provided VersionId.")

    /// 3.2, 3.12: every operation that a secret scheduled for deletion refuses.
    static let markedForDeletion = APIError(
        .invalidRequest, "You can't perform this operation on the secret because it was marked for deletion.")

    /// 3.10: a second DeleteSecret without force.
    static let alreadyScheduledForDeletion = APIError(
        .invalidRequest, "You can't perform this operation on the secret because it was already scheduled for deletion.")

    /// 3.1.
    static func secretExists(name: String) -> APIError {
        APIError(.resourceExists, "The operation failed because the secret \(name) already exists.")
    }

    /// 3.1; Terraform waits on "scheduled for deletion".
    static let nameScheduledForDeletion = APIError(
        .invalidRequest, "You can't create this secret because a secret with this name is already scheduled for deletion.")

    /// 2.6.
    static func tokenInUse(token: String, arn: String) -> APIError {
        APIError(
            .resourceExists,
            "You can't use ClientRequestToken \(token) because that value is already in use for a version of secret \(arn).")
    }

    /// 2.6: InvalidRequestException for CreateSecret, PutSecretValue and UpdateSecret, InvalidParameterException for RotateSecret.
    static func missingToken(_ code: Code = .invalidRequest) -> APIError {
        APIError(code, "You must provide a ClientRequestToken value. We recommend a UUID-type value.")
    }

    /// 3.1, with the straight apostrophe of today's service.
    static let bothValues = APIError(
        .invalidParameter, "You can't specify both a binary secret value and a string secret value in the same secret.")

    /// 3.7.
    static let noValue = APIError(.invalidRequest, "You must provide either SecretString or SecretBinary.")

    /// 3.16, recorded for a wrong Version and used for every fault of form.
    static let malformedPolicy = APIError(.malformedPolicyDocument, "This policy has invalid syntax.")

    /// Open question 19: the text is not known.
    static let publicPolicyRefused = APIError(
        .publicPolicy, "The resource policy grants broad access to the secret, which BlockPublicPolicy does not allow.")

    /// Open question 3: the text is not known.
    static let invalidNextToken = APIError(.invalidNextToken, "Invalid NextToken.")

    /// For a read whose last acknowledged change cannot be shown: written down, but not yet in the state.
    static let storageFull = APIError(
        .serviceUnavailable, "The storage is full. What was written last can be read again when there is space.")

    /// 1.4.
    static let throttled = APIError(.throttling, "Rate exceeded")

    /// A stored value that does not decrypt: damage, or a key that is gone. Open question 20.
    static let cannotDecrypt = APIError(
        .decryptionFailure, "Secrets Manager can't decrypt the protected secret text using the provided KMS key.")

    /// Whatever is this server's own fault. Says nothing about the reason.
    static let internalFailure = APIError(.internalServiceError, "An error occurred on the server side.")
}
