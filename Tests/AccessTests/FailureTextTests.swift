import Testing

@testable import Access

/// One request that must be refused, and the answer that it must get.
struct RefusedRequest: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let type: String
    let message: String
    let make: @Sendable () -> WireRequest

    init(_ description: String, _ type: String, _ message: String, _ make: @escaping @Sendable () -> WireRequest) {
        testDescription = description
        self.type = type
        self.message = message
        self.make = make
    }

    /// The signed example, changed after signing.
    init(_ description: String, _ type: String, _ message: String, changing change: @escaping @Sendable (inout WireRequest) -> Void) {
        self.init(description, type, message) {
            var request = Example.signed
            change(&request)
            return request
        }
    }

    /// The example, changed before it is signed by a signer that is also changed.
    init(
        _ description: String, _ type: String, _ message: String,
        signing change: @escaping @Sendable (inout NaiveSigner, inout WireRequest) -> Void
    ) {
        self.init(description, type, message) {
            var signer = NaiveSigner()
            var request = Example.request
            change(&signer, &request)
            return signer.sign(request)
        }
    }
}

private let incomplete = "IncompleteSignatureException"
private let invalid = "InvalidSignatureException"
private let unrecognized = "UnrecognizedClientException"
private let mismatch =
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    + "and signing method. Consult the service documentation for details."
private let needsFiveFields =
    "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "
private let wrongDay = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
private let needsCredential = "Authorization header requires 'Credential' parameter. "
private let needsSignature = "Authorization header requires 'Signature' parameter. "
private let needsSignedHeaders = "Authorization header requires 'SignedHeaders' parameter. "
private let needsDate = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "

/// The texts that AWS gives, letter for letter.
struct FailureTextTests {
    static let carriers = [
        RefusedRequest(
            "both carriers", invalid, "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
        ) { (request: inout WireRequest) in request.target = "/?X-Amz-Algorithm=x" },
        RefusedRequest(
            "both carriers, the query one empty", invalid,
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
        ) { (request: inout WireRequest) in request.target = "/?a=1&X-Amz-Algorithm" },
        RefusedRequest("no carrier", "MissingAuthenticationTokenException", "Missing Authentication Token") { Example.request },
        RefusedRequest("an empty header", "MissingAuthenticationTokenException", "Missing Authentication Token") {
            (request: inout WireRequest) in request["Authorization"] = ""
        },
        RefusedRequest("parameter name in lower case", "MissingAuthenticationTokenException", "Missing Authentication Token") {
            var request = Example.request
            request.target = "/?x-amz-algorithm=AWS4-HMAC-SHA256"
            return request
        },
    ]

