import SecretStore
import Testing

@testable import Gateway

@Suite("DescribeSecret, ListSecretVersionIds, tags, deletion and restoration", .timeLimit(.minutes(1)))
struct MetadataTests {
    let service: TestService
    init() throws { service = try TestService() }

    @Test func `a new secret is described by no more than it needs`() async throws {
        let id = try await service.create("s")
        let described = try await service.ok("DescribeSecret", ["SecretId": "s"])
        #expect(described.names == ["ARN", "Name", "CreatedDate", "LastChangedDate", "VersionIdsToStages"])
        #expect(described.json["VersionIdsToStages"] as? [String: [String]] == [id: ["AWSCURRENT"]])
        #expect(try await service.call("DescribeSecret", ["SecretId": "none"]).refusal == .notFound)
    }

    // MARK: Versions

    @Test func `versions without labels are listed on demand`() async throws {
        let ids = [try await service.create("s"), try await service.put("s"), try await service.put("s")]
        let labelled = try await service.ok("ListSecretVersionIds", ["SecretId": "s"])
        #expect(labelled.names == ["ARN", "Name", "Versions"])
        #expect(labelled.list("Versions").map { $0["VersionId"] as? String } == Array(ids[1...]))
        #expect(Set(labelled.list("Versions")[0].keys) == ["VersionId", "VersionStages", "CreatedDate", "KmsKeyIds"])
        #expect(labelled.list("Versions")[0]["KmsKeyIds"] as? [String] == ["DefaultEncryptionKey"])
        let all = try await service.ok("ListSecretVersionIds", ["SecretId": "s", "IncludeDeprecated": true]).list("Versions")
        #expect(all.map { $0["VersionId"] as? String } == ids)
        #expect(all[0]["VersionStages"] == nil)
    }

    @Test func `versions come in pages, also of a secret that is scheduled for deletion`() async throws {
        var ids = [try await service.create("s", "v", ["KmsKeyId": "alias/k"])]
        for _ in 0..<4 { ids.append(try await service.put("s")) }
        try await service.ok("DeleteSecret", ["SecretId": "s"])
        var listed: [String] = []
        var members: [String: any Sendable] = ["SecretId": "s", "IncludeDeprecated": true, "MaxResults": 2]
        for _ in 0..<3 {
            let page = try await service.ok("ListSecretVersionIds", members)
            listed += page.list("Versions").compactMap { $0["VersionId"] as? String }
            #expect(page.list("Versions")[0]["KmsKeyIds"] as? [String] == ["alias/k"])
            members["NextToken"] = page.string("NextToken")
        }
        #expect(members["NextToken"] == nil)
        #expect(listed == ids)
    }

    @Test func `a version token is bound to its secret and its form`() async throws {
        for name in ["s", "t"] {
            try await service.create(name)
            try await service.put(name)
        }
        let token = try #require(
            try await service.ok("ListSecretVersionIds", ["SecretId": "s", "MaxResults": 1]).string("NextToken"))
        #expect(try await service.call("ListSecretVersionIds", ["SecretId": "s", "NextToken": token]).status == 200)
        let rows: [[String: any Sendable]] = [
            ["SecretId": "t", "NextToken": token], ["SecretId": "s", "NextToken": token, "IncludeDeprecated": true],
            ["SecretId": "s", "NextToken": "bm90IG91cnM="],
        ]
        for members in rows { #expect(try await service.call("ListSecretVersionIds", members).refusal == .nextToken) }
    }

    // MARK: Tags

