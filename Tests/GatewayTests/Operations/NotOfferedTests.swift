import Testing

@testable import Gateway

@Suite("Operations of later versions: checked, then refused", .timeLimit(.minutes(1)))
struct NotOfferedTests {
    static let lambda = "arn:aws:lambda:us-east-1:123456789012:function:f"
    static let replica = "arn:aws:secretsmanager:us-east-1:210987654321:secret:s-abcdef"

    /// An operation, and members that make the call complete.
    static let operations: [(name: String, members: [String: any Sendable])] = [
        ("RotateSecret", ["ClientRequestToken": newToken(), "RotationLambdaARN": lambda, "RotationRules": ["AutomaticallyAfterDays": 30]]),
        ("CancelRotateSecret", [:]), ("ReplicateSecretToRegions", ["AddReplicaRegions": [["Region": "eu-west-1"]]]),
        ("RemoveRegionsFromReplication", ["RemoveReplicaRegions": ["eu-west-1"]]), ("StopReplicationToReplica", [:]),
        ("AssociateCrossAccountReplica", ["CrossAccountReplicaARN": replica]), ("DisassociateCrossAccountReplica", ["CrossAccountReplicaARN": replica]),
    ]

    @Test(arguments: operations.indices)
    func `the call is checked as if it were offered`(_ row: Int) async throws {
        let (name, members) = Self.operations[row]
        let service = try TestService()
        try await service.create("s")
        func refusal(of id: String) async throws -> Refusal {
            try await service.call(name, members.merging(["SecretId": id]) { $1 }).refusal
        }
        #expect(try await refusal(of: "s") == .request("This server does not offer \(name) yet."))
        #expect(try await refusal(of: "none") == .notFound)
        #expect(try await refusal(of: "in valid") == .invalidName)
        #expect(
            try await service.call(name, members).refusal.frontMessage?.contains("Value null at 'secretId' failed to satisfy") == true)
        try await service.ok("DeleteSecret", ["SecretId": "s"])
        #expect(try await refusal(of: "s") == .markedForDeletion)
    }

    static let refusals: [(String, [String: any Sendable], Refusal)] = [
        ("RotateSecret", ["SecretId": "none"], .parameter("You must provide a ClientRequestToken value. We recommend a UUID-type value.")),
        ("RotateSecret", ["SecretId": "s", "ClientRequestToken": newToken()], .request("No Lambda rotation function ARN is associated with this secret.")),
        (
            "RotateSecret",
            [
                "SecretId": "s", "ClientRequestToken": newToken(), "RotationLambdaARN": lambda,
                "RotationRules": ["AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(4 hours)"] as [String: any Sendable],
            ], .parameter("You cannot specify both rotation frequency and schedule expression together.")
        ),
        (
            "RotateSecret", ["SecretId": "s", "ClientRequestToken": newToken(), "RotationRules": ["AutomaticallyAfterDays": 1001]],
            .validation(
                "1 validation error detected: Value '1001' at 'rotationRules.automaticallyAfterDays' failed to satisfy constraint: Member must "
                    + "have value less than or equal to 1000")
        ),
        (
            "RotateSecret", ["SecretId": "s", "ClientRequestToken": newToken(), "RotationRules": ["Duration": "xh"]],
            .validation(
                "1 validation error detected: Value 'xh' at 'rotationRules.duration' failed to satisfy constraint: Member must satisfy regular "
                    + "expression pattern: [0-9]+h")
        ),
        (
            "ReplicateSecretToRegions", ["SecretId": "s", "AddReplicaRegions": [["Region": "us-east-1"]]], .parameter("Invalid replica region.")
        ),
        (
            "ReplicateSecretToRegions", ["SecretId": "s", "AddReplicaRegions": [["Region": "eu-west-1"], ["Region": "Mars"]]],
            .validation(
                "1 validation error detected: Value 'Mars' at 'addReplicaRegions.2.member.region' failed to satisfy constraint: Member must "
                    + #"satisfy regular expression pattern: ^([a-z]+-)+\d+$"#)
        ),
        (
            "RemoveRegionsFromReplication", ["SecretId": "s", "RemoveReplicaRegions": [String]()],
            .validation(
                "1 validation error detected: Value '[]' at 'removeReplicaRegions' failed to satisfy constraint: Member must have length greater "
                    + "than or equal to 1")
        ),
        (
            "AssociateCrossAccountReplica", ["SecretId": "s", "CrossAccountReplicaARN": replica, "ReplicaRestriction": "Any"],
            .validation(
                "1 validation error detected: Value 'Any' at 'replicaRestriction' failed to satisfy constraint: Member must satisfy enum value "
                    + "set: [SameOrg, NoRestriction]")
        ),
    ]

    @Test(arguments: refusals.indices)
    func `their own rules come first`(_ row: Int) async throws {
        let (name, members, refusal) = Self.refusals[row]
        let service = try TestService()
        try await service.create("s")
        #expect(try await service.call(name, members).refusal == refusal)
    }
}
