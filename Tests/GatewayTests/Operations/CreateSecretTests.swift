import Testing

@testable import Gateway

@Suite("CreateSecret", .timeLimit(.minutes(1)))
struct CreateSecretTests {
    let service: TestService
    init() throws { service = try TestService() }

    @Test func `a value makes a version that is named by the token`() async throws {
        let token = newToken()
        let made = try await service.ok("CreateSecret", ["Name": "a/b", "SecretString": "v", "ClientRequestToken": token])
        #expect(made.names == ["ARN", "Name", "VersionId"])
        #expect(made.string("VersionId") == token)
        let arn = try #require(made.string("ARN"))
        #expect(arn.hasPrefix("arn:aws:secretsmanager:us-east-1:123456789012:secret:a/b-"))
        #expect(arn.split(separator: "-").last?.count == 6)
        #expect(try await service.stages("a/b") == [token: ["AWSCURRENT"]])
    }

    @Test func `without a value there is no version`() async throws {
        let made = try await service.ok("CreateSecret", ["Name": "empty", "ClientRequestToken": newToken()])
        #expect(made.names == ["ARN", "Name"])
        let described = try await service.ok("DescribeSecret", ["SecretId": "empty"])
        #expect(described.names == ["ARN", "Name", "CreatedDate", "LastChangedDate"])
    }

    @Test func `what was given comes back in DescribeSecret`() async throws {
        let tags = [["Key": "b", "Value": "1"], ["Key": "a", "Value": ""]]
        try await service.create("s", "v", ["Description": "words", "KmsKeyId": "alias/mine", "Tags": tags, "Type": "Partner"])
        let described = try await service.ok("DescribeSecret", ["SecretId": "s"])
        #expect(described.string("Description") == "words")
        #expect(described.string("KmsKeyId") == "alias/mine")
        #expect(described.string("Type") == "Partner")
        #expect(described.json["Tags"] as? [[String: String]] == tags)
    }

    @Test(arguments: [
        "", "alias/aws/secretsmanager", "arn:aws:kms:us-east-1:123456789012:alias/aws/secretsmanager",
    ])
    func `the default key is not echoed`(_ key: String) async throws {
        try await service.create("s", "v", ["KmsKeyId": key, "Description": ""])
        #expect(try await service.ok("DescribeSecret", ["SecretId": "s"]).names.isDisjoint(with: ["KmsKeyId", "Description"]))
    }

    @Test(arguments: [
        "11111111-2222-3333-4444-555555555555", "mrk-1234abcd12ab34cd56ef1234567890ab", "alias/a/b_c-d",
        "arn:aws:kms:eu-west-1:210987654321:key/11111111-2222-3333-4444-555555555555", "arn:aws-cn:kms:cn-north-1:123456789012:alias/x",
    ])
    func `every form of a key's name is kept`(_ key: String) async throws {
        try await service.create("s", "v", ["KmsKeyId": key])
        #expect(try await service.ok("DescribeSecret", ["SecretId": "s"]).string("KmsKeyId") == key)
    }

    @Test(arguments: [
        "a key", "alias/", "alias/a b", "key/123", "arn:aws:kms:us-east-1:123456789012:key/", "arn:aws:s3:us-east-1:123456789012:key/a",
        "arn:aws:kms:us-east-1:1234:key/a", "arn:aws:kms::123456789012:key/a", "x\u{0}y", "schlüssel",
    ])
    func `text that names no key is refused`(_ key: String) async throws {
        let answer = try await service.call("CreateSecret", ["Name": "s", "ClientRequestToken": newToken(), "KmsKeyId": key])
        #expect(answer.refusal.type == "InvalidParameterException")
    }

    @Test(arguments: ["in ner", " x", "x ", "*", "?", "]", "\\", "a:b", "nul\u{0}", "é", "e\u{301}", "🔑", "%2e", "\u{202e}x"])
    func `a name of other characters is refused before the token is missed`(_ name: String) async throws {
        #expect(try await service.call("CreateSecret", ["Name": name]).refusal == .invalidName)
    }

