import Testing

/// A row of ``SignedRequestTable``.
struct SignedRequest: Sendable, CustomTestStringConvertible {
    let name: String
    let request: WireRequest
    let signature: String

    /// Header form.
    init(
        _ name: String, _ method: String, _ target: String, signedHeaders: String, headers: [(String, String)] = [], body: String = "",
        signature: String
    ) {
        self.name = name
        self.signature = signature
        var request = WireRequest(method: method, target: target, headers: [("Host", Self.host)] + headers, body: body)
        request["X-Amz-Date"] = Example.timeText
        request["Authorization"] =
            "AWS4-HMAC-SHA256 Credential=\(Self.credential), SignedHeaders=\(signedHeaders), Signature=\(signature)"
        self.request = request
    }

    /// Presigned form, with the parameters in botocore's order.
    init(
        _ name: String, _ method: String, query: String, expires: Int, signedHeaders: String, token: String? = nil,
        headers: [(String, String)] = [], body: String = "", signature: String
    ) {
        self.name = name
        self.signature = signature
        func encoded(_ text: String) -> String {
            text.utf8.map { byte in
                let scalar = Unicode.Scalar(byte)
                return "/;+=".unicodeScalars.contains(scalar) ? "%" + String(byte, radix: 16, uppercase: true) : String(scalar)
            }.joined()
        }
        var target = "/?" + (query.isEmpty ? "" : query + "&")
        target += "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\(encoded(Self.credential))&X-Amz-Date=\(Example.timeText)"
        target += "&X-Amz-Expires=\(expires)&X-Amz-SignedHeaders=\(encoded(signedHeaders))"
        if let token { target += "&X-Amz-Security-Token=\(encoded(token))" }
        target += "&X-Amz-Signature=\(signature)"
        request = WireRequest(method: method, target: target, headers: [("Host", Self.host)] + headers, body: body)
    }

    static let host = "example.amazonaws.com"
    static let credential = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"

    var testDescription: String { name }
}
