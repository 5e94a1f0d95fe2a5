import Testing

@testable import Access

/// The form with the signature in the query.
struct PresignedTests {
    private let verifier = Example.verifier()

    private let request: WireRequest = {
        var request = Example.request
        request["X-Amz-Date"] = nil
        return request
    }()

    @Test func `a presigned call is accepted where the verifier takes the form, and counts as unsigned elsewhere`() {
        let signed = NaiveSigner().presign(request)
        #expect(verifier.verdict(signed).isAccepted)
        #expect(Example.verifier(acceptsPresigned: false).verdict(signed).failure == .missingToken)
    }

    @Test(arguments: [
        ("&X-Amz-Expires=60", 60, true), ("&X-Amz-Expires=60", 61, false), ("&X-Amz-Expires=300", 300, true),
        ("&X-Amz-Expires=300", 301, false), ("&X-Amz-Expires=604800", 300, true), ("&X-Amz-Expires=604800", 301, false),
        ("", 300, true), ("", 301, false), ("&X-Amz-Expires=1", -300, true), ("&X-Amz-Expires=604800", -301, false),
    ])
    func `a presigned call lives as long as it says and five minutes at most`(parameters: String, ageSeconds: Int64, isAccepted: Bool) {
        let signed = NaiveSigner().presign(request, parameters: parameters)
        #expect(verifier.verdict(signed, now: Example.now + ageSeconds * 1000).isAccepted == isAccepted)
    }

    @Test func `a short life shows in the text`() {
        let signed = NaiveSigner().presign(request, parameters: "&X-Amz-Expires=60")
        #expect(
            verifier.verdict(signed, now: Example.now + 61_000).failure?.message
                == "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T123701Z - 60 sec.)")
    }

    @Test(arguments: ["0", "-1", "604801", "1000000", "99999999999999999999", "60s", "", "+60", "6e1"])
    func `a life that is not a number of seconds is refused`(text: String) {
        let signed = NaiveSigner().presign(request, parameters: "&X-Amz-Expires=" + text)
        #expect(verifier.verdict(signed).failure == .refused(.malformedExpires(text)))
    }

    @Test(arguments: [
        ("X-Amz-Expires", "1"), ("X-Amz-Date", Example.timeText), ("X-Amz-Credential", "a"), ("X-Amz-Signature", "a"),
        ("X-Amz-SignedHeaders", "host"), ("X-Amz-Security-Token", "t"), ("X-Amz-Other", "t"), ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
    ])
    func `no X-Amz parameter is taken twice`(name: String, value: String) {
        var signed = NaiveSigner().presign(request, parameters: "&X-Amz-Expires=300&X-Amz-Security-Token=t&X-Amz-Other=o")
        signed.target += "&\(name)=\(value)"
        #expect(verifier.verdict(signed).failure == .refused(.repeatedParameter(name)))
    }

    @Test func `a presigned call must sign its x-amz headers and its content type as well`() {
        for name in ["content-type", "x-amz-target"] {
            var signer = NaiveSigner()
            signer.signedHeaders = ["content-type", "host", "x-amz-target"].filter { $0 != name }
            #expect(verifier.verdict(signer.presign(request)).failure == .refused(.unsignedHeader(name)))
        }
    }

    @Test func `the body of a presigned call is signed`() {
        var signed = NaiveSigner().presign(request)
        signed.body = #"{"SecretId":"two"}"#
        #expect(verifier.verdict(signed).failure == .signatureMismatch)
    }

    @Test func `a token must be inside what is signed, and is refused even then`() {
        let inside = NaiveSigner().presign(request, parameters: "&X-Amz-Security-Token=t")
        #expect(verifier.verdict(inside).failure == .invalidSessionToken)
        var outside = NaiveSigner().presign(request)
        outside.target += "&X-Amz-Security-Token=t"
        #expect(verifier.verdict(outside).failure == .signatureMismatch)
    }

    @Test func `a parameter added on the way breaks the signature`() {
        var signed = NaiveSigner().presign(request)
        signed.target += "&a=1"
        #expect(verifier.verdict(signed).failure == .signatureMismatch)
    }

    @Test func `the order of the parameters does not matter`() {
        var signed = NaiveSigner().presign(request)
        signed.target = "/?" + signed.query.split(separator: "&").reversed().joined(separator: "&")
        #expect(verifier.verdict(signed).isAccepted)
    }
}