    @Test func `tags are added, overwritten in place, and removed; the empty list stays`() async throws {
        try await service.create("s")
        let tagged = try await service.ok(
            "TagResource", ["SecretId": "s", "Tags": [["Key": "a", "Value": "1"], ["Key": "b"], ["Key": "c", "Value": "3"]]])
        #expect(tagged.body == "{}")
        try await service.ok("TagResource", ["SecretId": "s", "Tags": [["Key": "b", "Value": "2"], ["Key": "A", "Value": "4"]]])
        func tags() async throws -> [[String: String]]? {
            try await service.ok("DescribeSecret", ["SecretId": "s"]).json["Tags"] as? [[String: String]]
        }
        #expect(
            try await tags() == [
                ["Key": "a", "Value": "1"], ["Key": "b", "Value": "2"], ["Key": "c", "Value": "3"], ["Key": "A", "Value": "4"],
            ])
        try await service.ok("UntagResource", ["SecretId": "s", "TagKeys": ["a", "a", "none"]])
        #expect(try await tags()?.count == 3)
        try await service.ok("UntagResource", ["SecretId": "s", "TagKeys": ["A", "b", "c"] + (0..<2000).map { "k\($0)" }])
        #expect(try await tags() == [])
    }

    @Test func `tagging has its refusals`() async throws {
        try await service.create("s", "v", ["Tags": (0..<50).map { ["Key": "k\($0)", "Value": ""] }])
        let one = [["Key": "k", "Value": "v"]]
        #expect(
            try await service.call("TagResource", ["SecretId": "s", "Tags": one]).refusal == .parameter("A secret can have at most 50 tags."))
        #expect(try await service.call("TagResource", ["SecretId": "none", "Tags": one]).refusal == .notFound)
        #expect(try await service.call("UntagResource", ["SecretId": "none", "TagKeys": ["k"]]).refusal == .notFound)
        try await service.ok("DeleteSecret", ["SecretId": "s"])
        #expect(try await service.call("TagResource", ["SecretId": "s", "Tags": one]).refusal == .markedForDeletion)
        #expect(try await service.call("UntagResource", ["SecretId": "s", "TagKeys": ["k"]]).refusal == .markedForDeletion)
    }

    // MARK: Deletion

    @Test(arguments: [nil, 7, 30])
    func `a deletion is scheduled, shown and taken back`(_ days: Int?) async throws {
        try await service.create("s")
        var members: [String: any Sendable] = ["SecretId": "s"]
        if let days { members.merge(["RecoveryWindowInDays": days, "ForceDeleteWithoutRecovery": false]) { $1 } }
        let deleted = try await service.ok("DeleteSecret", members)
        #expect(deleted.names == ["ARN", "Name", "DeletionDate"])
        let now = Double(service.now.millisecondsSince1970) / 1000
        #expect(deleted.json["DeletionDate"] as? Double == now + Double(days ?? 30) * 86_400)
        #expect(try await service.ok("DescribeSecret", ["SecretId": "s"]).json["DeletedDate"] as? Double == now)
        #expect(try await service.list() == [])
        #expect(try await service.list(["IncludePlannedDeletion": true]) == ["s"])
        #expect(
            try await service.call("DeleteSecret", ["SecretId": "s"]).refusal
                == .request("You can't perform this operation on the secret because it was already scheduled for deletion."))
        #expect(try await service.ok("RestoreSecret", ["SecretId": "s"]).names == ["ARN", "Name"])
        #expect(try await service.ok("DescribeSecret", ["SecretId": "s"]).json["DeletedDate"] == nil)
        #expect(try await service.ok("GetSecretValue", ["SecretId": "s"]).string("SecretString") == "value")
        #expect(try await service.call("RestoreSecret", ["SecretId": "s"]).status == 200)
    }

    @Test(arguments: [6, 31, 0, -1, 1_000_000_000_000])
    func `a window outside of 7 to 30 days is refused`(_ days: Int) async throws {
        try await service.create("s")
        #expect(
            try await service.call("DeleteSecret", ["SecretId": "s", "RecoveryWindowInDays": days]).refusal
                == .parameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."))
    }

    @Test func `a forced deletion is at once, also of what is scheduled or not there`() async throws {
        try await service.create("s")
        #expect(
            try await service.call("DeleteSecret", ["SecretId": "s", "ForceDeleteWithoutRecovery": true, "RecoveryWindowInDays": 7]).refusal
                == .parameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."))
        try await service.ok("DeleteSecret", ["SecretId": "s"])
        try await service.ok("DeleteSecret", ["SecretId": "s", "ForceDeleteWithoutRecovery": true])
        #expect(try await service.call("DescribeSecret", ["SecretId": "s"]).refusal == .notFound)
        let never = try await service.ok("DeleteSecret", ["SecretId": "never", "ForceDeleteWithoutRecovery": true])
        #expect(never.string("Name") == "never")
        #expect(never.string("ARN")?.hasPrefix("arn:aws:secretsmanager:us-east-1:123456789012:secret:never-") == true)
        #expect(never.json["DeletionDate"] as? Double == Double(service.now.millisecondsSince1970) / 1000)
        #expect(try await service.call("DeleteSecret", ["SecretId": "never"]).refusal == .notFound)
        #expect(try await service.call("DeleteSecret", ["SecretId": "in valid", "ForceDeleteWithoutRecovery": true]).refusal == .invalidName)
        #expect(try await service.call("RestoreSecret", ["SecretId": "never"]).refusal == .notFound)
    }

    @Test func `a name that was deleted by force is free at once, under another ARN`() async throws {
        try await service.create("s")
        let before = try await service.ok("DeleteSecret", ["SecretId": "s", "ForceDeleteWithoutRecovery": true]).string("ARN")
        try await service.create("s", "new")
        let arn = try #require(before)
        #expect(try await service.call("GetSecretValue", ["SecretId": arn]).refusal == .notFound)
        #expect(try await service.ok("GetSecretValue", ["SecretId": "s"]).string("ARN") != arn)
    }
}
