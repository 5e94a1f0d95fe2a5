import SecretStore
import Testing

@testable import Gateway

@Suite("ListSecrets", .timeLimit(.minutes(1)))
struct ListSecretsTests {
    let service: TestService
    init() throws { service = try TestService() }

    @Test func `there is an empty list`() async throws {
        #expect(try await service.ok("ListSecrets").body == #"{"SecretList":[]}"#)
    }

    @Test func `an entry has the members of DescribeSecret under the list's name for versions`() async throws {
        let id = try await service.create("s", "v", ["Description": "d", "Tags": [["Key": "k", "Value": "v"]]])
        let entry = try #require(try await service.ok("ListSecrets").list("SecretList").first)
        #expect(
            Set(entry.keys) == ["ARN", "Name", "Description", "Tags", "CreatedDate", "LastChangedDate", "SecretVersionsToStages"])
        #expect(entry["SecretVersionsToStages"] as? [String: [String]] == [id: ["AWSCURRENT"]])
    }

    @Test func `secrets are sorted by what is asked, in both directions`() async throws {
        for name in ["b", "c", "a"] {
            try await service.create(name)
            service.advance(milliseconds: 1_000)
        }
        try await service.put("b")
        try await service.ok("GetSecretValue", ["SecretId": "c"])
        service.advance(days: 1)
        try await service.ok("GetSecretValue", ["SecretId": "b"])
        service.recorder.flush()
        // A write behind the dates: once it is answered, they have been applied.
        try await service.ok("UpdateSecret", ["SecretId": "c", "ClientRequestToken": newToken()])
        let rows: [([String: any Sendable], [String])] = [
            ([:], ["b", "c", "a"]), (["SortOrder": "asc"], ["b", "c", "a"]), (["SortOrder": "desc"], ["a", "c", "b"]),
            (["SortBy": "name"], ["a", "b", "c"]), (["SortBy": "name", "SortOrder": "desc"], ["c", "b", "a"]),
            (["SortBy": "last-changed-date"], ["c", "a", "b"]), (["SortBy": "last-accessed-date"], ["a", "c", "b"]),
            (["SortBy": "created-date", "SortOrder": "desc"], ["a", "c", "b"]),
        ]
        for (members, names) in rows { #expect(try await service.list(members) == names, "\(members)") }
    }

    @Test(arguments: ["asc", "desc"], ["name", "created-date", "last-changed-date", "last-accessed-date"])
    func `pages make up the whole list`(_ order: String, _ sortBy: String) async throws {
        for index in 0..<7 { try await service.create("s\(index)") }
        var members: [String: any Sendable] = ["SortBy": sortBy, "SortOrder": order]
        let whole = try await service.list(members)
        #expect(whole.count == 7)
        members["MaxResults"] = 3
        var paged: [String] = []
        for _ in 0..<3 {
            let page = try await service.ok("ListSecrets", members)
            let names = page.list("SecretList").compactMap { $0["Name"] as? String }
            #expect(names.count <= 3)
            paged += names
            members["NextToken"] = page.string("NextToken")
        }
        #expect(members["NextToken"] == nil)
        #expect(paged == whole)
    }

    @Test func `filters work through the API`() async throws {
        try await service.create("prod/db", "v", ["Description": "one and two", "Tags": [["Key": "team", "Value": "Blue"]]])
        try await service.create("prod/web", "v", ["Description": "one"])
        try await service.create("test/db")
        func names(_ filters: [[String: any Sendable]]) async throws -> [String] { try await service.list(["Filters": filters]) }
        #expect(try await names([filter("name", ["prod/"])]) == ["prod/db", "prod/web"])
        #expect(try await names([filter("name", ["prod/"]), filter("all", ["db"])]) == ["prod/db"])
        #expect(try await names([filter("all", ["BLUE"])]) == ["prod/db"])
        #expect(try await names([filter("description", ["!one"])]) == ["test/db"])
        #expect(try await names([filter("tag-key", ["x", "te"])]) == ["prod/db"])
        #expect(try await names([]) == ["prod/db", "prod/web", "test/db"])
        #expect(try await service.call("ListSecrets", ["Filters": [["Values": ["x"]]]]).refusal == .parameter("Invalid filter key"))
        #expect(
            try await service.call("ListSecrets", ["Filters": [["Key": "name"]]]).refusal
                == .parameter("Invalid filter values for key: name"))
    }

    @Test func `a page token is good for its own request and for a day`() async throws {
        for name in ["a", "b", "c"] { try await service.create(name) }
        let filters = [filter("name", ["a", "b", "c"])]
        let first = try await service.ok("ListSecrets", ["MaxResults": 1, "Filters": filters])
        let token = try #require(first.string("NextToken"))
        // The size of a page may change on the way.
        #expect(try await service.list(["MaxResults": 2, "Filters": filters, "NextToken": token]) == ["b", "c"])
        let others: [(String, [String: any Sendable])] = [
            ("ListSecrets", ["NextToken": token]), ("ListSecrets", ["NextToken": token, "Filters": filters, "SortOrder": "desc"]),
            ("ListSecrets", ["NextToken": token, "Filters": filters, "SortBy": "name"]),
            ("ListSecrets", ["NextToken": token, "Filters": filters, "IncludePlannedDeletion": true]),
            ("ListSecrets", ["NextToken": token, "Filters": [filter("name", ["a", "b"])]]),
            ("BatchGetSecretValue", ["NextToken": token, "Filters": filters]),
            ("ListSecrets", ["NextToken": String(token.dropLast()), "Filters": filters]),
            ("ListSecrets", ["NextToken": "AAAA", "Filters": filters]), ("ListSecrets", ["NextToken": "no base64!", "Filters": filters]),
        ]
        for (operation, members) in others { #expect(try await service.call(operation, members).refusal == .nextToken) }
        service.advance(days: 1)
        #expect(try await service.call("ListSecrets", ["Filters": filters, "NextToken": token]).status == 200)
        service.advance(milliseconds: 1)
        #expect(try await service.call("ListSecrets", ["Filters": filters, "NextToken": token]).refusal == .nextToken)
    }
}
