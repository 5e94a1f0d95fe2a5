internal import SecretStore

/// UpdateSecretVersionStage (behaviour 3.9, labels 2.7).
enum UpdateSecretVersionStage: Operation {
    static let name = "UpdateSecretVersionStage"

    struct Input: InputStructure {
        let secretID: String
        let stage: String
        let removeFromVersionID: String?
        let moveToVersionID: String?

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            stage = members.required("VersionStage", Shapes.versionStage)
            removeFromVersionID = members.optional("RemoveFromVersionId", Shapes.versionID)
            moveToVersionID = members.optional("MoveToVersionId", Shapes.versionID)
        }
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<SecretOutput> {
        let target = try call.target(input.secretID)
        return try call.change(target) { secret in
            .updateSecretVersionStage(
                .init(
                    secret: secret, stage: StagingLabel(input.stage), moveTo: input.moveToVersionID.map { VersionID($0) },
                    removeFrom: input.removeFromVersionID.map { VersionID($0) }))
        }.map { outcome throws(APIError) in try SecretOutput(outcome) }
    }
}

extension SecretOutput {
    /// For commands that answer with ARN and name.
    init(_ outcome: Outcome) throws(APIError) {
        switch outcome {
        case .secret(let arn): self.init(arn)
        case .failed(let failure): throw APIError(failure)
        case .version, .deletion, .done, .node: throw .internalFailure
        }
    }
}
