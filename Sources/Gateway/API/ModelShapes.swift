/// The shapes of AWS's model for the members of inputs, under the model's names (behaviour 1.6; botocore `2017-10-17`, and 1.44.5
/// for the newest). Every number here is AWS's.
enum Shapes {
    // Secrets and versions
    static let name = StringShape(1...512)
    static let secretID = StringShape(1...2048)
    static let clientRequestToken = StringShape(32...64)
    static let versionID = StringShape(32...64)
    static let versionStage = StringShape(1...256)
    static let versionStages = StringListShape(count: 1...20, element: versionStage)
    static let secretString = SecretTextShape(length: 1...65_536)
    static let secretBinary = SecretBlobShape(length: 1...65_536)
    static let description = StringShape(upTo: 2048)
    static let kmsKeyID = StringShape(upTo: 2048)
    static let type = StringShape(upTo: 256)
    static let secretIDList = StringListShape(count: 1...20, element: secretID)

    // Tags. The model bounds neither list; ``Tags`` does.
    static let tagKey = StringShape(1...128)
    static let tagValue = StringShape(upTo: 256)
    static let tagKeys = StringListShape(element: tagKey)

    // Listing
    static let maxResults = IntegerShape(range: 1...100)
    static let maxResultsBatch = IntegerShape(range: 1...20)
    static let nextToken = StringShape(1...4096)
    static let filterKey = StringShape(oneOf: FilterKey.allCases.map(\.rawValue))
    static let filterValues = StringListShape(count: 1...10, element: StringShape(upTo: 512, pattern: .filterValue))
    static let filters = StructureListShape(Filter.self, count: 0...10)
    static let sortBy = StringShape(oneOf: SortBy.allCases.map(\.rawValue))
    static let sortOrder = StringShape(oneOf: SortOrder.allCases.map(\.rawValue))

    // Policies
    static let resourcePolicy = StringShape(1...20_480)
    static let policyName = StringShape(1...64, pattern: .policyName)

    // Random passwords
    static let passwordLength = IntegerShape(range: 1...4096, width: .long)
    static let excludeCharacters = StringShape(upTo: 4096)

    // Deletion. The model has no bounds; 7...30 is the service's own rule.
    static let recoveryWindowInDays = IntegerShape(width: .long)

    // Rotation
    static let rotationLambdaARN = StringShape(upTo: 2048)
    static let roleARN = StringShape(20...2048)
    static let rotationToken = SecretTextShape(length: 36...256, pattern: .rotationToken)
    static let automaticallyAfterDays = IntegerShape(range: 1...1000, width: .long)
    static let duration = StringShape(2...3, pattern: .duration)
    static let scheduleExpression = StringShape(1...256, pattern: .scheduleExpression)

    // Replication
    static let region = StringShape(1...128, pattern: .region)
    static let removeReplicaRegions = StringListShape(count: 1...Int.max, element: region)
    static let secretARN = StringShape(20...2048)

    /// Members whose JSON strings are read into ``SecretBytes``, wherever they stand.
    static let secretMembers = ["SecretString", "SecretBinary", "RotationToken"]
}
