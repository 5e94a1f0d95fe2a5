internal import SecretStore

/// The name of a secret's only policy (behaviour section 10; model 1.44.5).
enum PolicyName {
    static let `default` = "default"

    /// For Put and Delete: another name than `default` cannot be written.
    static func checkWritable(_ name: String?) throws(APIError) {
        guard name == nil || name == `default` else {
            throw APIError(.invalidParameter, "The only policy name that can be put or deleted is \(`default`).")
        }
    }
}

/// ARN, Name, and the policy's name, which is always the same one. Older models do not have the last member and ignore it.
struct PolicyOutput: OutputStructure {
    let secret: SecretOutput

    func write(to json: inout JSONWriter) {
        secret.write(to: &json)
        json.member("PolicyName", PolicyName.default)
    }
}

/// PutResourcePolicy (behaviour 3.16): replaces the whole policy.
enum PutResourcePolicy: Operation {
    static let name = "PutResourcePolicy"

    struct Input: InputStructure {
        let secretID: String
        let policy: String
        let blocksPublicPolicy: Bool
        let policyName: String?

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            policy = members.required("ResourcePolicy", Shapes.resourcePolicy)
            blocksPublicPolicy = members.flag("BlockPublicPolicy")
            policyName = members.optional("PolicyName", Shapes.policyName)
        }
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<PolicyOutput> {
        let target = try call.target(input.secretID)
        try PolicyName.checkWritable(input.policyName)
        // The order of the checks on the document and on the secret is not known. A secret that is not there says so first, so that nobody
        // mends a document in vain; its state is for `apply` to see.
        return try call.require(target).flatMap { _ throws(APIError) in
            let form = try PolicyForm(input.policy)
            guard !(input.blocksPublicPolicy && form.isPublic) else { throw .publicPolicyRefused }
            return try call.change(target) { secret in .putResourcePolicy(secret, policy: input.policy) }
        }.map { outcome throws(APIError) in PolicyOutput(secret: try SecretOutput(outcome)) }
    }
}

/// DeleteResourcePolicy (behaviour 3.16): succeeds without a policy, too.
enum DeleteResourcePolicy: Operation {
    static let name = "DeleteResourcePolicy"

    static func run(_ input: PolicyInput, _ call: Call) throws(APIError) -> Reply<PolicyOutput> {
        let target = try call.target(input.secretID)
        try PolicyName.checkWritable(input.policyName)
        return try call.change(target) { secret in .deleteResourcePolicy(secret) }.map { outcome throws(APIError) in
            PolicyOutput(secret: try SecretOutput(outcome))
        }
    }
}

/// A secret, and perhaps the name of one of its policies.
struct PolicyInput: InputStructure {
    let secretID: String
    let policyName: String?

    init(reading members: inout Members) {
        secretID = members.required("SecretId", Shapes.secretID)
        policyName = members.optional("PolicyName", Shapes.policyName)
    }
}

/// GetResourcePolicy (behaviour 3.16). Terraform calls it at every refresh: no policy is no error.
enum GetResourcePolicy: Operation {
    static let name = "GetResourcePolicy"

    struct Output: OutputStructure {
        let names: PolicyOutput
        let policy: String?

        func write(to json: inout JSONWriter) {
            names.write(to: &json)
            if let policy { json.member("ResourcePolicy", policy) }
        }

        var capacityHint: Int { 512 + 2 * (policy?.utf8.count ?? 0) }
    }

    static func run(_ input: PolicyInput, _ call: Call) throws(APIError) -> Reply<Output> {
        let target = try call.target(input.secretID)
        return try call.policy(target).map { found throws(APIError) in
            guard input.policyName == nil || input.policyName == PolicyName.default else {
                throw APIError(.resourceNotFound, "Secrets Manager can't find the specified resource policy.")
            }
            return Output(names: PolicyOutput(secret: SecretOutput(found.arn)), policy: found.policy)
        }
    }
}

/// ListResourcePolicies (behaviour section 10): at most one entry, so never a second page.
enum ListResourcePolicies: Operation {
    static let name = "ListResourcePolicies"

    struct Input: InputStructure {
        let secretID: String
        let nextToken: String?

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            _ = members.optional("MaxResults", Shapes.maxResults)
            nextToken = members.optional("NextToken", Shapes.nextToken)
        }
    }

    struct Output: OutputStructure {
        let policyNames: [String]

        func write(to json: inout JSONWriter) {
            json.name("ResourcePolicies")
            json.beginArray()
            for name in policyNames {
                json.beginObject()
                json.member("PolicyName", name)
                json.endObject()
            }
            json.endArray()
        }
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<Output> {
        let target = try call.target(input.secretID)
        guard input.nextToken == nil else { throw .invalidNextToken }
        return try call.policy(target).map { found in Output(policyNames: found.policy == nil ? [] : [PolicyName.default]) }
    }
}

/// ValidateResourcePolicy (behaviour 3.16).
///
/// Open question 19: a document with a fault of form is answered with the MalformedPolicyDocumentException that the model declares for this
/// operation, a broad one with an entry in ValidationErrors. Whether the caller would lock itself out is checked once policies are
/// evaluated.
enum ValidateResourcePolicy: Operation {
    static let name = "ValidateResourcePolicy"

    struct Input: InputStructure {
        let secretID: String?
        let policy: String

        init(reading members: inout Members) {
            secretID = members.optional("SecretId", Shapes.secretID)
            policy = members.required("ResourcePolicy", Shapes.resourcePolicy)
        }
    }

    struct Output: OutputStructure {
        let errors: [(check: String, message: String)]

        func write(to json: inout JSONWriter) {
            json.member("PolicyValidationPassed", errors.isEmpty)
            json.name("ValidationErrors")
            json.beginArray()
            for error in errors {
                json.beginObject()
                json.member("CheckName", error.check)
                json.member("ErrorMessage", error.message)
                json.endObject()
            }
            json.endArray()
        }
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<Output> {
        guard let secretID = input.secretID else { return .now(try validate(input.policy)) }
        let target = try call.target(secretID)
        return try call.require(target).map { secret throws(APIError) in
            guard secret.deletion == nil else { throw .markedForDeletion }
            return try validate(input.policy)
        }
    }

    private static func validate(_ policy: String) throws(APIError) -> Output {
        guard try PolicyForm(policy).isPublic else { return Output(errors: []) }
        return Output(errors: [(check: "PUBLIC_POLICY_CHECK", message: "The resource policy grants broad access to the secret.")])
    }
}
