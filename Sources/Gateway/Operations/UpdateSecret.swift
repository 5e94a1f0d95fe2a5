internal import SecretStore

/// UpdateSecret (behaviour 3.8).
enum UpdateSecret: Operation {
    static let name = "UpdateSecret"

    struct Input: InputStructure {
        let secretID: String
        let token: String?
        let description: String?
        let kmsKeyID: String?
        let value: SecretValueInput
        let type: String?

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            token = members.optional("ClientRequestToken", Shapes.clientRequestToken)
            description = members.optional("Description", Shapes.description)
            kmsKeyID = members.optional("KmsKeyId", Shapes.kmsKeyID)
            value = SecretValueInput(reading: &members)
            type = members.optional("Type", Shapes.type)
        }
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<CreateSecret.Output> {
        let target = try call.target(input.secretID)
        let token = try requireToken(input.token)
        let value = try input.value.value()
        // "" goes back to the default key, and so does the default key's alias.
        let kmsKeyID = try input.kmsKeyID.map { text throws(APIError) in try KMSKeyID.parse(text) ?? "" }
        return try call.change(target) { secret in
            .updateSecret(
                .init(
                    secret: secret, description: input.description, kmsKeyID: kmsKeyID, type: input.type,
                    version: value.map { call.newVersion(token, $0, of: secret) }))
        }.map { outcome throws(APIError) in try CreateSecret.Output(outcome) }
    }
}
