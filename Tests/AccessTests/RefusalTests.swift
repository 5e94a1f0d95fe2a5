import OpenSSL
import Testing

@testable import Access

/// Requests that must not pass, whatever AWS would say to them.
struct RefusalTests {
    private let verifier = Example.verifier()

    /// Signs the example request after `change`.
    private func signed(
        _ signer: NaiveSigner = NaiveSigner(), _ change: (inout WireRequest) -> Void = { _ in }
    ) -> WireRequest {
        var request = Example.request
        change(&request)
        return signer.sign(request)
    }

    private func refusal(_ request: WireRequest) -> AuthenticationFailure.Refusal? {
        if case .refused(let refusal) = verifier.verdict(request).failure { refusal } else { nil }
    }

    // MARK: What was changed after signing

    @Test func `a change to the body, a signed header, the method or the query breaks the signature`() {
        func verdict(_ change: (inout WireRequest) -> Void) -> AuthenticationFailure? {
            var request = Example.signed
            change(&request)
            return verifier.verdict(request).failure
        }
        #expect(verdict { $0.body = #"{"SecretId":"two"}"# } == .signatureMismatch)
        #expect(verdict { $0.body += " " } == .signatureMismatch)
        #expect(verdict { $0["X-Amz-Target"] = "secretsmanager.DeleteSecret" } == .signatureMismatch)
        #expect(verdict { $0["Host"] = "localhost" } == .signatureMismatch)
        #expect(verdict { $0["Content-Type"] = "application/json" } == .signatureMismatch)
        #expect(verdict { $0["X-Amz-Date"] = "20150830T123601Z" } == .signatureMismatch)
        #expect(verdict { $0.method = "PUT" } == .signatureMismatch)
        #expect(verdict { $0.target = "/?" } == nil) // an empty query is no query
        #expect(verdict { $0.target = "/?a" } == .signatureMismatch)
    }

    @Test func `what lies outside the signature may change without effect`() {
        var request = Example.signed
        request.headers.append(("User-Agent", "client/1.0"))
        request.headers.append(("X-Amzn-Trace-Id", "Root=1"))
        request.headers.append(("X-Forwarded-For", "192.0.2.1"))
        request.headers.append(("X-HTTP-Method-Override", "DELETE"))
        request.headers.reverse()
        #expect(verifier.verdict(request).isAccepted)
    }

    // MARK: What is signed

    @Test(arguments: ["x-amz-target", "x-amz-date", "content-type"])
    func `a header that steers the outcome must be signed`(name: String) {
        var signer = NaiveSigner()
        signer.signedHeaders = ["content-type", "host", "x-amz-date", "x-amz-target"].filter { $0 != name }
        #expect(refusal(signed(signer)) == .unsignedHeader(name))
    }

