internal import SecretStore

/// CreateSecret (behaviour 3.1).
enum CreateSecret: Operation {
    static let name = "CreateSecret"

    struct Input: InputStructure {
        let name: String
        let token: String?
        let description: String?
        let kmsKeyID: String?
        let value: SecretValueInput
        let tags: [TagInput]?
        let replicaRegions: [ReplicaRegion]?
        let type: String?
        let crossAccountPrimaryARN: String?

        init(reading members: inout Members) {
            name = members.required("Name", Shapes.name)
            token = members.optional("ClientRequestToken", Shapes.clientRequestToken)
            description = members.optional("Description", Shapes.description)
            kmsKeyID = members.optional("KmsKeyId", Shapes.kmsKeyID)
            value = SecretValueInput(reading: &members)
            tags = members.optional("Tags", TagInput.list)
            replicaRegions = members.optional("AddReplicaRegions", ReplicaRegion.list)
            _ = members.flag("ForceOverwriteReplicaSecret")
            type = members.optional("Type", Shapes.type)
            crossAccountPrimaryARN = members.optional("CrossAccountPrimaryARN", Shapes.secretARN)
        }
    }

    struct Output: OutputStructure {
        let secret: SecretOutput
        /// Absent when no value was given.
        let versionID: String?

        func write(to json: inout JSONWriter) {
            secret.write(to: &json)
            if let versionID { json.member("VersionId", versionID) }
        }
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<Output> {
        guard let name = SecretName(input.name) else { throw .invalidName }
        let token = try requireToken(input.token)
        let value = try input.value.value()
        if let regions = input.replicaRegions {
            try ReplicaRegion.check(regions, call)
            throw .notOffered("CreateSecret with AddReplicaRegions")
        }
        guard input.crossAccountPrimaryARN == nil else { throw .notOffered("CreateSecret with CrossAccountPrimaryARN") }
        let tags = try Tags.parse(input.tags ?? [])
        let kmsKeyID = try KMSKeyID.parse(input.kmsKeyID ?? "")
        let secret = SecretReference(name: name, suffix: .random())
        let version = value.map { call.newVersion(token, $0, of: secret) }
        let command = Command.createSecret(
            .init(
                secret: secret, description: input.description, kmsKeyID: kmsKeyID, tags: tags, type: input.type.flatMap { $0.isEmpty ? nil : $0 },
                version: version))
        return try call.propose(command).map { outcome throws(APIError) in try Output(outcome) }
    }
}

extension CreateSecret.Output {
    /// Also the answer of UpdateSecret: the version is named only if the call made one (or had made it).
    init(_ outcome: Outcome) throws(APIError) {
        switch outcome {
        case .secret(let arn): self.init(secret: SecretOutput(arn), versionID: nil)
        case .version(let arn, let id, _): self.init(secret: SecretOutput(arn), versionID: id.rawValue)
        case .failed(let failure): throw APIError(failure)
        case .deletion, .done, .node: throw .internalFailure
        }
    }
}
