import OpenSSL
import Testing

@testable import Access

/// Figures from AWS's documents and from another implementation.
struct SignatureFigureTests {
    @Test(arguments: SignedRequestTable.headerForm)
    func `the signature of a request is that of another implementation`(_ row: SignedRequest) throws {
        let received = try #require(ReceivedRequest(row.request.bytes))
        let bytes = received.bytes.span.bytes
        let headers = try HeaderIndex(received.layout, in: bytes)
        let claim = try SignatureClaim(header: try #require(headers.authorization), headers, in: bytes)
        #expect(try signature(received, claim, in: received.bytes, QueryString(received.layout.query, of: bytes)) == row.signature)
    }

    @Test(arguments: SignedRequestTable.presigned)
    func `the signature of a presigned request is that of another implementation`(_ row: SignedRequest) throws {
        let received = try #require(ReceivedRequest(row.request.bytes))
        let bytes = received.bytes.span.bytes
        let query = try QueryString(received.layout.query, of: bytes)
        let claim = try SignatureClaim(query, HeaderIndex(received.layout, in: bytes), in: query.decoded.span.bytes)
        #expect(try signature(received, claim, in: query.decoded, query) == row.signature)
    }

    /// Goes the verifier's way as far as the signature, for any path.
    private func signature(
        _ received: ReceivedRequest, _ claim: SignatureClaim, in text: [UInt8], _ query: QueryString
    ) throws -> String {
        let bytes = received.bytes.span.bytes
        var canonical = CanonicalRequest(reservingCapacity: 0)
        canonical.appendRequestLine(received.layout, in: bytes, query: query, leavingOut: claim.signatureParameter)
        for name in text.span.bytes.pieces(of: claim.signedHeaders, at: ASCII.semicolon, countMax: .max) {
            let taken = canonical.appendHeader(name, of: text.span.bytes, received.layout.fields, in: bytes)
            #expect(!taken.isEmpty)
        }
        let hash = SHA256.hash(bytes.extracting(received.layout.body))
        canonical.appendEnd(signedHeaders: claim.signedHeaders, of: text.span.bytes, bodyHash: hash)
        let scope = claim.credential.lowerBound + "AKIDEXAMPLE/".utf8.count..<claim.credential.upperBound
        canonical.becomeStringToSign(date: claim.date, scope: scope, of: text.span.bytes)
        let key = SigningKey.derive(
            secret: Example.secretBytes(), date: "20150830".utf8Array.span.bytes, region: "us-east-1".utf8Array,
            service: "service".utf8Array)
        return key.authenticate(canonical.text.span.bytes).hex
    }

    @Test func `the canonical request of a JSON call is, byte for byte, what the rules say`() throws {
        var request = Example.request
        request.headers.append(("X-Odd", "  a \t b  "))
        let received = try #require(ReceivedRequest(request.bytes))
        let bytes = received.bytes.span.bytes
        var canonical = CanonicalRequest(reservingCapacity: 0)
        canonical.appendRequestLine(received.layout, in: bytes, query: QueryString())
        let names = "content-type;host;x-amz-date;x-amz-target;x-odd".utf8Array
        for name in names.span.bytes.pieces(of: 0..<names.count, at: ASCII.semicolon, countMax: .max) {
            _ = canonical.appendHeader(name, of: names.span.bytes, received.layout.fields, in: bytes)
        }
        canonical.appendEnd(signedHeaders: 0..<names.count, of: names.span.bytes, bodyHash: SHA256.hash([UInt8]().span.bytes))
        let expected = """
            POST
            /

            content-type:application/x-amz-json-1.1
            host:localhost:8443
            x-amz-date:20150830T123600Z
            x-amz-target:secretsmanager.GetSecretValue
            x-odd:a b

            content-type;host;x-amz-date;x-amz-target;x-odd
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
            """
        #expect(String(decoding: canonical.text, as: UTF8.self) == expected)
    }

    @Test func `the derived key is that of AWS's example`() {
        // General Reference, "Examples of how to derive a signing key": the key itself shows as an HMAC under it.
        let derived = SigningKey.derive(
            secret: Example.secretBytes("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), date: "20120215".utf8Array.span.bytes,
            region: "us-east-1".utf8Array, service: "iam".utf8Array)
        let published: [UInt8] = [
            0xf4, 0x78, 0x0e, 0x2d, 0x9f, 0x65, 0xfa, 0x89, 0x5f, 0x9c, 0x67, 0xb3, 0x2c, 0xe1, 0xba, 0xf0,
            0xb0, 0xd8, 0xa4, 0x35, 0x05, 0xa0, 0x00, 0xa1, 0xa9, 0xe0, 0x90, 0xd4, 0x14, 0xdb, 0x40, 0x4d,
        ]
        let message = "any message".utf8Array
        #expect(derived.authenticate(message.span.bytes) == HMACKey(published.span.bytes).authenticate(message.span.bytes))
    }

    @Test(arguments: [
        ("", "/"), ("/", "/"), ("//", "/"), ("/a", "/a"), ("/a/", "/a/"), ("/a//", "/a/"), ("/a/.", "/a/"), ("/a/b/..", "/a/"),
        ("/a/..", "/"), ("/..", "/"), ("/../../a", "/a"), ("/.", "/"), ("/./a", "/a"), ("/...", "/..."), ("/.a", "/.a"),
        ("/%2e%2e/a", "/%252e%252e/a"), ("/a b", "/a%20b"), ("/\u{1234}", "/%E1%88%B4"), ("/~-._", "/~-._"), ("/a=b&c", "/a%3Db%26c"),
    ])
    func `paths have one canonical form`(path: String, expected: String) {
        var text: [UInt8] = []
        let bytes = path.utf8Array
        CanonicalPath.append(0..<bytes.count, of: bytes.span.bytes, to: &text)
        #expect(String(decoding: text, as: UTF8.self) == expected)
    }

    @Test(arguments: [
        ("", ""), ("a", "a="), ("a=", "a="), ("b=1&a=2", "a=2&b=1"), ("a=2&a=1", "a=1&a=2"), ("a-=1&a=2", "a=2&a-=1"),
        ("a=b+c", "a=b%2Bc"), ("a=%2b", "a=%2B"), ("a=/:", "a=%2F%3A"), ("a=b=c", "a=b%3Dc"), ("a&&b", "=&a=&b="),
        ("%7e=%41", "~=A"), ("a=\u{e9}", "a=%C3%A9"), ("z=1&%E1=2", "%E1=2&z=1"),
    ])
    func `queries have one canonical form`(query: String, expected: String) throws {
        var text: [UInt8] = []
        let bytes = query.utf8Array
        try QueryString(0..<bytes.count, of: bytes.span.bytes).appendCanonical(leavingOut: nil, to: &text)
        #expect(String(decoding: text, as: UTF8.self) == expected)
    }

    @Test(arguments: ["a=%", "a=%4", "%zz=1", "a=%4g", "a=%00", "a=%&b4=c"])
    func `queries that are not validly encoded are refused`(query: String) {
        let bytes = query.utf8Array
        #expect(throws: AuthenticationFailure.refused(.malformedPercentEncoding)) {
            try QueryString(0..<bytes.count, of: bytes.span.bytes)
        }
    }

    @Test func `our own client signs as another implementation does`() {
        let row = SignedRequestTable.headerForm[2]
        let signer = RequestSigner(accessKeyID: Example.keyID, secret: Example.secretBytes(), region: "us-east-1", service: "service")
        let headers = row.request.headers.filter { !["X-Amz-Date", "Authorization"].contains($0.name) }
        let added = signer.sign(headers: headers, body: row.request.body.utf8Array.span.bytes, now: Example.now)
        #expect(added.map(\.name) == ["x-amz-date", "authorization"])
        #expect(added.map(\.value) == [Example.timeText, row.request["Authorization"]])
    }

    @Test(arguments: [" a", "a ", "\ta", " a\t", "  a  "])
    func `our own client does not sign the blanks around a value, which the server will not see`(value: String) {
        let signer = RequestSigner(accessKeyID: Example.keyID, secret: Example.secretBytes(), region: "r", service: "s")
        func authorization(_ value: String) -> String? {
            signer.sign(headers: [("Host", "h"), ("X-Other", value)], body: [UInt8]().span.bytes, now: Example.now).last?.value
        }
        #expect(authorization(value) == authorization("a"))
    }
}
