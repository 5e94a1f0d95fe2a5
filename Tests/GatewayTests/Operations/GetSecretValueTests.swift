import Foundation
import SecretStore
import Testing

@testable import Gateway

@Suite("GetSecretValue", .timeLimit(.minutes(1)))
struct GetSecretValueTests {
    let service: TestService
    init() throws { service = try TestService() }

    @Test func `a text comes with its version, labels and date`() async throws {
        let token = try await service.create("s", "héllo \"x\"")
        service.advance(milliseconds: 5_000)
        let read = try await service.ok("GetSecretValue", ["SecretId": "s"])
        #expect(read.names == ["ARN", "Name", "VersionId", "SecretString", "VersionStages", "CreatedDate"])
        #expect(read.string("SecretString") == "héllo \"x\"")
        #expect(read.string("VersionId") == token)
        #expect(read.json["VersionStages"] as? [String] == ["AWSCURRENT"])
        #expect(read.body.contains(#""CreatedDate":1767323045.678"#))
        #expect(read.contentType == "application/x-amz-json-1.1")
    }

    @Test func `bytes travel as base64 in both directions`() async throws {
        let bytes = Data(0...255).base64EncodedString()
        try await service.ok("CreateSecret", ["Name": "s", "SecretBinary": bytes, "ClientRequestToken": newToken()])
        let read = try await service.ok("GetSecretValue", ["SecretId": "s"])
        #expect(read.string("SecretBinary") == bytes)
        #expect(read.string("SecretString") == nil)
    }

    @Test func `a version is chosen by id, by label, or by both`() async throws {
        let first = try await service.create("s", "one")
        let second = try await service.put("s", "two")
        let third = try await service.put("s", "three", stages: ["X"])
        let rows: [([String: any Sendable], String, String)] = [
            ([:], "two", second), (["VersionId": first], "one", first), (["VersionStage": "AWSPREVIOUS"], "one", first),
            (["VersionStage": "X"], "three", third), (["VersionId": third, "VersionStage": "X"], "three", third),
        ]
        for (members, value, id) in rows {
            let read = try await service.ok("GetSecretValue", members.merging(["SecretId": "s"]) { $1 })
            #expect(read.string("SecretString") == value)
            #expect(read.string("VersionId") == id)
        }
    }

    @Test func `a version without labels has no VersionStages`() async throws {
        let first = try await service.create("s", "one")
        try await service.put("s")
        try await service.put("s")
        #expect(try await service.ok("GetSecretValue", ["SecretId": "s", "VersionId": first]).json["VersionStages"] == nil)
    }

    @Test func `what is not there is said in AWS's words`() async throws {
        let id = try await service.create("s")
        try await service.ok("CreateSecret", ["Name": "empty", "ClientRequestToken": newToken()])
        let unknown = newToken()
        let rows: [([String: any Sendable], Refusal)] = [
            (["SecretId": "other"], .notFound),
            (
                ["SecretId": "empty"],
                .service("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")
            ),
            (
                ["SecretId": "s", "VersionStage": "NONE"],
                .service("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: NONE")
            ),
            (
                ["SecretId": "s", "VersionId": unknown],
                .service("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: \(unknown)")
            ),
            (
                ["SecretId": "s", "VersionId": unknown, "VersionStage": "AWSCURRENT"],
                .service("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: \(unknown)")
            ),
            (
                ["SecretId": "s", "VersionId": id, "VersionStage": "AWSPREVIOUS"],
                .request("You provided a VersionStage that is not associated to the provided VersionId.")
            ),
        ]
        for (members, refusal) in rows {
            #expect(try await service.call("GetSecretValue", members).refusal == refusal)
        }
        try await service.ok("DeleteSecret", ["SecretId": "s"])
        #expect(try await service.call("GetSecretValue", ["SecretId": "s"]).refusal == .markedForDeletion)
    }

    @Test func `a partial ARN finds a secret unless its name looks like a suffix`() async throws {
        try await service.create("plain")
        try await service.create("Name-a1b2c3")
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
        #expect(try await service.call("GetSecretValue", ["SecretId": arn + "plain"]).status == 200)
        #expect(try await service.call("GetSecretValue", ["SecretId": arn + "Name-a1b2c3"]).refusal == .notFound)
        #expect(try await service.call("GetSecretValue", ["SecretId": "Name-a1b2c3"]).status == 200)
    }

