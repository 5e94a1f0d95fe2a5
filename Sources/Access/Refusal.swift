extension AuthenticationFailure {
    /// Rules of ours: AWS lets some of these requests through, or answers them with `signatureMismatch`. A text of their own helps
    /// whoever has to find out why a client or a proxy does not work.
    package enum Refusal: Hashable, Sendable {
        /// A header that must be unique came twice.
        case duplicateHeader(String)
        /// More than ``RequestVerifier/fieldCountMax`` header lines.
        case tooManyHeaders
        /// The `Authorization` header is longer than ``RequestVerifier/authorizationByteCountMax``.
        case authorizationTooLong
        /// The query is longer than ``QueryString/byteCountMax``.
        case queryTooLong
        /// A `%` without two hexadecimal digits, or `%00`, in the query.
        case malformedPercentEncoding
        /// A parameter of the `Authorization` header, or an `X-Amz-` parameter of the query, came twice.
        case repeatedParameter(String)
        /// The `Authorization` header has a parameter that SigV4 does not know.
        case unknownParameter(String)
        /// Only a `Date` header, which AWS would take in place of `X-Amz-Date`.
        case onlyDateHeader
        /// `X-Amz-Expires` is not a number from 1 to 604800.
        case malformedExpires(String)
        /// The path is not `/`.
        case wrongPath
        /// `Host` is not an endpoint of this service.
        case wrongHost(String)
        /// `SignedHeaders` is not sorted, repeats a name, has upper-case letters or empty names.
        case malformedSignedHeaders
        /// `SignedHeaders` has more than ``RequestVerifier/signedHeaderCountMax`` names.
        case tooManySignedHeaders
        /// `SignedHeaders` names a header that was not sent.
        case absentSignedHeader(String)
        /// A header that steers the outcome is not signed.
        case unsignedHeader(String)
        /// `x-amz-content-sha256` is not the digest of the body.
        case wrongContentDigest

        /// The text of `__type`.
        var type: String {
            switch self {
            case .authorizationTooLong, .repeatedParameter, .unknownParameter, .onlyDateHeader, .malformedExpires:
                "IncompleteSignatureException"
            default:
                "InvalidSignatureException"
            }
        }

        /// The text of `message`.
        var message: String {
            switch self {
            case .duplicateHeader(let name): "The header '\(name)' must not be sent more than once."
            case .tooManyHeaders: "The request has more than \(RequestVerifier.fieldCountMax) header lines."
            case .authorizationTooLong: "The Authorization header is longer than \(RequestVerifier.authorizationByteCountMax) bytes."
            case .queryTooLong: "The query string is longer than \(QueryString.byteCountMax) bytes."
            case .malformedPercentEncoding: "The query string is not validly percent-encoded."
            case .repeatedParameter(let name): "The parameter '\(name)' must not be given more than once."
            case .unknownParameter(let name): "Authorization header has an unknown parameter '\(name)'."
            case .onlyDateHeader: "A 'Date' header is not enough; the request must have an 'X-Amz-Date' header."
            case .malformedExpires(let text): "X-Amz-Expires must be a number of seconds from 1 to 604800. Got '\(text)'."
            case .wrongPath: "The path of the request must be '/'."
            case .wrongHost(let host): "The host '\(host)' is not an endpoint of this service."
            case .malformedSignedHeaders: "'SignedHeaders' must be lower-case header names, sorted, without repetition and joined by ';'."
            case .tooManySignedHeaders: "'SignedHeaders' has more than \(RequestVerifier.signedHeaderCountMax) names."
            case .absentSignedHeader(let name): "The header '\(name)' is among the 'SignedHeaders' but was not sent."
            case .unsignedHeader(let name): "The header '\(name)' must be a 'SignedHeader' in the AWS Authorization."
            case .wrongContentDigest: "The provided 'x-amz-content-sha256' header does not match what was computed."
            }
        }
    }
}
