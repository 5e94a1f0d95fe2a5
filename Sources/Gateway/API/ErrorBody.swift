internal import Access
internal import NIOCore

/// The only place where a refusal becomes an HTTP answer.
enum ErrorBody {
    static func response(for error: APIError) -> HTTPResponse {
        response(error.code.wire, message: error.message)
    }

    /// Authentication failures bring AWS's name, text and status with them (sigv4 section 4, rows 7-19).
    static func response(for failure: AuthenticationFailure) -> HTTPResponse {
        let form = ErrorWireForm(status: UInt16(clamping: failure.status), type: failure.type, messageMember: .frontEnd)
        var answer = response(form, message: failure.message)
        answer.isFromStranger = true
        return answer
    }

    private static func response(_ form: ErrorWireForm, message: String?) -> HTTPResponse {
        var json = JSONWriter(capacity: 256)
        json.beginObject()
        json.member("__type", form.type)
        if let message {
            switch form.messageMember {
            case .service: json.member("Message", message)
            case .frontEnd: json.member("message", message)
            }
        }
        json.endObject()
        return HTTPResponse(status: form.status, body: json.finish())
    }

    // MARK: Answers that are not JSON errors (sigv4 section 4, rows 1, 2 and 5)

    /// Row 1: no operation can be read out of the request at all.
    static var noOperation: HTTPResponse {
        xml(
            status: 403,
            "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized</Message>\n</AccessDeniedException>\n")
    }

    /// Row 2: the content type speaks another protocol.
    static var unknownProtocol: HTTPResponse { xml(status: 404, "<UnknownOperationException/>\n") }

    /// Row 5: `application/json` is another protocol of AWS's front end.
    static var plainJSON: HTTPResponse {
        let body = #"{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}"#
        return HTTPResponse(status: 404, contentType: "application/json", body: ByteBuffer(string: body))
    }

    private static func xml(status: UInt16, _ text: String) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "text/xml", body: ByteBuffer(string: text))
    }
}
