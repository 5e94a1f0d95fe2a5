import Testing

@testable import Gateway

@Suite("Resource policies", .timeLimit(.minutes(1)))
struct ResourcePolicyTests {
    static let plain = #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}"#
    static let open = #"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"secretsmanager:*","Resource":"*"}}"#

    @Test func `a policy is put, read, listed, and deleted`() async throws {
        let service = try TestService()
        try await service.create("s")
        #expect(try await service.ok("GetResourcePolicy", ["SecretId": "s"]).names == ["ARN", "Name", "PolicyName"])
        #expect(try await service.ok("ListResourcePolicies", ["SecretId": "s"]).body == #"{"ResourcePolicies":[]}"#)
        let put = try await service.ok("PutResourcePolicy", ["SecretId": "s", "ResourcePolicy": Self.plain])
        #expect(put.names == ["ARN", "Name", "PolicyName"])
        #expect(put.string("PolicyName") == "default")
        let read = try await service.ok("GetResourcePolicy", ["SecretId": "s", "PolicyName": "default"])
        #expect(read.string("ResourcePolicy") == Self.plain)
        #expect(try await service.ok("ListResourcePolicies", ["SecretId": "s"]).body == #"{"ResourcePolicies":[{"PolicyName":"default"}]}"#)
        try await service.ok("PutResourcePolicy", ["SecretId": "s", "ResourcePolicy": Self.open, "PolicyName": "default"])
        #expect(try await service.ok("GetResourcePolicy", ["SecretId": "s"]).string("ResourcePolicy") == Self.open)
        for _ in 0..<2 { try await service.ok("DeleteResourcePolicy", ["SecretId": "s"]) }
        #expect(try await service.ok("GetResourcePolicy", ["SecretId": "s"]).string("ResourcePolicy") == nil)
    }

