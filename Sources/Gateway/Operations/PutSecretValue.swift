internal import SecretStore

/// PutSecretValue (behaviour 3.7, labels 2.7).
enum PutSecretValue: Operation {
    static let name = "PutSecretValue"

    struct Input: InputStructure {
        let secretID: String
        let token: String?
        let value: SecretValueInput
        let stages: [String]?

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            token = members.optional("ClientRequestToken", Shapes.clientRequestToken)
            value = SecretValueInput(reading: &members)
            stages = members.optional("VersionStages", Shapes.versionStages)
            // Only rotation hands such tokens out; until then its form is all that can be checked.
            _ = members.optional("RotationToken", Shapes.rotationToken)
        }
    }

    struct Output: OutputStructure {
        let secret: SecretOutput
        let versionID: VersionID
        /// The labels that the version has now.
        let stages: [StagingLabel]

        func write(to json: inout JSONWriter) {
            secret.write(to: &json)
            json.member("VersionId", versionID.rawValue)
            if !stages.isEmpty { json.member("VersionStages", texts: stages) }
        }
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<Output> {
        let target = try call.target(input.secretID)
        let token = try requireToken(input.token)
        guard let value = try input.value.value() else { throw .noValue }
        let stages = input.stages.map { $0.map { StagingLabel($0) } }
        return try call.change(target) { secret in
            .putSecretValue(.init(secret: secret, version: call.newVersion(token, value, of: secret), stages: stages))
        }.map { outcome throws(APIError) in
            switch outcome {
            case .version(let arn, let id, let stages): return Output(secret: SecretOutput(arn), versionID: id, stages: stages)
            case .failed(let failure): throw APIError(failure)
            case .secret, .deletion, .done, .node: throw .internalFailure
            }
        }
    }
}
