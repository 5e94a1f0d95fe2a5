import Testing

@testable import Gateway

@Suite("PutSecretValue, UpdateSecret and UpdateSecretVersionStage", .timeLimit(.minutes(1)))
struct WritingTests {
    let service: TestService
    init() throws { service = try TestService() }

    @Test func `a put makes the new version current and answers its labels`() async throws {
        let first = try await service.create("s")
        let token = newToken()
        let put = try await service.ok("PutSecretValue", ["SecretId": "s", "SecretString": "w", "ClientRequestToken": token])
        #expect(put.names == ["ARN", "Name", "VersionId", "VersionStages"])
        #expect(put.json["VersionStages"] as? [String] == ["AWSCURRENT"])
        #expect(try await service.stages("s") == [token: ["AWSCURRENT"], first: ["AWSPREVIOUS"]])
    }

    @Test func `labels of a put are sorted and answered as they are now`() async throws {
        try await service.create("s")
        let request: [String: any Sendable] = [
            "SecretId": "s", "SecretString": "w", "ClientRequestToken": newToken(), "VersionStages": ["Z", "AWSPENDING", "B"],
        ]
        #expect(try await service.ok("PutSecretValue", request).json["VersionStages"] as? [String] == ["AWSPENDING", "B", "Z"])
        try await service.put("s", "x", stages: ["Z"])
        #expect(try await service.ok("PutSecretValue", request).json["VersionStages"] as? [String] == ["AWSPENDING", "B"])
    }

    @Test func `a put keeps its rules in AWS's order`() async throws {
        let id = try await service.create("s")
        let arn = try #require(try await service.ok("DescribeSecret", ["SecretId": "s"]).string("ARN"))
        let noToken = Refusal.request("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
        let rows: [([String: any Sendable], Refusal)] = [
            (["SecretId": "in valid"], .invalidName), (["SecretId": "none", "SecretString": "v"], noToken),
            (["SecretId": "none", "ClientRequestToken": newToken()], .request("You must provide either SecretString or SecretBinary.")),
            (
                ["SecretId": "none", "ClientRequestToken": newToken(), "SecretString": "v", "SecretBinary": "dg=="],
                .parameter("You can't specify both a binary secret value and a string secret value in the same secret.")
            ),
            (["SecretId": "none", "ClientRequestToken": newToken(), "SecretString": "v"], .notFound),
            (
                ["SecretId": "s", "ClientRequestToken": id, "SecretString": "w"],
                .service(
                    "ResourceExistsException",
                    "You can't use ClientRequestToken \(id) because that value is already in use for a version of secret \(arn).")
            ),
        ]
        for (members, refusal) in rows { #expect(try await service.call("PutSecretValue", members).refusal == refusal) }
        try await service.ok("DeleteSecret", ["SecretId": "s"])
        let put: [String: any Sendable] = ["SecretId": "s", "SecretString": "w", "ClientRequestToken": newToken()]
        #expect(try await service.call("PutSecretValue", put).refusal == .markedForDeletion)
        #expect(try await service.call("UpdateSecret", put).refusal == .markedForDeletion)
    }

    @Test func `a secret may change between text and bytes`() async throws {
        try await service.create("s", "text")
        try await service.ok("PutSecretValue", ["SecretId": "s", "SecretBinary": "AAEC", "ClientRequestToken": newToken()])
        #expect(try await service.ok("GetSecretValue", ["SecretId": "s"]).string("SecretBinary") == "AAEC")
        #expect(
            try await service.ok("GetSecretValue", ["SecretId": "s", "VersionStage": "AWSPREVIOUS"]).string("SecretString") == "text")
    }

    @Test func `too many labels and too many versions are LimitExceeded`() async throws {
        try await service.create("s")
        // With AWSCURRENT and AWSPREVIOUS, which the next value brings about, the 20 labels are there.
        try await service.put("s", "w", stages: (0..<18).map { "L\($0)" })
        try await service.put("s")
        let more = try await service.call(
            "PutSecretValue", ["SecretId": "s", "SecretString": "x", "ClientRequestToken": newToken(), "VersionStages": ["ONE-MORE"]])
        #expect(more.refusal.type == "LimitExceededException")
        for _ in 3..<100 { try await service.put("s") }
        let full = try await service.call("PutSecretValue", ["SecretId": "s", "SecretString": "x", "ClientRequestToken": newToken()])
        #expect(full.refusal.type == "LimitExceededException")
    }

    // MARK: UpdateSecret

    @Test func `an update names a version only if it made one`() async throws {
        try await service.create("s")
        let token = newToken()
        let value = try await service.ok("UpdateSecret", ["SecretId": "s", "SecretString": "w", "ClientRequestToken": token])
        #expect(value.names == ["ARN", "Name", "VersionId"])
        #expect(value.string("VersionId") == token)
        for members: [String: any Sendable] in [["Description": "d"], ["KmsKeyId": "alias/k"], ["Type": "T"], [:]] {
            let answer = try await service.ok("UpdateSecret", members.merging(["SecretId": "s", "ClientRequestToken": newToken()]) { $1 })
            #expect(answer.names == ["ARN", "Name"])
        }
        let described = try await service.ok("DescribeSecret", ["SecretId": "s"])
        #expect(described.string("Description") == "d")
        #expect(described.string("KmsKeyId") == "alias/k")
        #expect(described.string("Type") == "T")
    }

    @Test(arguments: ["", "alias/aws/secretsmanager"])
    func `an update back to the default key and to no description removes both`(_ key: String) async throws {
        try await service.create("s", "v", ["Description": "d", "KmsKeyId": "alias/k"])
        try await service.ok("UpdateSecret", ["SecretId": "s", "Description": "", "KmsKeyId": key, "ClientRequestToken": newToken()])
        #expect(try await service.ok("DescribeSecret", ["SecretId": "s"]).names.isDisjoint(with: ["Description", "KmsKeyId"]))
        #expect(try await service.ok("GetSecretValue", ["SecretId": "s"]).string("SecretString") == "v")
    }

    @Test func `an update's token and key are checked before the secret is looked up`() async throws {
        #expect(
            try await service.call("UpdateSecret", ["SecretId": "none"]).refusal
                == .request("You must provide a ClientRequestToken value. We recommend a UUID-type value."))
        #expect(try await service.call("UpdateSecret", ["SecretId": "none", "ClientRequestToken": newToken()]).refusal == .notFound)
        let bad = try await service.call("UpdateSecret", ["SecretId": "none", "ClientRequestToken": newToken(), "KmsKeyId": "a key"])
        #expect(bad.refusal.type == "InvalidParameterException")
    }

