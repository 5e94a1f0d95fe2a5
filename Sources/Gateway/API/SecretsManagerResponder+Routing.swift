/// Rows 1 to 6 of sigv4.md section 4: what can be said of a request without knowing who sends it.
extension SecretsManagerResponder {
    enum Route {
        case operation(any Operation.Type)
        /// With a name for the log.
        case refused(HTTPResponse, reason: String)
    }

    static func route(_ request: borrowing HTTPRequest) -> Route {
        // Row 1. AWS ignores the path; here nothing but "/" is an endpoint (sigv4.md section 5).
        guard request.methodIs("POST"), request.pathIs("/") else { return .refused(ErrorBody.noOperation, reason: "AccessDeniedException") }
        let target = request.withHeader("x-amz-target", OperationTable.operation(target:))
        let hasTarget = target != nil
        let operation = target.flatMap { $0 }
        // No decompression before authentication.
        if let encoded = request.withHeader("content-encoding", { !isIdentity($0) }), encoded {
            return .refused(ErrorBody.response(for: APIError(.serialization, nil)), reason: "SerializationException")
        }
        // First as every SDK writes it, then with parameters and in capitals.
        let contentType: ContentType =
            request.headerEquals("content-type", "application/x-amz-json-1.1")
            ? .awsJSON : request.withHeader("content-type") { ContentType($0) } ?? .other
        // Row 2.
        if contentType == .other && request.bodyByteCount > 0 {
            return hasTarget
                ? .refused(ErrorBody.unknownProtocol, reason: "UnknownOperationException")
                : .refused(ErrorBody.noOperation, reason: "AccessDeniedException")
        }
        // Rows 3 and 4.
        guard request.withBody({ looksLikeObject($0) }) else {
            return operation == nil && request.bodyByteCount == 0
                ? .refused(ErrorBody.response(for: APIError(.unknownOperation, nil)), reason: "UnknownOperationException")
                : .refused(ErrorBody.response(for: APIError(.serialization, nil)), reason: "SerializationException")
        }
        // Row 5.
        if contentType == .plainJSON { return .refused(ErrorBody.plainJSON, reason: "UnknownOperationException") }
        // Row 6.
        guard let operation else {
            return .refused(ErrorBody.response(for: APIError(.unknownOperation, nil)), reason: "UnknownOperationException")
        }
        return .operation(operation)
    }

    /// The protocols that the front end tells apart by content type. Parameters, such as a character set, do not count.
    private enum ContentType {
        case awsJSON
        case plainJSON
        case other

        init(_ value: RawSpan) {
            self = value.withUnsafeBytes { bytes in
                let type = bytes.prefix { $0 != UInt8(ascii: ";") }.reversed().drop { $0 == 0x20 || $0 == 0x09 }.reversed()
                func equals(_ name: StaticString) -> Bool {
                    let name = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
                    return type.count == name.count && zip(type, name).allSatisfy { ($0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0) == $1 }
                }
                return equals("application/x-amz-json-1.1") ? .awsJSON : equals("application/json") ? .plainJSON : .other
            }
        }
    }

    private static func isIdentity(_ value: RawSpan) -> Bool {
        value.withUnsafeBytes { $0.isEmpty || $0.elementsEqual("identity".utf8) }
    }

    /// Row 4 without parsing: the first byte that is no blank opens an object, the last one closes it.
    private static func looksLikeObject(_ body: RawSpan) -> Bool {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
        return body.withUnsafeBytes { bytes in
            bytes.first { !isBlank($0) } == UInt8(ascii: "{") && bytes.last { !isBlank($0) } == UInt8(ascii: "}")
        }
    }
}
