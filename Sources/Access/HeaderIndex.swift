/// Where the headers lie that the verifier looks at itself: their values, found in one pass.
struct HeaderIndex {
    private(set) var authorization: Range<Int>?
    private(set) var host: Range<Int>?
    private(set) var date: Range<Int>?
    private(set) var amzDate: Range<Int>?
    private(set) var contentDigest: Range<Int>?
    private(set) var securityToken: Range<Int>?
    private var contentType: Range<Int>?
    private var target: Range<Int>?

    /// - Throws: ``AuthenticationFailure/refused(_:)`` when one of them came twice: two readers could each take another one.
    init(_ layout: RequestLayout, in bytes: RawSpan) throws(AuthenticationFailure) {
        guard layout.fields.count <= RequestVerifier.fieldCountMax else { throw .refused(.tooManyHeaders) }
        for field in layout.fields {
            // No other header has a name of one of these lengths that matters here.
            switch field.name.count {
            case 4:
                try Self.take(field, as: "host", in: bytes, &host)
                try Self.take(field, as: "date", in: bytes, &date)
            case 10:
                try Self.take(field, as: "x-amz-date", in: bytes, &amzDate)
            case 12:
                try Self.take(field, as: "content-type", in: bytes, &contentType)
                try Self.take(field, as: "x-amz-target", in: bytes, &target)
            case 13:
                try Self.take(field, as: "authorization", in: bytes, &authorization)
            case 20:
                try Self.take(field, as: "x-amz-security-token", in: bytes, &securityToken)
                try Self.take(field, as: "x-amz-content-sha256", in: bytes, &contentDigest)
            default:
                break
            }
        }
    }

    private static func take(
        _ field: RequestLayout.Field, as name: StaticString, in bytes: RawSpan, _ value: inout Range<Int>?
    ) throws(AuthenticationFailure) {
        guard bytes.isEqual(field.name, to: name) else { return }
        guard value == nil else { throw .refused(.duplicateHeader(CallerText.escaped(field.name, of: bytes))) }
        value = field.value
    }

    /// Whether a header of this name may not travel unsigned: it is, or could become, something that steers the outcome.
    ///
    /// AWS insists on `host` only; its clients sign all of these. `x-amzn-trace-id` is put in by load balancers on the way.
    static func mustBeSigned(_ name: Range<Int>, in bytes: RawSpan) -> Bool {
        if bytes.starts(name, with: "x-amz") {
            return bytes.starts(name, with: "x-amz-")
                || (bytes.starts(name, with: "x-amzn-") && !bytes.isEqual(name, to: "x-amzn-trace-id"))
        }
        return bytes.isEqual(name, to: "content-type") || bytes.isEqual(name, to: "host")
    }
}