    @Test(arguments: [
        "a", "/leading", "trailing/", "a//b", "..", "Valid/_+=.@-Name", "rds!cluster-1", String(repeating: "n", count: 512),
        "Name-a1b2c3", "ends-a1b2",
    ])
    func `a valid name is found by name and by full ARN`(_ name: String) async throws {
        try await service.create(name)
        let arn = try #require(try await service.ok("GetSecretValue", ["SecretId": name]).string("ARN"))
        #expect(try await service.ok("GetSecretValue", ["SecretId": arn]).string("Name") == name)
    }

    static let refusals: [([String: any Sendable], Refusal)] = [
        (["Name": "x", "SecretString": "v"], .request("You must provide a ClientRequestToken value. We recommend a UUID-type value.")),
        (["Name": "x"], .request("You must provide a ClientRequestToken value. We recommend a UUID-type value.")),
        (
            ["Name": "x", "SecretString": "v", "SecretBinary": "dg==", "ClientRequestToken": newToken()],
            .parameter("You can't specify both a binary secret value and a string secret value in the same secret.")
        ),
        (
            ["Name": "x", "AddReplicaRegions": [["Region": "eu-west-1"]], "ClientRequestToken": newToken()],
            .request("This server does not offer CreateSecret with AddReplicaRegions yet.")
        ),
        (
            ["Name": "x", "AddReplicaRegions": [["Region": "us-east-1"]], "ClientRequestToken": newToken()],
            .parameter("Invalid replica region.")
        ),
        (
            [
                "Name": "x", "CrossAccountPrimaryARN": "arn:aws:secretsmanager:us-east-1:210987654321:secret:p-abcdef",
                "ClientRequestToken": newToken(),
            ], .request("This server does not offer CreateSecret with CrossAccountPrimaryARN yet.")
        ),
        (["Name": "x", "ClientRequestToken": newToken(), "Tags": [["Value": "v"]]], .parameter("You must provide a Key for every tag.")),
        (
            ["Name": "x", "ClientRequestToken": newToken(), "Tags": [["Key": "AWS:k", "Value": "v"]]],
            .parameter("Tag keys that begin with aws: are reserved for AWS use.")
        ),
        (
            ["Name": "x", "ClientRequestToken": newToken(), "Tags": [["Key": "k", "Value": "1"], ["Key": "k", "Value": "2"]]],
            .parameter("Tag keys must be unique within a request.")
        ),
        (
            ["Name": "x", "ClientRequestToken": newToken(), "Tags": (0..<51).map { ["Key": "k\($0)", "Value": ""] }],
            .parameter("A secret can have at most 50 tags.")
        ),
    ]

    @Test(arguments: refusals.indices)
    func `a broken rule is named, and nothing is made`(_ row: Int) async throws {
        let (members, refusal) = Self.refusals[row]
        #expect(try await service.call("CreateSecret", members).refusal == refusal)
        #expect(try await service.call("DescribeSecret", ["SecretId": "x"]).refusal == .notFound)
    }

    @Test func `a taken name is refused`() async throws {
        try await service.create("s")
        let again: [String: any Sendable] = ["Name": "s", "SecretString": "w", "ClientRequestToken": newToken()]
        #expect(
            try await service.call("CreateSecret", again).refusal
                == .service("ResourceExistsException", "The operation failed because the secret s already exists."))
        try await service.ok("DeleteSecret", ["SecretId": "s"])
        #expect(
            try await service.call("CreateSecret", again).refusal
                == .request("You can't create this secret because a secret with this name is already scheduled for deletion."))
    }

    @Test func `the same token and value again is the same answer`() async throws {
        let request: [String: any Sendable] = ["Name": "s", "SecretString": "v", "ClientRequestToken": newToken()]
        let first = try await service.ok("CreateSecret", request)
        service.advance(milliseconds: 10)
        #expect(try await service.ok("CreateSecret", request).body == first.body)
    }

    @Test func `the same token with another value is refused`() async throws {
        let token = try await service.create("s")
        let arn = try #require(try await service.ok("DescribeSecret", ["SecretId": "s"]).string("ARN"))
        let answer = try await service.call("CreateSecret", ["Name": "s", "SecretString": "other", "ClientRequestToken": token])
        #expect(
            answer.refusal
                == .service(
                    "ResourceExistsException",
                    "You can't use ClientRequestToken \(token) because that value is already in use for a version of secret \(arn)."))
    }
}