    static let header = [
        authorization("x", incomplete, needsCredential + needsSignature + needsSignedHeaders + "Authorization=x"),
        authorization(
            "AWS4-HMAC-SHA256", incomplete, needsCredential + needsSignature + needsSignedHeaders + "Authorization=AWS4-HMAC-SHA256"),
        authorization(
            "AWS4- Signature=b Credential=a", incomplete, needsSignedHeaders + "Authorization=AWS4- Signature=b Credential=a"),
        authorization("AWS4- Signature=b,Credential=a", incomplete, needsSignedHeaders + "Authorization=AWS4- Signature=b,Credential=a"),
        authorization(
            "AWS4- Signature=, SignedHeaders=c, Credential=a", incomplete,
            needsSignature + "Authorization=AWS4- Signature=, SignedHeaders=c, Credential=a"),
        authorization(
            "AWS4- SignedHeaders=c ,, Signature=b", incomplete, needsCredential + "Authorization=AWS4- SignedHeaders=c ,, Signature=b"),
        authorization(
            "Basic dXNlcjpwYXNz=", incomplete,
            needsCredential + needsSignature + needsSignedHeaders + "Authorization=Basic dXNlcjpwYXNz="),
        authorization(
            "Bearer abc", incomplete,
            "'abc' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer abc'."),
        authorization(
            "AWS AKID:sig", incomplete,
            "'AKID:sig' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS AKID:sig'."),
        authorization(
            "AWS4- a'b\"", incomplete,
            #"'a\'b\"' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4- a\'b\"'."#),
        RefusedRequest(
            "no date", incomplete,
            needsSignature + needsDate + "Authorization=AWS4- SignedHeaders=c, Credential=a"
        ) { (request: inout WireRequest) in
            request["X-Amz-Date"] = nil
            request["Authorization"] = "AWS4- SignedHeaders=c, Credential=a"
        },
        RefusedRequest(
            "an empty date", incomplete, needsDate + "Authorization=AWS4- SignedHeaders=c, Credential=a, Signature=b"
        ) { (request: inout WireRequest) in
            request["X-Amz-Date"] = ""
            request["Authorization"] = "AWS4- SignedHeaders=c, Credential=a, Signature=b"
        },
        RefusedRequest(
            "only a Date header, and no SignedHeaders", incomplete, needsSignedHeaders + "Authorization=AWS4- Signature=b Credential=a"
        ) { (request: inout WireRequest) in
            request["X-Amz-Date"] = nil
            request["Date"] = "Sun, 30 Aug 2015 12:36:00 GMT"
            request["Authorization"] = "AWS4- Signature=b Credential=a"
        },
    ]

    private static func authorization(_ value: String, _ type: String, _ message: String) -> RefusedRequest {
        RefusedRequest("Authorization: \(value)", type, message) { (request: inout WireRequest) in request["Authorization"] = value }
    }

    static let query: [RefusedRequest] = [
        presigned("X-Amz-Algorithm=", missing: ["Algorithm", "Credential", "Signature", "SignedHeaders", "Date"]),
        presigned("X-Amz-Algorithm", missing: ["Algorithm", "Credential", "Signature", "SignedHeaders", "Date"]),
        presigned("X-Amz-Algorithm=a&X-Amz-Signature=b", missing: ["Credential", "SignedHeaders", "Date"]),
        presigned("X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-SignedHeaders=c&X-Amz-Signature=d", missing: ["Date"]),
        presigned("X-Amz-Algorithm=a&X-Amz-Credential=b&x-amz-signature=c&X-Amz-SignedHeaders=c&X-Amz-Date=d", missing: ["Signature"]),
    ]

    private static func presigned(_ query: String, missing: [String]) -> RefusedRequest {
        let texts = missing.map { "AWS query-string parameters must include 'X-Amz-\($0)'. " }
        return RefusedRequest("?\(query)", incomplete, texts.joined() + "Re-examine the query-string parameters.") {
            var request = Example.request
            request["X-Amz-Date"] = nil
            request.target = "/?" + query
            return request
        }
    }

    static let dates: [RefusedRequest] =
        [
            "20150230T123600Z", "20151330T123600Z", "20150830T243600Z", "20150830T126000Z", "20150830T123660Z", "20150830 123600Z",
            "2015-08-30T12:36:00Z", "20150830T123600", "20150830T123600z", "1440938160", "00000000T000000Z", "20150229T000000Z",
            "20150830T123600+0000",
        ].map { text in
            date(text, incomplete, "Date must be in ISO-8601 'basic format'. Got '\(text)'. See http://en.wikipedia.org/wiki/ISO_8601")
        } + [
            date(
                "2015083\u{660}T123600Z", incomplete,
                #"Date must be in ISO-8601 'basic format'. Got '2015083\xd9\xa0T123600Z'. See http://en.wikipedia.org/wiki/ISO_8601"#),
            date(
                "20150830T123059Z", invalid,
                "Signature expired: 20150830T123059Z is now earlier than 20150830T123100Z (20150830T123600Z - 5 min.)"),
            date(
                "20140101T000000Z", invalid,
                "Signature expired: 20140101T000000Z is now earlier than 20150830T123100Z (20150830T123600Z - 5 min.)"),
            date(
                "20150830T124101Z", invalid,
                "Signature not yet current: 20150830T124101Z is still later than 20150830T124100Z (20150830T123600Z + 5 min.)"),
            date(
                "99991231T235959Z", invalid,
                "Signature not yet current: 99991231T235959Z is still later than 20150830T124100Z (20150830T123600Z + 5 min.)"),
        ]

    private static func date(_ text: String, _ type: String, _ message: String) -> RefusedRequest {
        RefusedRequest("X-Amz-Date: \(text)", type, message) { signer, request in
            request["X-Amz-Date"] = text
            signer.scopeDate = String(text.prefix(8))
        }
    }

    static let credential = [
        RefusedRequest("host not signed", invalid, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.") {
            signer, _ in signer.signedHeaders = ["content-type", "ghost", "hos", "hosts", "x-amz-date", "x-amz-target"]
        },
        RefusedRequest(
            "lower-case algorithm", incomplete, "Unsupported AWS 'algorithm': 'aws4-hmac-sha256' (only AWS4-HMAC-SHA256 for now). "
        ) { signer, _ in signer.algorithm = "aws4-hmac-sha256" },
        RefusedRequest(
            "SigV4a", incomplete, "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256' (only AWS4-HMAC-SHA256 for now). "
        ) { signer, _ in signer.algorithm = "AWS4-ECDSA-P256-SHA256" },
        RefusedRequest(
            "four fields", incomplete,
            needsFiveFields + "'AKIDEXAMPLE/20150830/us-east-1/aws4_request'"
        ) { signer, _ in (signer.region, signer.service) = ("us-east-1/aws4_request", "") } .trimmingCredential("//aws4_request"),
        RefusedRequest(
            "six fields", incomplete,
            needsFiveFields + "'AKIDEXAMPLE/20150830/us-east-1/secretsmanager/aws4_request/x'"
        ) { signer, _ in signer.terminator = "aws4_request/x" },
        RefusedRequest(
            "a slash at the end", incomplete,
            needsFiveFields + "'AKIDEXAMPLE/20150830/us-east-1/secretsmanager/aws4_request/'"
        ) { signer, _ in signer.terminator = "aws4_request/" },
        RefusedRequest("other region", invalid, "Credential should be scoped to a valid region. ") { signer, _ in
            signer.region = "eu-west-1"
        },
        RefusedRequest("region with more behind it", invalid, "Credential should be scoped to a valid region. ") { signer, _ in
            signer.region = "us-east-11"
        },
        RefusedRequest("other service", invalid, "Credential should be scoped to correct service: 'secretsmanager'. ") { signer, _ in
            signer.service = "sts"
        },
        RefusedRequest(
            "other terminator", invalid, "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4_requesu'. "
        ) { signer, _ in signer.terminator = "aws4_requesu" },
        RefusedRequest(
            "date of yesterday", invalid,
            wrongDay + "'20150829' != '20150830', from '20150830T123600Z'. "
        ) { signer, _ in signer.scopeDate = "20150829" },
        RefusedRequest(
            "everything at once", invalid,
            "Credential should be scoped to a valid region. Credential should be scoped to correct service: 'secretsmanager'. "
                + "Credential should be scoped with a valid terminator: 'aws4_request', not 'd'. " + wrongDay
                + "'a' != '20150830', from '20150830T123600Z'. "
        ) { signer, _ in (signer.scopeDate, signer.region, signer.service, signer.terminator) = ("a", "b", "c", "d") },
    ]

    static let key = [
        RefusedRequest("unknown key", unrecognized, "The security token included in the request is invalid.") { signer, _ in
            signer.keyID = "AKIDOTHER"
        },
        RefusedRequest("temporary key without a token", unrecognized, "The security token included in the request is invalid.") {
            signer, _ in signer.keyID = "ASIAEXAMPLEEXAMPLE22"
        },
        RefusedRequest("temporary key with a token", unrecognized, "The security token included in the request is invalid") {
            signer, request in
            signer.keyID = "ASIAEXAMPLEEXAMPLE22"
            request["X-Amz-Security-Token"] = "t"
        },
        RefusedRequest("key id of strange characters", unrecognized, "The security token included in the request is invalid.") {
            signer, _ in signer.keyID = "AKID'\u{e9}"
        },
        RefusedRequest("key id too long to be looked up", unrecognized, "The security token included in the request is invalid.") {
            signer, _ in signer.keyID = String(repeating: "A", count: 129)
        },
        RefusedRequest("empty key id", unrecognized, "The security token included in the request is invalid.") { signer, _ in
            signer.keyID = ""
        },
        RefusedRequest("wrong secret", invalid, mismatch) { signer, _ in signer.secret += "x" },
        RefusedRequest("wrong secret and a token", invalid, mismatch) { signer, request in
            signer.secret += "x"
            request["X-Amz-Security-Token"] = "t"
        },
        RefusedRequest("long-term key with a token", unrecognized, "The security token included in the request is invalid") {
            _, request in request["X-Amz-Security-Token"] = "t"
        },
        RefusedRequest("long-term key with an empty token", unrecognized, "The security token included in the request is invalid") {
            _, request in request["X-Amz-Security-Token"] = ""
        },
    ]

    @Test(arguments: carriers + header + query + dates + credential + key)
    func `a request that is not signed well gets AWS's answer`(_ refused: RefusedRequest) {
        let failure = Example.verifier().verdict(refused.make()).failure
        #expect(failure?.type == refused.type)
        #expect(failure?.message == refused.message)
        #expect(failure?.status == 400)
    }

    @Test func `the example itself is accepted, so that every refusal is for its own reason`() {
        let expected = Principal(rootOf: Example.account, accessKeyID: Example.keyID)
        #expect(Example.verifier().verdict(Example.signed) == .accepted(expected))
        #expect(expected.arn == "arn:aws:iam::123456789012:root")
    }

    @Test func `text of the caller is cut and escaped`() throws {
        let long = String(repeating: "y", count: 300)
        var request = Example.request
        request["Authorization"] = "AWS4- \(long)\u{1f600}"
        let message = try #require(Example.verifier().verdict(request).failure?.message)
        let cut = String(repeating: "y", count: 256)
        let cutHeader = "AWS4- " + String(repeating: "y", count: 250)
        #expect(message == "'\(cut)' not a valid key=value pair (missing equal-sign) in Authorization header: '\(cutHeader)'.")

        let odd: [UInt8] = [0x00, 0x0a, 0x1b, 0x22, 0x27, 0x5c, 0x7f, 0xc3, 0x28, 0x41]
        #expect(CallerText.escaped(0..<odd.count, of: odd.span.bytes) == #"\x00\x0a\x1b\"\'\\\x7f\xc3(A"#)
    }
}

extension RefusedRequest {
    /// Takes a piece out of the `Authorization` header.
    fileprivate func trimmingCredential(_ piece: String) -> RefusedRequest {
        RefusedRequest(testDescription, type, message) {
            var request = make()
            if let value = request["Authorization"], let range = value.firstRange(of: piece) {
                request["Authorization"] = value.replacingCharacters(in: range)
            }
            return request
        }
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>) -> String {
        String(self[..<range.lowerBound]) + String(self[range.upperBound...])
    }
}
