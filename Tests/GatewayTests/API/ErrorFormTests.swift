import NIOCore
import SecretStore
import Testing

@testable import Gateway

@Suite("Errors on the wire")
struct ErrorFormTests {
    static let rows: [(APIError.Code, UInt16, String)] = [
        (.decryptionFailure, 400, "DecryptionFailure"), (.encryptionFailure, 400, "EncryptionFailure"), (.internalServiceError, 500, "InternalServiceError"),
        (.invalidNextToken, 400, "InvalidNextTokenException"), (.invalidParameter, 400, "InvalidParameterException"),
        (.invalidRequest, 400, "InvalidRequestException"), (.limitExceeded, 400, "LimitExceededException"),
        (.malformedPolicyDocument, 400, "MalformedPolicyDocumentException"), (.publicPolicy, 400, "PublicPolicyException"),
        (.resourceExists, 400, "ResourceExistsException"), (.resourceNotFound, 400, "ResourceNotFoundException"), (.accessDenied, 400, "AccessDeniedException"),
    ]

    @Test(arguments: rows.indices)
    func `errors of the service have a bare name and a capital Message`(_ row: Int) {
        let (code, status, type) = Self.rows[row]
        let response = ErrorBody.response(for: APIError(code, "Why \"so\"."))
        #expect(response.status == status)
        #expect(response.contentType == "application/x-amz-json-1.1")
        #expect(String(buffer: response.body) == #"{"__type":"\#(type)","Message":"Why \"so\"."}"#)
    }

    @Test(arguments: [
        (APIError.Code.serialization, UInt16(400), "SerializationException"), (.serviceUnavailable, 503, "ServiceUnavailableException"),
        (.throttling, 400, "ThrottlingException"), (.unknownOperation, 400, "UnknownOperationException"), (.validation, 400, "ValidationException"),
    ])
    func `errors of the front end have a small message, or none`(_ code: APIError.Code, _ status: UInt16, _ type: String) {
        let response = ErrorBody.response(for: APIError(code, "Why."))
        #expect(response.status == status)
        #expect(String(buffer: response.body) == #"{"__type":"\#(type)","message":"Why."}"#)
        #expect(String(buffer: ErrorBody.response(for: APIError(code, nil)).body) == #"{"__type":"\#(type)"}"#)
    }

    @Test func `operator failures of the state and lost proposals are the server's own`() {
        for failure in [StoreFailure.accountNotFound, .accountAlreadyExists, .accessKeyInOtherAccount, .expired] {
            #expect(APIError(failure) == .internalFailure)
        }
    }
}
