internal import NIOCore

/// Turns answers into bytes: head and body in one piece, so that an answer is one TLS record and one packet where it fits.
struct HTTPResponseEncoder {
    /// The answer that asks a client to send its body (RFC 9110, section 15.2.1).
    static let interimContinue: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"
    /// Room for everything of a head but the content type and the further headers, in bytes: fixed texts, the longest reason, a date, an
    /// id, and a length of 20 digits.
    private static let fixedHeadByteCountMax = 320

    private let secondsSince1970: @Sendable () -> Int64
    private var date = HTTPDate()

    /// - Parameter secondsSince1970: The clock for `Date`.
    init(secondsSince1970: @escaping @Sendable () -> Int64) {
        self.secondsSince1970 = secondsSince1970
    }

    /// Whether every header byte may be sent: no line end can be smuggled into the head.
    static func isWellFormed(_ response: HTTPResponse) -> Bool {
        (response.contentType == HTTPResponse.awsJSON || response.contentType.utf8.allSatisfy(HTTPCharacters.isFieldValue))
            && response.headers.allSatisfy { header in
                !header.name.isEmpty && header.name.utf8.allSatisfy(HTTPCharacters.isToken)
                    && header.value.utf8.allSatisfy(HTTPCharacters.isFieldValue)
            }
    }

    /// How much room ``encode(_:id:closes:isHead:into:)`` needs at most, in bytes.
    static func byteCountMax(of response: HTTPResponse) -> Int {
        response.headers.reduce(fixedHeadByteCountMax + response.contentType.utf8.count + response.body.readableBytes) {
            $0 + $1.name.utf8.count + $1.value.utf8.count + 4
        }
    }

    /// Writes one answer.
    ///
    /// - Parameters:
    ///   - closes: Whether the connection ends after it.
    ///   - isHead: Whether it answers a HEAD request: the length is told, the content is not sent.
    ///   - output: Has room for ``byteCountMax(of:)`` bytes.
    /// - Returns: Number of bytes written.
    mutating func encode(_ response: HTTPResponse, id: RequestID, closes: Bool, isHead: Bool, into output: UnsafeMutableRawBufferPointer) -> Int {
        var cursor = ByteCursor(output)
        cursor.append("HTTP/1.1 ")
        cursor.append(decimal: Int(response.status))
        cursor.append(Self.reason(response.status))
        cursor.append("\r\nx-amzn-RequestId: ")
        cursor.append(count: RequestID.textByteCount) { id.write(to: $0) }
        cursor.append("\r\nContent-Type: ")
        cursor.append(response.contentType)
        cursor.append("\r\nContent-Length: ")
        cursor.append(decimal: response.body.readableBytes)
        cursor.append("\r\nDate: ")
        date.withText(at: secondsSince1970()) { cursor.append($0) }
        for header in response.headers {
            cursor.append("\r\n")
            cursor.append(header.name)
            cursor.append(": ")
            cursor.append(header.value)
        }
        cursor.append(closes ? "\r\nConnection: close\r\n\r\n" : "\r\nConnection: keep-alive\r\n\r\n")
        if !isHead { response.body.withUnsafeReadableBytes { cursor.append($0) } }
        return cursor.count
    }

    /// The reason phrase with a blank before it. Nobody reads it; an unknown status has an empty one (RFC 9112, section 4).
    private static func reason(_ status: UInt16) -> StaticString {
        switch status {
        case 200: " OK"
        case 400: " Bad Request"
        case 403: " Forbidden"
        case 404: " Not Found"
        case 405: " Method Not Allowed"
        case 413: " Content Too Large"
        case 415: " Unsupported Media Type"
        case 417: " Expectation Failed"
        case 429: " Too Many Requests"
        case 431: " Request Header Fields Too Large"
        case 500: " Internal Server Error"
        case 503: " Service Unavailable"
        case 505: " HTTP Version Not Supported"
        default: " "
        }
    }
}