    @Test func `policies have their refusals`() async throws {
        let service = try TestService()
        try await service.create("s")
        let otherName = Refusal.parameter("The only policy name that can be put or deleted is default.")
        let rows: [(String, [String: any Sendable], Refusal)] = [
            ("PutResourcePolicy", ["SecretId": "none", "ResourcePolicy": Self.plain], .notFound),
            ("GetResourcePolicy", ["SecretId": "none"], .notFound), ("DeleteResourcePolicy", ["SecretId": "none"], .notFound),
            ("ListResourcePolicies", ["SecretId": "none"], .notFound),
            ("ValidateResourcePolicy", ["SecretId": "none", "ResourcePolicy": Self.plain], .notFound),
            ("ValidateResourcePolicy", ["SecretId": "in valid", "ResourcePolicy": "{}"], .invalidName),
            ("PutResourcePolicy", ["SecretId": "s", "ResourcePolicy": "{}"], .service("MalformedPolicyDocumentException", "This policy has invalid syntax.")),
            ("ValidateResourcePolicy", ["ResourcePolicy": "{}"], .service("MalformedPolicyDocumentException", "This policy has invalid syntax.")),
            ("PutResourcePolicy", ["SecretId": "s", "ResourcePolicy": Self.plain, "PolicyName": "mine"], otherName),
            ("DeleteResourcePolicy", ["SecretId": "s", "PolicyName": "mine"], otherName),
            (
                "GetResourcePolicy", ["SecretId": "s", "PolicyName": "mine"],
                .service("ResourceNotFoundException", "Secrets Manager can't find the specified resource policy.")
            ),
            ("ListResourcePolicies", ["SecretId": "s", "NextToken": "AAAA"], .nextToken),
            (
                "PutResourcePolicy", ["SecretId": "s", "ResourcePolicy": Self.open, "BlockPublicPolicy": true],
                .service(
                    "PublicPolicyException", "The resource policy grants broad access to the secret, which BlockPublicPolicy does not allow.")
            ),
        ]
        for (operation, members, refusal) in rows { #expect(try await service.call(operation, members).refusal == refusal) }
        #expect(try await service.ok("GetResourcePolicy", ["SecretId": "s"]).string("ResourcePolicy") == nil)
        try await service.ok("DeleteSecret", ["SecretId": "s"])
        for operation in ["PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy", "ListResourcePolicies", "ValidateResourcePolicy"] {
            #expect(try await service.call(operation, ["SecretId": "s", "ResourcePolicy": Self.plain]).refusal == .markedForDeletion)
        }
    }

    @Test func `a policy is validated without being stored`() async throws {
        let service = try TestService()
        try await service.create("s")
        #expect(
            try await service.ok("ValidateResourcePolicy", ["SecretId": "s", "ResourcePolicy": Self.plain]).body
                == #"{"PolicyValidationPassed":true,"ValidationErrors":[]}"#)
        let broad = try await service.ok("ValidateResourcePolicy", ["ResourcePolicy": Self.open])
        #expect(broad.json["PolicyValidationPassed"] as? Bool == false)
        #expect(Set(broad.list("ValidationErrors")[0].keys) == ["CheckName", "ErrorMessage"])
        #expect(try await service.ok("GetResourcePolicy", ["SecretId": "s"]).string("ResourcePolicy") == nil)
    }

    // MARK: Form

    /// The members of a good statement, for changing one at a time.
    static let good = [
        "Effect": #""Allow""#, "Principal": #"{"AWS":"123456789012"}"#, "Action": #""secretsmanager:GetSecretValue""#, "Resource": #""*""#,
    ]

    static func document(_ changes: [String: String?], version: String? = #""2012-10-17""#) -> String {
        var members = good
        for (name, value) in changes { members[name] = value }
        let statement = members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
        return "{\(version.map { "\"Version\":\($0)," } ?? "")\"Statement\":[{\(statement)}]}"
    }

    static let valid: [String] = [
        document([:]), document([:], version: nil), document([:], version: #""2008-10-17""#), document(["Sid": #""One1""#]), document(["Sid": #""""#]),
        document(["Effect": #""Deny""#]), document(["Principal": #""*""#]), document(["Principal": #"{"AWS":"*"}"#]),
        document(["Principal": #"{"AWS":["arn:aws:iam::123456789012:user/a/b","arn:aws:iam::123456789012:role/r","arn:aws:sts::123456789012:assumed-role/r/s"],"Service":"ec2.amazonaws.com"}"#]),
        document(["Principal": #"{"Federated":"cognito-identity.amazonaws.com"}"#]), document(["Principal": nil, "NotPrincipal": #"{"AWS":"123456789012"}"#, "Effect": #""Deny""#]),
        document(["Action": #"["secretsmanager:Get*","secretsmanager:*"]"#]), document(["Action": nil, "NotAction": #""*""#]),
        document(["Resource": #"["arn:aws:secretsmanager:*:*:secret:a:b-??????"]"#]), document(["Resource": nil, "NotResource": #""arn:aws:s3:::b/*""#]),
        document(["Condition": #"{"StringEquals":{"aws:SourceVpc":["a","b"]},"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":"x"},"Null":{"a":true},"NumericLessThan":{"b":5}}"#]),
        #"{"Id":"mine","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}}"#,
        " \n\t" + document(["Sid": #""A""#]) + "\r\n",
    ]

    @Test(arguments: valid)
    func `a document of good form is taken`(_ document: String) throws { _ = try PolicyForm(document) }

    static let invalid: [String] = [
        "", "x", "[]", "null", "{}", #"{"Version":"2012-10-17"}"#, #"{"Version":"2012-10-17","Statement":[]}"#, #"{"Statement":["x"]}"#, #"{"Statement":"x"}"#,
        document([:], version: #""2012-10-18""#), document([:], version: "20121017"), document([:], version: #""""#), document(["Effect": #""allow""#]), document(["Effect": nil]),
        document(["Effect": "true"]), document(["Principal": nil]), document(["NotPrincipal": #"{"AWS":"123456789012"}"#]), document(["Principal": nil, "NotPrincipal": #"{"AWS":"123456789012"}"#]),
        document(["Principal": #""123456789012""#]), document(["Principal": "{}"]), document(["Principal": #"{"Aws":"123456789012"}"#]), document(["Principal": #"{"AWS":[]}"#]), document(["Principal": #"{"AWS":5}"#]),
        document(["Principal": #"{"Service":"*"}"#]), document(["Action": nil]), document(["NotAction": #""*""#]), document(["Action": #""GetSecretValue""#]), document(["Action": #""secrets*:Get""#]),
        document(["Action": #""secretsmanager:Get:Value""#]), document(["Action": #""secretsmanager:""#]), document(["Action": "[]"]), document(["Action": #"[["secretsmanager:Get"]]"#]), document(["Resource": nil]),
        document(["NotResource": #""*""#]), document(["Resource": #""secret""#]), document(["Resource": #""arn:aws:secrets*:us-east-1:1:secret:x""#]), document(["Resource": #""arn:aws:secretsmanager:us-east-1""#]),
        document(["Sid": #""with blank""#]), document(["Sid": "1"]), document(["Colour": #""blue""#]), document(["Condition": "[]"]), document(["Condition": #"{"StringEqual":{"a":"b"}}"#]),
        document(["Condition": #"{"StringEquals":{}}"#]), document(["Condition": #"{"StringEquals":"a"}"#]), document(["Condition": #"{"StringEquals":{"a":null}}"#]), document(["Condition": #"{"StringEquals":{"a":{"b":"c"}}}"#]),
        document(["Condition": #"{"NullIfExists":{"a":"true"}}"#]), document(["Condition": #"{"ForSomeValues:StringEquals":{"a":"b"}}"#]), #"{"Version":"2012-10-17","Colour":1,"Statement":[]}"#,
        String(document([:]).dropLast()), document([:]) + "x", document(["Action": #""secretsmanager:Get","Action":"secretsmanager:Put""#]),
        // Two statements with one Sid.
        #"{"Statement":[{"Sid":"A","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"},{"Sid":"A","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}"#,
        document(["Sid": "\"\u{1}\""]), document(["Condition": "{\"StringEquals\":{\"a\":\"\u{20AC}\"}}"]),
        "{\"Statement\":[" + Array(repeating: #"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#, count: 101).joined(separator: ",") + "]}",
        #"{"Statement":"# + String(repeating: "[", count: 50) + String(repeating: "]", count: 50) + "}",
    ]

    @Test(arguments: invalid)
    func `a document of bad form is refused`(_ document: String) {
        #expect(throws: APIError.malformedPolicy) { try PolicyForm(document) }
    }

    @Test(arguments: [
        "arn:aws:iam::123456789012:user/*", "arn:aws:iam::123456789012:user/", "arn:aws:iam::1234:root", "arn:aws:iam::123456789012:group/g", "root",
        "12345678901", "arn:aws:s3::123456789012:root", "arn:aws:iam:us-east-1:123456789012:root", "AIDAEXAMPLE",
    ])
    func `a principal of bad form has a sentence of its own`(_ principal: String) {
        #expect(throws: APIError(.malformedPolicyDocument, "This resource policy contains an unsupported principal")) {
            try PolicyForm(Self.document(["Principal": "{\"AWS\":\"\(principal)\"}"]))
        }
    }

    static let publicity: [(condition: String?, isPublic: Bool)] = [
        (nil, true), (#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#, false), (#"{"StringEquals":{"AWS:principalorgid":"o-1"}}"#, false),
        (#"{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}"#, true), (#"{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}"#, true),
        (#"{"ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":"o-1/*"}}"#, true), (#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-1/*"}}"#, false),
        (#"{"StringLike":{"aws:PrincipalArn":"*"}}"#, true), (#"{"StringLike":{"aws:PrincipalArn":["arn:aws:iam::123456789012:role/r","*"]}}"#, true),
        (#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/*"}}"#, false), (#"{"StringEquals":{"aws:PrincipalArn":"${aws:PrincipalArn}"}}"#, true),
        (#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, false), (#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#, true), (#"{"IpAddress":{"aws:SourceIp":"1.2.3.4"}}"#, false),
        (#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","0.0.0.0/7"]}}"#, true), (#"{"IpAddress":{"aws:SourceIp":"::/0"}}"#, true), (#"{"IpAddress":{"aws:SourceIp":"2001:db8::/32"}}"#, false),
        (#"{"NotIpAddress":{"aws:SourceIp":"1.2.3.4"}}"#, true), (#"{"Bool":{"aws:SecureTransport":"true"}}"#, true), (#"{"Null":{"aws:PrincipalArn":"false"}}"#, true),
        (#"{"StringEquals":{"aws:PrincipalOrgID":[]}}"#, true),
    ]

    @Test(arguments: publicity.indices)
    func `only a fixed caller keeps an open principal from being public`(_ row: Int) throws {
        let (condition, isPublic) = Self.publicity[row]
        #expect(try PolicyForm(Self.document(["Principal": #""*""#, "Condition": condition])).isPublic == isPublic)
        #expect(try PolicyForm(Self.document(["Principal": #"{"AWS":["123456789012","*"]}"#, "Condition": condition])).isPublic == isPublic)
        #expect(try !PolicyForm(Self.document(["Principal": #""*""#, "Effect": #""Deny""#, "Condition": condition])).isPublic)
        #expect(try !PolicyForm(Self.document(["Condition": condition])).isPublic)
    }
}
