/// Why a request was not accepted, with the answer that AWS gives for it.
///
/// The cases stand in the order of the checks. The wire form is `{"__type": type, "message": message}`, with a lower-case
/// `message`, as AWS's front layer writes it. Strings inside are text of the caller, already cut and escaped.
package enum AuthenticationFailure: Error, Hashable, Sendable {
    /// A signature in the query and one in the header.
    case bothCarriers
    /// No signature at all.
    case missingToken
    /// A part of the `Authorization` header has no `=`.
    case notKeyValuePair(part: String, header: String)
    /// The `Authorization` header, or the date beside it, is not complete.
    case incompleteHeader(missing: Parts, header: String)
    /// The presigned query is not complete.
    case incompleteQuery(missing: Parts)
    /// The date is not of the form `YYYYMMDDThhmmssZ`, or there is no such second.
    case malformedDate(String)
    /// Signed too long ago. `window` names how long ago is allowed.
    case expired(signed: String, oldest: String, now: String, window: String)
    /// Signed too far in the future.
    case notYetCurrent(signed: String, newest: String, now: String, window: String)
    /// `host` is not among the signed headers.
    case hostNotSigned
    /// Signed by another algorithm.
    case unsupportedAlgorithm(String)
    /// The credential is not made of five fields.
    case malformedCredential(String)
    /// The credential was made for another region, service or day.
    case wrongScope(ScopeFaults)
    /// The request breaks a rule that AWS does not have, or does not answer with a text of its own.
    case refused(Refusal)
    /// There is no such access key, or it is not active.
    case unknownAccessKey
    /// The signature is not that of this request under this key.
    case signatureMismatch
    /// A session token that does not belong to the access key.
    case invalidSessionToken

    /// The parts that a signed request must have.
    package struct Parts: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let algorithm = Parts(rawValue: 1 << 0)
        package static let credential = Parts(rawValue: 1 << 1)
        package static let signature = Parts(rawValue: 1 << 2)
        package static let signedHeaders = Parts(rawValue: 1 << 3)
        package static let date = Parts(rawValue: 1 << 4)
    }

    /// What is wrong with the scope of a credential; `nil` and `false` where nothing is.
    package struct ScopeFaults: Hashable, Sendable {
        package var isRegionWrong = false
        /// The service that it should have been for.
        package var expectedService: String?
        /// The last field, which is not `aws4_request`.
        package var terminator: String?
        /// The date of the scope, and the date that the request is signed for.
        package var date: (scope: String, signed: String)? {
            get { scopeDate.map { ($0, signedDate) } }
            set { (scopeDate, signedDate) = (newValue?.scope, newValue?.signed ?? "") }
        }
        private var scopeDate: String?
        private var signedDate = ""
    }

    /// The text of `__type`.
    package var type: String {
        switch self {
        case .missingToken: "MissingAuthenticationTokenException"
        case .notKeyValuePair, .incompleteHeader, .incompleteQuery, .malformedDate, .unsupportedAlgorithm, .malformedCredential:
            "IncompleteSignatureException"
        case .bothCarriers, .expired, .notYetCurrent, .hostNotSigned, .wrongScope, .signatureMismatch: "InvalidSignatureException"
        case .unknownAccessKey, .invalidSessionToken: "UnrecognizedClientException"
        case .refused(let refusal): refusal.type
        }
    }

    /// The HTTP status: Secrets Manager answers 400 to every one of them.
    package var status: Int { 400 }

    /// The text of `message`. Blanks at the end are AWS's own.
    package var message: String {
        switch self {
        case .bothCarriers:
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
        case .missingToken:
            "Missing Authentication Token"
        case .notKeyValuePair(let part, let header):
            "'\(part)' not a valid key=value pair (missing equal-sign) in Authorization header: '\(header)'."
        case .incompleteHeader(let missing, let header):
            Self.incompleteHeaderText(missing) + "Authorization=\(header)"
        case .incompleteQuery(let missing):
            Self.incompleteQueryText(missing) + "Re-examine the query-string parameters."
        case .malformedDate(let text):
            "Date must be in ISO-8601 'basic format'. Got '\(text)'. See http://en.wikipedia.org/wiki/ISO_8601"
        case .expired(let signed, let oldest, let now, let window):
            "Signature expired: \(signed) is now earlier than \(oldest) (\(now) - \(window))"
        case .notYetCurrent(let signed, let newest, let now, let window):
            "Signature not yet current: \(signed) is still later than \(newest) (\(now) + \(window))"
        case .hostNotSigned:
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        case .unsupportedAlgorithm(let name):
            "Unsupported AWS 'algorithm': '\(name)' (only AWS4-HMAC-SHA256 for now). "
        case .malformedCredential(let text):
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '\(text)'"
        case .wrongScope(let faults):
            Self.scopeText(faults)
        case .refused(let refusal):
            refusal.message
        case .unknownAccessKey:
            "The security token included in the request is invalid."
        case .signatureMismatch:
            "The request signature we calculated does not match the signature you provided. "
                + "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
        case .invalidSessionToken:
            // Without the full stop of `unknownAccessKey`: AWS's texts differ there.
            "The security token included in the request is invalid"
        }
    }

    private static func incompleteHeaderText(_ missing: Parts) -> String {
        let names: [(Parts, String)] = [(.credential, "Credential"), (.signature, "Signature"), (.signedHeaders, "SignedHeaders")]
        var text = names.filter { missing.contains($0.0) }.map { "Authorization header requires '\($0.1)' parameter. " }.joined()
        if missing.contains(.date) {
            text += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
        }
        return text
    }

    private static func incompleteQueryText(_ missing: Parts) -> String {
        let names: [(Parts, String)] = [
            (.algorithm, "X-Amz-Algorithm"), (.credential, "X-Amz-Credential"), (.signature, "X-Amz-Signature"),
            (.signedHeaders, "X-Amz-SignedHeaders"), (.date, "X-Amz-Date"),
        ]
        return names.filter { missing.contains($0.0) }.map { "AWS query-string parameters must include '\($0.1)'. " }.joined()
    }

    private static func scopeText(_ faults: ScopeFaults) -> String {
        var text = faults.isRegionWrong ? "Credential should be scoped to a valid region. " : ""
        if let service = faults.expectedService {
            text += "Credential should be scoped to correct service: '\(service)'. "
        }
        if let terminator = faults.terminator {
            text += "Credential should be scoped with a valid terminator: 'aws4_request', not '\(terminator)'. "
        }
        if let date = faults.date {
            text += "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                + "'\(date.scope)' != '\(date.signed.prefix(SigningTime.dateByteCount))', from '\(date.signed)'. "
        }
        return text
    }
}
