package import NIOCore
internal import OpenSSL

/// A header field of an answer.
package struct HTTPHeader: Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// One answer. `Date`, `Content-Length`, `Connection` and `x-amzn-RequestId` are added by the connection.
package struct HTTPResponse: Sendable {
    /// The content type of AWS JSON 1.1.
    package static let awsJSON = "application/x-amz-json-1.1"

    package var status: UInt16
    package var contentType: String
    /// Further headers. One with a control character turns the answer into a 500 (no response splitting).
    package var headers: [HTTPHeader]
    /// The content, in memory that nobody else uses: the connection wipes it. Never a shared constant.
    package var body: ByteBuffer
    /// Whether the connection ends after this answer.
    package var closesConnection: Bool
    /// Whether the caller could not be told from a stranger. A connection that brings many such requests in a row is slowed down.
    package var isFromStranger: Bool

    package init(
        status: UInt16, contentType: String = HTTPResponse.awsJSON, headers: [HTTPHeader] = [], body: ByteBuffer = ByteBuffer(),
        closesConnection: Bool = false, isFromStranger: Bool = false
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
        self.closesConnection = closesConnection
        self.isFromStranger = isFromStranger
    }

    /// Zeroes the body.
    func wipe() { body.wipe() }

    /// The answer to a request that was refused before a responder saw it: nothing of what was sent, nothing about this server.
    static func refusal(_ refusal: HTTPRefusal) -> HTTPResponse {
        let body: StaticString =
            switch refusal {
            case .requestLine, .headerLine, .duplicateHeader, .host, .bodyLength, .chunk:
                #"{"__type":"BadRequestException","message":"The request is not well-formed HTTP/1.1."}"#
            case .version: #"{"__type":"HTTPVersionNotSupportedException","message":"Only HTTP/1.1 is spoken here."}"#
            case .expectation: #"{"__type":"ExpectationFailedException","message":"The expectation is not supported."}"#
            case .headersTooLarge: #"{"__type":"RequestHeaderFieldsTooLargeException","message":"The request headers are too large."}"#
            case .bodyTooLarge: #"{"__type":"RequestEntityTooLargeException","message":"The request body is too large."}"#
            }
        return HTTPResponse(status: refusal.status, body: ByteBuffer(staticString: body), closesConnection: true)
    }

    /// The answer when there is no memory for a request that has not arrived as a whole.
    static func overloaded() -> HTTPResponse {
        let body: StaticString = #"{"__type":"ServiceUnavailableException","message":"The server is busy."}"#
        return HTTPResponse(status: 503, body: ByteBuffer(staticString: body), closesConnection: true)
    }

    /// The answer in place of a stranger's one more refusal.
    static func throttled() -> HTTPResponse {
        let body: StaticString = #"{"__type":"ThrottlingException","message":"Rate exceeded"}"#
        return HTTPResponse(status: 400, body: ByteBuffer(staticString: body))
    }

    /// The answer when a responder failed to make one. The reason is the responder's to log.
    static func internalFailure(closesConnection: Bool = false) -> HTTPResponse {
        let body: StaticString =
            #"{"__type":"InternalServiceError","Message":"An error occurred on the server side.","message":"An error occurred on the server side."}"#
        return HTTPResponse(status: 500, body: ByteBuffer(staticString: body), closesConnection: closesConnection)
    }
}
