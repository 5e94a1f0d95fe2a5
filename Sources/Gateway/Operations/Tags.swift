internal import SecretStore

/// A tag as it comes in. The model requires neither member.
struct TagInput: InputStructure {
    let key: String?
    let value: String?

    init(reading members: inout Members) {
        key = members.optional("Key", Shapes.tagKey)
        value = members.optional("Value", Shapes.tagValue)
    }

    static let list = StructureListShape(TagInput.self)
}

/// AWS's tagging rules that the model does not carry (behaviour 2.5, 3.12). The texts are not known.
enum Tags {
    /// Keys with this beginning are AWS's own.
    private static let reservedPrefix = "aws:"

    /// - Throws: InvalidParameterException for a tag without key, a reserved key, a key that occurs twice, or more tags than a secret can have.
    static func parse(_ inputs: [TagInput]) throws(APIError) -> [Tag] {
        guard inputs.count <= Limits.tagsPerSecretMax else { throw APIError(.tooManyTags) }
        var tags: [Tag] = []
        var keys: Set<TagKey> = []
        for input in inputs {
            guard let text = input.key else { throw APIError(.invalidParameter, "You must provide a Key for every tag.") }
            let key = TagKey(text)
            guard !text.lowercased().hasPrefix(reservedPrefix) else {
                throw APIError(.invalidParameter, "Tag keys that begin with aws: are reserved for AWS use.")
            }
            guard keys.insert(key).inserted else { throw APIError(.invalidParameter, "Tag keys must be unique within a request.") }
            tags.append(Tag(key: key, value: input.value ?? ""))
        }
        return tags
    }
}

/// TagResource (behaviour 3.12): adds tags or overwrites the values of those that are there.
enum TagResource: Operation {
    static let name = "TagResource"

    struct Input: InputStructure {
        let secretID: String
        let tags: [TagInput]

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            tags = members.required("Tags", TagInput.list)
        }
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<NoOutput> {
        let target = try call.target(input.secretID)
        let tags = try Tags.parse(input.tags)
        return try call.change(target) { secret in .tagResource(secret, tags) }.map { outcome throws(APIError) in
            _ = try SecretOutput(outcome)
            return NoOutput()
        }
    }
}

/// UntagResource (behaviour 3.12): unknown keys are ignored.
enum UntagResource: Operation {
    static let name = "UntagResource"

    struct Input: InputStructure {
        let secretID: String
        let keys: [String]

        init(reading members: inout Members) {
            secretID = members.required("SecretId", Shapes.secretID)
            keys = members.required("TagKeys", Shapes.tagKeys)
        }
    }

    static func run(_ input: Input, _ call: Call) throws(APIError) -> Reply<NoOutput> {
        let target = try call.target(input.secretID)
        let keys = Set(input.keys.map { TagKey($0) })
        return try call.require(target).flatMap { record throws(APIError) in
            // Only keys that are there are worth a log entry, whose length is bounded; the model bounds the request's list not at all.
            let present = (record.tags ?? []).map(\.key).filter(keys.contains)
            return try call.change(target) { secret in .untagResource(secret, present) }
        }.map { outcome throws(APIError) in
            _ = try SecretOutput(outcome)
            return NoOutput()
        }
    }
}