    @Test(arguments: ["X-Amz-Security-Token", "X-Amz-Meta", "X-Amzn-Other", "x-amz-content-sha256"])
    func `an x-amz header added on the way is noticed`(name: String) {
        var request = Example.signed
        request.headers.append((name, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"))
        #expect(refusal(request) == .unsignedHeader(name.lowercased()))
    }

    @Test func `a second line of a signed header is noticed`() {
        var request = signed { $0.headers.append(("X-Amz-Meta", "a")) }
        #expect(verifier.verdict(request).isAccepted)
        request.headers.append(("X-Amz-Meta", "b"))
        #expect(verifier.verdict(request).failure == .signatureMismatch)
    }

    @Test(arguments: [
        ["host", "content-type", "x-amz-date", "x-amz-target"], ["Content-Type", "host", "x-amz-date", "x-amz-target"],
        ["content-type", "Host", "x-amz-date", "x-amz-target"], ["content-type", "host", "host", "x-amz-date", "x-amz-target"],
        ["", "content-type", "host", "x-amz-date", "x-amz-target"], ["content-type", "host", "x-amz-date", "x-amz-target", ""],
        ["content-type", "host", "x-amz-date", "", "x-amz-target"],
    ])
    func `signed headers have one form`(names: [String]) {
        var signer = NaiveSigner()
        signer.signedHeaders = names
        #expect(refusal(signed(signer)) == .malformedSignedHeaders)
    }

    @Test func `a signed header that was not sent is not taken for an empty one`() {
        var signer = NaiveSigner()
        signer.signedHeaders = ["content-type", "host", "x-absent", "x-amz-date", "x-amz-target"]
        let request = signer.sign(Example.request)
        #expect(refusal(request) == .absentSignedHeader("x-absent"))
    }

    @Test func `sixty-four signed headers are accepted and sixty-five are not`() {
        func request(_ count: Int) -> WireRequest {
            signed { request in
                for i in 0..<count - 4 { request.headers.append(("h\(i + 10)", "v")) }
            }
        }
        #expect(verifier.verdict(request(64)).isAccepted)
        #expect(refusal(request(65)) == .tooManySignedHeaders)
    }

    // MARK: Limits

    @Test func `a header of 4 KiB is looked at and a longer one is not`() {
        func request(_ byteCount: Int) -> WireRequest {
            var request = Example.signed
            let value = request["Authorization"] ?? ""
            request["Authorization"] = value + String(repeating: ",", count: byteCount - value.utf8.count)
            return request
        }
        #expect(verifier.verdict(request(4_096)).isAccepted)
        #expect(refusal(request(4_097)) == .authorizationTooLong)
        #expect(refusal(request(1 << 20)) == .authorizationTooLong)
    }

    @Test func `a query of 8 KiB is looked at and a longer one is not`() {
        func request(_ byteCount: Int) -> WireRequest {
            signed { $0.target = "/?a=" + String(repeating: "b", count: byteCount - 2) }
        }
        #expect(verifier.verdict(request(8_192)).isAccepted)
        #expect(refusal(request(8_193)) == .queryTooLong)
    }

    @Test func `a request has at most 128 header lines`() {
        func request(_ count: Int) -> WireRequest {
            var request = Example.signed
            // Content-Length is a line too.
            while request.headers.count < count - 1 { request.headers.append(("x-other", "")) }
            return request
        }
        #expect(verifier.verdict(request(128)).isAccepted)
        #expect(refusal(request(129)) == .tooManyHeaders)
    }

    // MARK: Two readings of one request

    @Test(arguments: [
        "Host", "Authorization", "X-Amz-Date", "X-Amz-Target", "X-Amz-Security-Token", "X-Amz-Content-Sha256", "Content-Type", "Date",
    ])
    func `a header that must be unique is not taken twice`(name: String) {
        let request = signed { request in
            if request[name] == nil { request.headers.append((name, "v")) }
            request.headers.append((name, "v"))
        }
        #expect(refusal(request) == .duplicateHeader(name.lowercased()))
    }

    @Test(arguments: [("Credential=a", "Credential"), ("SignedHeaders=host", "SignedHeaders"), ("Signature=b", "Signature")])
    func `a parameter of the header is not taken twice`(parameter: String, name: String) {
        var request = Example.signed
        request["Authorization"]? += ", " + parameter
        #expect(refusal(request) == .repeatedParameter(name))
        #expect(verifier.verdict(request).failure?.type == "IncompleteSignatureException")
    }

    @Test func `a parameter of the header that nobody knows is refused`() {
        var request = Example.signed
        request["Authorization"]? += ", credential=x"
        #expect(refusal(request) == .unknownParameter("credential"))
    }

    @Test func `commas and blanks separate alike`() {
        for separator in [",", " ", ",  ", " , "] {
            var request = Example.signed
            request["Authorization"] = request["Authorization"]?.split(separator: ", ").joined(separator: separator)
            #expect(verifier.verdict(request).isAccepted)
        }
    }

    @Test func `a Date header does not stand in for X-Amz-Date`() {
        let request = signed { request in
            request["X-Amz-Date"] = nil
            request["Date"] = Example.timeText
        }
        #expect(refusal(request) == .onlyDateHeader)
    }

    @Test func `X-Amz-Date wins over Date`() {
        let request = signed { $0["Date"] = "Mon, 01 Jan 2001 00:00:00 GMT" }
        #expect(verifier.verdict(request).isAccepted)
    }

    // MARK: Path and host

    @Test(arguments: ["//", "/.", "/..", "/a/..", "/a", "/%2F", "/index"])
    func `only the root is served, even where another path has the same canonical form`(path: String) {
        var request = Example.signed
        request.target = path
        #expect(refusal(request) == .wrongPath)
    }

    @Test(arguments: [
        ("localhost", "localhost", true), ("localhost", "LOCALHOST", true), ("localhost", "localhost:8443", true),
        ("localhost", "localhost:443", true), ("localhost:8443", "localhost:8443", true), ("localhost:8443", "localhost", false),
        ("localhost:8443", "localhost:8444", false), ("localhost:443", "localhost", true), ("localhost:443", "localhost:8443", false),
        ("localhost", "localhost.example", false), ("localhost", "xlocalhost", false), ("localhost", "", false),
        ("localhost", "localhost:", false), ("localhost", "localhost:x", false), ("localhost", "localhost@evil", false),
        ("[::1]", "[::1]:8443", true), ("[::1]", "[::1]", true), ("127.0.0.1", "127.0.0.1:80", true), ("127.0.0.1", "127.0.0.2", false),
    ])
    func `the host must be one of ours`(name: String, host: String, isAccepted: Bool) {
        let verifier = Example.verifier(hosts: ["other.example", name])
        let request = signed { $0["Host"] = host }
        #expect(verifier.verdict(request).isAccepted == isAccepted)
        if !isAccepted { #expect(verifier.verdict(request).failure == .refused(.wrongHost(host))) }
    }

    // MARK: Body digest

    @Test(arguments: [
        "UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ])
    func `a digest header that is not the digest of the body is refused, however well it is signed`(value: String) {
        let request = signed { $0["X-Amz-Content-Sha256"] = value }
        #expect(refusal(request) == .wrongContentDigest)
    }

    @Test func `a digest header that is the digest of the body is accepted, in lower case only`() {
        let digest = SHA256.hash(Example.request.body.utf8Array.span.bytes).hex
        #expect(verifier.verdict(signed { $0["X-Amz-Content-Sha256"] = digest }).isAccepted)
        #expect(refusal(signed { $0["X-Amz-Content-Sha256"] = digest.uppercased() }) == .wrongContentDigest)
    }

    // MARK: Form of the signature

    @Test func `a signature is 64 lower-case hexadecimal digits, or no key is looked up for it`() {
        let lookups = Counter()
        let key = Example.key()
        let verifier = RequestVerifier(region: "us-east-1", service: "secretsmanager") { id in
            lookups.increment()
            return id == key.id ? key : nil
        }
        let value = Example.signed["Authorization"] ?? ""
        let signature = String(value.suffix(64))
        let forms = [
            signature.uppercased(), String(signature.dropLast()), signature + "0", "g" + signature.dropFirst(),
            "0x" + signature.dropFirst(2),
            String(repeating: "0", count: 3_000),
        ]
        for form in forms {
            var request = Example.signed
            request["Authorization"] = value.dropLast(64) + form
            #expect(verifier.verdict(request).failure == .signatureMismatch)
        }
        #expect(lookups.value == 0)
        #expect(verifier.verdict(Example.signed).isAccepted)
        #expect(lookups.value == 1)
    }

    // MARK: Time

    @Test(arguments: [(-301, false), (-300, true), (-1, true), (0, true), (300, true), (301, false)])
    func `the window is five minutes each way and includes its ends`(skewSeconds: Int64, isAccepted: Bool) {
        // The request is `skewSeconds` ahead of the server.
        for milliseconds in [0, 999] as [Int64] {
            let now = Example.now - skewSeconds * 1000 + milliseconds
            #expect(verifier.verdict(Example.signed, now: now).isAccepted == isAccepted)
        }
    }

    @Test func `a scope of the day before is refused right after midnight, though the clock is inside the window`() {
        let midnight: Int64 = 1_440_979_200_000 // 2015-08-31T00:00:00Z
        var signer = NaiveSigner()
        signer.scopeDate = "20150831"
        let request = signed(signer) { $0["X-Amz-Date"] = "20150830T235959Z" }
        #expect(verifier.verdict(request, now: midnight).failure?.message.hasPrefix("Date in Credential scope") == true)
        signer.scopeDate = "20150830"
        #expect(verifier.verdict(signed(signer) { $0["X-Amz-Date"] = "20150830T235959Z" }, now: midnight).isAccepted)
        signer.scopeDate = "20150831"
        #expect(verifier.verdict(signed(signer) { $0["X-Amz-Date"] = "20150831T000000Z" }, now: midnight).isAccepted)
    }
}
