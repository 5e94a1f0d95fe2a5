import Testing

@testable import Gateway

@Suite("Shapes and their sentences", .timeLimit(.minutes(1)))
struct ValidationTests {
    static func one(_ shown: String, _ path: String, _ constraint: String) -> String {
        "1 validation error detected: \(shown) at '\(path)' failed to satisfy constraint: \(constraint)"
    }
    static func atMost(_ count: Int) -> String { "Member must have length less than or equal to \(count)" }
    static func atLeast(_ count: Int) -> String { "Member must have length greater than or equal to \(count)" }
    static func text(_ count: Int) -> String { String(repeating: "x", count: count) }

    static let rows: [(String, [String: any Sendable], String)] = [
        ("DescribeSecret", [:], one("Value null", "secretId", "Member must not be null")),
        ("DescribeSecret", ["SecretId": ""], one("Value ''", "secretId", atLeast(1))),
        ("DescribeSecret", ["SecretId": text(2049)], one("Value '\(text(2049))'", "secretId", atMost(2048))),
        ("CreateSecret", [:], one("Value null", "name", "Member must not be null")),
        ("CreateSecret", ["Name": text(513)], one("Value '\(text(513))'", "name", atMost(512))),
        ("CreateSecret", ["Name": "n", "ClientRequestToken": text(31)], one("Value '\(text(31))'", "clientRequestToken", atLeast(32))),
        ("CreateSecret", ["Name": "n", "ClientRequestToken": text(65)], one("Value '\(text(65))'", "clientRequestToken", atMost(64))),
        ("CreateSecret", ["Name": "n", "SecretString": text(65_537)], one("Value", "secretString", atMost(65_536))),
        ("CreateSecret", ["Name": "n", "SecretString": ""], one("Value", "secretString", atLeast(1))),
        ("CreateSecret", ["Name": "n", "SecretBinary": ""], one("Value", "secretBinary", atLeast(1))),
        // 65,537 bytes: one more than four characters per three of 65,535 and a rest.
        ("CreateSecret", ["Name": "n", "SecretBinary": String(repeating: "AAAA", count: 21_845) + "AAA="], one("Value", "secretBinary", atMost(65_536))),
        // Characters of two bytes: too long in bytes.
        ("CreateSecret", ["Name": "n", "SecretString": String(repeating: "é", count: 32_769)], one("Value", "secretString", atMost(65_536))),
        ("CreateSecret", ["Name": "n", "Description": text(2049)], one("Value '\(text(2049))'", "description", atMost(2048))),
        ("CreateSecret", ["Name": "n", "Tags": [["Key": "k"], ["Key": text(129)]]], one("Value '\(text(129))'", "tags.2.member.key", atMost(128))),
        ("CreateSecret", ["Name": "n", "Tags": [["Key": ""]]], one("Value ''", "tags.1.member.key", atLeast(1))),
        ("CreateSecret", ["Name": "n", "Tags": [["Key": "k", "Value": text(257)]]], one("Value '\(text(257))'", "tags.1.member.value", atMost(256))),
        ("GetSecretValue", ["SecretId": "s", "VersionStage": text(257)], one("Value '\(text(257))'", "versionStage", atMost(256))),
        ("PutSecretValue", ["SecretId": "s", "VersionStages": [String]()], one("Value '[]'", "versionStages", atLeast(1))),
        (
            "PutSecretValue", ["SecretId": "s", "VersionStages": ["a", text(257)]],
            one("Value '[a, \(text(257))]'", "versionStages", "Member must satisfy constraint: [\(atMost(256)), \(atLeast(1))]")
        ),
        ("PutSecretValue", ["SecretId": "s", "RotationToken": text(257)], one("Value", "rotationToken", atMost(256))),
        (
            "PutSecretValue", ["SecretId": "s", "RotationToken": text(36) + "!"],
            one("Value", "rotationToken", #"Member must satisfy regular expression pattern: ^[a-zA-Z0-9\-]+$"#)
        ),
        ("ListSecrets", ["MaxResults": 101], one("Value '101'", "maxResults", "Member must have value less than or equal to 100")),
        ("ListSecrets", ["MaxResults": 0], one("Value '0'", "maxResults", "Member must have value greater than or equal to 1")),
        ("BatchGetSecretValue", ["MaxResults": 21], one("Value '21'", "maxResults", "Member must have value less than or equal to 20")),
        ("ListSecrets", ["SortOrder": "up"], one("Value 'up'", "sortOrder", "Member must satisfy enum value set: [asc, desc]")),
        (
            "ListSecrets", ["SortBy": "size"],
            one("Value 'size'", "sortBy", "Member must satisfy enum value set: [created-date, last-accessed-date, last-changed-date, name]")
        ),
        (
            "ListSecrets", ["Filters": [filter("invalid", ["x"])]],
            one(
                "Value 'invalid'", "filters.1.member.key",
                "Member must satisfy enum value set: [all, name, tag-key, description, tag-value, primary-region, owning-service]")
        ),
        (
            "ListSecrets", ["Filters": [filter("name", ["a*"])]],
            one(
                "Value '[a*]'", "filters.1.member.values",
                "Member must satisfy constraint: [\(atMost(512)), Member must satisfy regular expression pattern: "
                    + #"^\!?[a-zA-Z0-9 :_@\/\+\=\.\-\!]*$]"#)
        ),
        ("ListSecrets", ["Filters": [filter("name", [String]())]], one("Value '[]'", "filters.1.member.values", atLeast(1))),
        ("ListSecrets", ["Filters": (0..<11).map { _ in filter("name", ["x"]) }], one("Value", "filters", atMost(10))),
        ("ListSecrets", ["NextToken": ""], one("Value ''", "nextToken", atLeast(1))),
        ("PutResourcePolicy", ["SecretId": "s", "ResourcePolicy": text(20_481)], one("Value '\(text(20_481))'", "resourcePolicy", atMost(20_480))),
        (
            "GetResourcePolicy", ["SecretId": "s", "PolicyName": "a b"],
            one("Value 'a b'", "policyName", #"Member must satisfy regular expression pattern: [0-9A-Za-z\-\_]+"#)
        ),
        ("BatchGetSecretValue", ["SecretIdList": [String]()], one("Value '[]'", "secretIdList", atLeast(1))),
        // Several at once.
        (
            "UpdateSecretVersionStage", ["MoveToVersionId": "v"],
            "3 validation errors detected: Value null at 'secretId' failed to satisfy constraint: Member must not be null; Value null at "
                + "'versionStage' failed to satisfy constraint: Member must not be null; Value 'v' at 'moveToVersionId' failed to satisfy "
                + "constraint: \(atLeast(32))"
        ),
    ]

    @Test(arguments: rows.indices)
    func `a broken constraint is named in AWS's words`(_ row: Int) async throws {
        let (operation, members, message) = Self.rows[row]
        #expect(try await TestService().call(operation, members).refusal == .validation(message))
    }

    @Test func `no more than ten constraints are named`() async throws {
        let tags = (0..<20).map { _ in ["Key": ""] }
        let message = try #require(try await TestService().call("TagResource", ["SecretId": "s", "Tags": tags]).refusal.frontMessage)
        #expect(message.hasPrefix("10 validation errors detected: "))
        #expect(message.split(separator: ";").count == 10)
    }

    @Test func `lengths are counted in characters, not in bytes`() async throws {
        let service = try TestService()
        let token = String(repeating: "🔑", count: 32)
        try await service.ok("CreateSecret", ["Name": "s", "SecretString": "v", "ClientRequestToken": token, "Description": String(repeating: "é", count: 2048)])
        #expect(try await service.ok("GetSecretValue", ["SecretId": "s", "VersionId": token]).string("VersionId") == token)
    }

    // MARK: Types (threat model N20)

    static let mismatches: [(String, String, String?)] = [
        ("DescribeSecret", #"{"SecretId":5}"#, "NUMBER_VALUE can not be converted to a String"),
        ("DescribeSecret", #"{"SecretId":5.5}"#, "DECIMAL_VALUE can not be converted to a String"),
        ("DescribeSecret", #"{"SecretId":true}"#, "TRUE_VALUE can not be converted to a String"),
        ("DescribeSecret", #"{"SecretId":["s"]}"#, "Start of list found where not expected"),
        ("DescribeSecret", #"{"SecretId":{"a":"s"}}"#, "Start of structure or map found where not expected."),
        ("CreateSecret", #"{"Name":"n","SecretString":5}"#, nil), ("CreateSecret", #"{"Name":"n","SecretString":{"a":"b"}}"#, nil),
        ("CreateSecret", #"{"Name":"n","SecretBinary":["AA=="]}"#, nil),
        ("CreateSecret", #"{"Name":"n","SecretBinary":"A"}"#, "Value can not be converted to a Blob: Invalid Base64 encoding"),
        ("CreateSecret", #"{"Name":"n","SecretBinary":"A A="}"#, "Value can not be converted to a Blob: Invalid Base64 encoding"),
        ("CreateSecret", #"{"Name":"n","Tags":"k"}"#, "Expected list or null"),
        ("CreateSecret", #"{"Name":"n","Tags":{"k":"v"}}"#, "Start of structure or map found where not expected."),
        ("CreateSecret", #"{"Name":"n","Tags":["k"]}"#, "Expected null"), ("CreateSecret", #"{"Name":"n","Tags":[["k"]]}"#, "Start of list found where not expected"),
        ("CreateSecret", #"{"Name":"n","Tags":[{"Key":1}]}"#, "NUMBER_VALUE can not be converted to a String"),
        ("ListSecrets", #"{"MaxResults":"5"}"#, "STRING_VALUE can not be converted to an Integer"),
        ("ListSecrets", #"{"MaxResults":1.5}"#, "DECIMAL_VALUE can not be converted to an Integer"),
        ("ListSecrets", #"{"MaxResults":1e2}"#, "DECIMAL_VALUE can not be converted to an Integer"),
        ("ListSecrets", #"{"MaxResults":3000000000}"#, "NUMBER_VALUE can not be converted to an Integer"),
        ("ListSecrets", #"{"IncludePlannedDeletion":"true"}"#, "STRING_VALUE can not be converted to a Boolean"),
        ("ListSecrets", #"{"IncludePlannedDeletion":1}"#, "NUMBER_VALUE can not be converted to a Boolean"),
        ("ListSecrets", #"{"Filters":[{"Key":"name","Values":"x"}]}"#, "Expected list or null"),
        ("ListSecrets", #"{"Filters":[{"Key":"name","Values":[null]}]}"#, "NULL_VALUE can not be converted to a String"),
        ("DeleteSecret", #"{"SecretId":"s","RecoveryWindowInDays":99999999999999999999}"#, "DECIMAL_VALUE can not be converted to a Long"),
        ("RotateSecret", #"{"SecretId":"s","RotationRules":[]}"#, "Start of list found where not expected"),
        // A wrong type goes before a broken constraint.
        ("CreateSecret", #"{"Name":"","Description":5}"#, "NUMBER_VALUE can not be converted to a String"),
        // Not JSON, though it begins and ends like an object.
        ("DescribeSecret", #"{"SecretId":"s","SecretId":"t"}"#, nil), ("DescribeSecret", #"{"SecretId":}"#, nil), ("DescribeSecret", "{}{}", nil),
        ("DescribeSecret", String(repeating: #"{"a":"#, count: 100) + "1" + String(repeating: "}", count: 100), nil),
    ]

    @Test(arguments: mismatches.indices)
    func `a member of the wrong type is a SerializationException`(_ row: Int) async throws {
        let (operation, body, message) = Self.mismatches[row]
        let answer = try await TestService().call(operation, json: body)
        #expect(answer.refusal == .serialization(message))
    }

    @Test func `null is absence, and unknown members are nothing`() async throws {
        let service = try TestService()
        let body = #"{"Name":"s","ClientRequestToken":"\#(newToken())","SecretString":"v","SecretBinary":null,"Tags":null,"Description":null,"Colour":{"a":[1,2.5e3]},"name":"other"}"#
        #expect(try await service.call("CreateSecret", json: body).status == 200)
        #expect(try await service.call("DescribeSecret", json: #"{"SecretId":null}"#).refusal.frontMessage?.contains("Value null at 'secretId'") == true)
        // Names are compared exactly.
        #expect(try await service.call("DescribeSecret", json: #"{"secretId":"s"}"#).refusal.frontMessage?.contains("Value null at 'secretId'") == true)
    }

    @Test(arguments: [("^([a-z]+-)+\\d+$", ["eu-west-1", "a-0"], ["eu-west", "eu-west-", "-1", "eu--1", "EU-west-1", "eu-west-1x", "1", ""])])
    func `the region pattern is AWS's`(_ text: String, _ good: [String], _ bad: [String]) {
        #expect(Pattern.region.text == text)
        for value in good { #expect(Pattern.region.matches(value.utf8)) }
        for value in bad { #expect(!Pattern.region.matches(value.utf8)) }
    }
}
