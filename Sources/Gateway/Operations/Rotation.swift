/// RotateSecret (behaviour 3.13): checked, then refused.
enum RotateSecret: OperationNotOffered {
    static let name = "RotateSecret"

    struct Input: InputStructure {
        let secretID: String
        let token: String?
        let lambdaARN: String?
        let rules: RotationRules?

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            token = members.optional("ClientRequestToken", Shapes.clientRequestToken)
            lambdaARN = members.optional("RotationLambdaARN", Shapes.rotationLambdaARN)
            rules = members.optional("RotationRules", StructureShape(RotationRules.self))
            _ = members.optional("ExternalSecretRotationMetadata", ExternalRotationItem.list)
            _ = members.optional("ExternalSecretRotationRoleArn", Shapes.roleARN)
            _ = members.flag("RotateImmediately", default: true)
        }
    }

    static func secretID(_ input: Input) -> String { input.secretID }

    static func checkBeforeLookup(_ input: Input, _ call: Call) throws(APIError) {
        _ = try requireToken(input.token, orElse: .invalidParameter)
    }

    static func checkAfterLookup(_ input: Input, _ call: Call) throws(APIError) {
        if let rules = input.rules, rules.automaticallyAfterDays != nil, rules.scheduleExpression != nil {
            throw APIError(.invalidParameter, "You cannot specify both rotation frequency and schedule expression together.")
        }
        // No secret has a function stored.
        guard let lambdaARN = input.lambdaARN, !lambdaARN.isEmpty else {
            throw APIError(.invalidRequest, "No Lambda rotation function ARN is associated with this secret.")
        }
    }
}

/// `RotationRulesType`.
struct RotationRules: InputStructure {
    let automaticallyAfterDays: Int64?
    let scheduleExpression: String?

    init(reading members: inout Members) {
        automaticallyAfterDays = members.optional("AutomaticallyAfterDays", Shapes.automaticallyAfterDays)
        _ = members.optional("Duration", Shapes.duration)
        scheduleExpression = members.optional("ScheduleExpression", Shapes.scheduleExpression)
    }
}

/// `ExternalSecretRotationMetadataItem`.
struct ExternalRotationItem: InputStructure {
    static let list = StructureListShape(ExternalRotationItem.self)

    init(reading members: inout Members) {
        _ = members.optional("Key", StringShape(1...256))
        _ = members.optional("Value", StringShape(1...2048))
    }
}

/// CancelRotateSecret (behaviour 3.14): checked, then refused.
enum CancelRotateSecret: OperationNotOffered {
    static let name = "CancelRotateSecret"

    typealias Input = SecretIDInput

    static func secretID(_ input: SecretIDInput) -> String { input.secretID }
}
