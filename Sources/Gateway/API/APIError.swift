/// What a call is refused with. Made wherever a rule is broken; turned into bytes in one place, ``ErrorBody``.
struct APIError: Error, Equatable, Sendable {
    /// The names of AWS's errors, one case each. A new case asks for its row in ``wire``.
    enum Code: Equatable, Sendable {
        // Modelled by the service (botocore `secretsmanager/2017-10-17`).
        case decryptionFailure
        case encryptionFailure
        case internalServiceError
        case invalidNextToken
        case invalidParameter
        case invalidRequest
        case limitExceeded
        case malformedPolicyDocument
        case publicPolicy
        case resourceExists
        case resourceNotFound
        // Of the service, but not in its model.
        case accessDenied
        // Of AWS's front end.
        case serialization
        case serviceUnavailable
        case throttling
        case unknownOperation
        case validation
    }

    let code: Code
    /// The sentence for the caller; `nil` where AWS sends none. Never holds a value of a secret.
    let message: String?

    init(_ code: Code, _ message: String?) {
        self.code = code
        self.message = message
    }
}

/// How an error looks on the wire.
struct ErrorWireForm: Equatable, Sendable {
    /// Which spelling of the text's key goes out (behaviour 1.3, sigv4 section 4): the service says `Message`, the front end `message`.
    /// Go v2 and AWS's async Python SDK read only the first for modelled errors and only the second for the others.
    enum MessageMember: Sendable {
        case service
        case frontEnd
    }

    let status: UInt16
    let type: String
    let messageMember: MessageMember
}

extension APIError.Code {
    /// AWS's status, name and key spelling. Every fault of the caller is a 400, a missing secret too (behaviour 1.3).
    var wire: ErrorWireForm {
        func service(_ type: String, status: UInt16 = 400) -> ErrorWireForm {
            ErrorWireForm(status: status, type: type, messageMember: .service)
        }
        func frontEnd(_ type: String, status: UInt16 = 400) -> ErrorWireForm {
            ErrorWireForm(status: status, type: type, messageMember: .frontEnd)
        }
        return switch self {
        // The only three modelled names without "Exception".
        case .decryptionFailure: service("DecryptionFailure")
        case .encryptionFailure: service("EncryptionFailure")
        case .internalServiceError: service("InternalServiceError", status: 500)
        case .invalidNextToken: service("InvalidNextTokenException")
        case .invalidParameter: service("InvalidParameterException")
        case .invalidRequest: service("InvalidRequestException")
        case .limitExceeded: service("LimitExceededException")
        case .malformedPolicyDocument: service("MalformedPolicyDocumentException")
        case .publicPolicy: service("PublicPolicyException")
        case .resourceExists: service("ResourceExistsException")
        case .resourceNotFound: service("ResourceNotFoundException")
        // Open question 1 of the reference: upper case, as iam.md 4.1 has it.
        case .accessDenied: service("AccessDeniedException")
        case .serialization: frontEnd("SerializationException")
        // Not in the model: SDKs retry on the status.
        case .serviceUnavailable: frontEnd("ServiceUnavailableException", status: 503)
        case .throttling: frontEnd("ThrottlingException")
        case .unknownOperation: frontEnd("UnknownOperationException")
        // Open question 1: lower case.
        case .validation: frontEnd("ValidationException")
        }
    }
}