    @Test(arguments: [
        ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-abcdef", Refusal.notFound),
        ("arn:aws-cn:secretsmanager:us-east-1:123456789012:secret:s-abcdef", .notFound),
        ("arn:aws:secretsmanager:us-east-1:123456789012:secret:s-zzzzzz", .notFound),
        ("arn:aws:ssm:us-east-1:123456789012:secret:s", .invalidName),
        ("arn:aws:secretsmanager:us-east-1:123456789012:secret:s:AWSCURRENT", .invalidName),
        ("arn:aws:secretsmanager:us-east-1:123456789012:secret:s-??????", .invalidName),
        ("arn:aws:secretsmanager:us-east-1:1234:secret:s", .invalidName), ("ARN:AWS:SECRETSMANAGER:US-EAST-1:123456789012:SECRET:S", .invalidName),
        ("a secret", .invalidName),
        (
            "arn:aws:secretsmanager:us-east-1:210987654321:secret:s-abcdef",
            Refusal.service(
                "AccessDeniedException",
                "User: arn:aws:iam::123456789012:root is not authorized to perform: secretsmanager:GetSecretValue on resource: "
                    + "arn:aws:secretsmanager:us-east-1:210987654321:secret:s-abcdef because no resource-based policy allows the "
                    + "secretsmanager:GetSecretValue action")
        ),
    ])
    func `an id that is not this secret's never finds it`(_ id: String, _ refusal: Refusal) async throws {
        try await service.create("s")
        #expect(try await service.call("GetSecretValue", ["SecretId": id]).refusal == refusal)
    }

    @Test func `a read shows in LastAccessedDate at once, and still when it is stored`() async throws {
        let id = try await service.create("s")
        #expect(try await service.ok("DescribeSecret", ["SecretId": "s"]).json["LastAccessedDate"] == nil)
        try await service.ok("GetSecretValue", ["SecretId": "s"])
        let day = Double(1_767_312_000)
        for _ in 0..<2 {
            #expect(try await service.ok("DescribeSecret", ["SecretId": "s"]).json["LastAccessedDate"] as? Double == day)
            #expect(try await service.ok("ListSecrets").list("SecretList").first?["LastAccessedDate"] as? Double == day)
            let versions = try await service.ok("ListSecretVersionIds", ["SecretId": "s"]).list("Versions")
            #expect(versions.first?["LastAccessedDate"] as? Double == day)
            #expect(versions.first?["VersionId"] as? String == id)
            service.recorder.flush()
        }
    }

    // MARK: BatchGetSecretValue

    @Test func `a batch reads what it can and says why the rest is missing`() async throws {
        try await service.create("a", "1")
        try await service.create("b", "2")
        try await service.ok("CreateSecret", ["Name": "empty", "ClientRequestToken": newToken()])
        try await service.create("gone", "3")
        try await service.ok("DeleteSecret", ["SecretId": "gone"])
        let foreign = "arn:aws:secretsmanager:us-east-1:210987654321:secret:s-abcdef"
        let batch = try await service.ok("BatchGetSecretValue", ["SecretIdList": ["b", "none", "a", "gone", "empty", "in valid", foreign]])
        #expect(batch.names == ["SecretValues", "Errors"])
        #expect(batch.list("SecretValues").map { $0["SecretString"] as? String } == ["2", "1"])
        #expect(Set(batch.list("SecretValues")[0].keys) == ["ARN", "Name", "VersionId", "SecretString", "VersionStages", "CreatedDate"])
        let errors = batch.list("Errors")
        #expect(errors.map { $0["SecretId"] as? String } == ["none", "gone", "empty", "in valid", foreign])
        #expect(
            errors.map { $0["ErrorCode"] as? String } == [
                "ResourceNotFoundException", "InvalidRequestException", "ResourceNotFoundException", "ValidationException",
                "AccessDeniedException",
            ])
        #expect(errors[0]["Message"] as? String == "Secrets Manager can't find the specified secret.")
        #expect((errors[4]["Message"] as? String)?.contains("secretsmanager:GetSecretValue") == true)
    }

    @Test func `a batch by filters comes in pages`() async throws {
        for index in 0..<5 { try await service.create("in/\(index)", "v\(index)") }
        try await service.create("out")
        try await service.create("in/deleted")
        try await service.ok("DeleteSecret", ["SecretId": "in/deleted"])
        var values: [String] = []
        var members: [String: any Sendable] = ["Filters": [filter("name", ["in/"])], "MaxResults": 2]
        for _ in 0..<3 {
            let page = try await service.ok("BatchGetSecretValue", members)
            #expect(page.list("SecretValues").count <= 2)
            #expect(page.json["Errors"] as? [String] == [])
            values += page.list("SecretValues").compactMap { $0["SecretString"] as? String }
            members["NextToken"] = page.string("NextToken")
        }
        #expect(members["NextToken"] == nil)
        #expect(values == ["v0", "v1", "v2", "v3", "v4"])
    }

    @Test func `a batch says which of its members exclude each other`() async throws {
        let either = Refusal.parameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
        let rows: [([String: any Sendable], Refusal)] = [
            ([:], either), (["SecretIdList": ["a"], "Filters": [filter("name", ["a"])]], either),
            (
                ["SecretIdList": ["a"], "MaxResults": 2],
                .parameter("'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.")
            ),
            (["SecretIdList": ["a"], "NextToken": "x"], .nextToken),
        ]
        for (members, refusal) in rows { #expect(try await service.call("BatchGetSecretValue", members).refusal == refusal) }
    }
}