    // MARK: UpdateSecretVersionStage

    @Test func `a label moves, and AWS's sentences say why not`() async throws {
        let first = try await service.create("s")
        let second = try await service.put("s", "w", stages: ["X"])
        let moved = try await service.ok(
            "UpdateSecretVersionStage",
            ["SecretId": "s", "VersionStage": "AWSCURRENT", "MoveToVersionId": second, "RemoveFromVersionId": first])
        #expect(moved.names == ["ARN", "Name"])
        #expect(try await service.stages("s") == [first: ["AWSPREVIOUS"], second: ["AWSCURRENT", "X"]])
        let unknown = newToken()
        let third = try await service.put("s", "y", stages: ["Y"])
        let rows: [([String: any Sendable], Refusal)] = [
            (
                ["VersionStage": "X", "MoveToVersionId": first],
                .parameter(
                    "The parameter RemoveFromVersionId can't be empty. Staging label X is currently attached to version \(second), so you must "
                        + "explicitly reference that version in RemoveFromVersionId.")
            ),
            (
                ["VersionStage": "X", "MoveToVersionId": third, "RemoveFromVersionId": first],
                .parameter(
                    "When you move staging label X, if you specify RemoveFromVersionId, it must be set to the version that currently has the "
                        + "staging label X.")
            ),
            (
                ["VersionStage": "AWSCURRENT", "RemoveFromVersionId": second],
                .parameter("You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
            ),
            (
                ["VersionStage": "NEW", "MoveToVersionId": unknown],
                .service("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: \(unknown)")
            ),
            (["VersionStage": "X"], .parameter("You must provide at least one of MoveToVersionId and RemoveFromVersionId.")),
        ]
        for (members, refusal) in rows {
            #expect(try await service.call("UpdateSecretVersionStage", members.merging(["SecretId": "s"]) { $1 }).refusal == refusal, "\(members)")
        }
        #expect(
            try await service.call("UpdateSecretVersionStage", ["SecretId": "none", "VersionStage": "X", "MoveToVersionId": unknown]).refusal
                == .notFound)
    }
}
