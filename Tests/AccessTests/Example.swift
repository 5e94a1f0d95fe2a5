import OpenSSL

@testable import Access

/// The credentials and the moment of AWS's published examples, and a request to our service.
enum Example {
    static let keyID = "AKIDEXAMPLE"
    static let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    static let account = "123456789012"
    /// 2015-08-30T12:36:00Z, in milliseconds since 1970.
    static let now: Int64 = 1_440_938_160_000
    static let timeText = "20150830T123600Z"

    static func secretBytes(_ text: String = secret) -> SecretBytes { SecretBytes(copying: text.utf8Array.span.bytes) }

    static func key(
        id: String = keyID, secret: String = secret, account: String = account, isActive: Bool = true, generation: UInt64 = 1
    ) -> AccessKey {
        AccessKey(id: id, secret: secretBytes(secret), account: account, isActive: isActive, generation: generation)
    }

    /// A verifier for `secretsmanager` that knows the example key only.
    static func verifier(service: String = "secretsmanager", hosts: [String]? = nil, acceptsPresigned: Bool = true) -> RequestVerifier {
        let key = key()
        return RequestVerifier(region: "us-east-1", service: service, hosts: hosts, acceptsPresigned: acceptsPresigned) {
            $0 == key.id ? key : nil
        }
    }

    /// GetSecretValue, not signed yet.
    static let request = WireRequest(
        headers: [
            ("Host", "localhost:8443"), ("Content-Type", "application/x-amz-json-1.1"),
            ("X-Amz-Target", "secretsmanager.GetSecretValue"), ("X-Amz-Date", timeText),
        ], body: #"{"SecretId":"one"}"#)

    /// GetSecretValue, signed by the example key.
    static let signed = NaiveSigner().sign(request)
}

/// A second implementation of the signing side, with strings and without shortcuts, that can also be told to do it wrong.
struct NaiveSigner: Sendable {
    var keyID = Example.keyID
    var secret = Example.secret
    var algorithm = "AWS4-HMAC-SHA256"
    var scopeDate = "20150830"
    var region = "us-east-1"
    var service = "secretsmanager"
    var terminator = "aws4_request"
    /// `nil` for all headers of the request, sorted.
    var signedHeaders: [String]?
    /// The payload hash to sign, if not that of the body.
    var payloadHash: String?

    func sign(_ request: WireRequest) -> WireRequest {
        let names = signedHeaders ?? Set(request.headers.map { $0.name.lowercased() }).sorted()
        let scope = [scopeDate, region, service, terminator].joined(separator: "/")
        let signature = signature(request, names, date: request["x-amz-date"] ?? request["date"] ?? "", scope: scope, query: request.query)
        var signed = request
        signed.headers.append(
            (
                "Authorization",
                "\(algorithm) Credential=\(keyID)/\(scope), SignedHeaders=\(names.joined(separator: ";")), Signature=\(signature)"
            ))
        return signed
    }

    /// Puts the signature into the query.
    func presign(_ request: WireRequest, date: String = Example.timeText, parameters: String = "&X-Amz-Expires=300") -> WireRequest {
        let names = signedHeaders ?? Set(request.headers.map { $0.name.lowercased() }).sorted()
        let scope = [scopeDate, region, service, terminator].joined(separator: "/")
        let credential = "\(keyID)/\(scope)".split(separator: "/", omittingEmptySubsequences: false).joined(separator: "%2F")
        let own = request.query.isEmpty ? "" : request.query + "&"
        let query = own + "X-Amz-Algorithm=\(algorithm)&X-Amz-Credential=\(credential)&X-Amz-Date=\(date)"
            + parameters + "&X-Amz-SignedHeaders=" + names.joined(separator: "%3B")
        var signed = request
        signed.target = "\(request.path)?\(query)&X-Amz-Signature=" + signature(request, names, date: date, scope: scope, query: query)
        return signed
    }

    /// Takes the path as canonical, and the query as canonical but for its order.
    private func signature(_ request: WireRequest, _ names: [String], date: String, scope: String, query: String) -> String {
        var canonical = "\(request.method)\n\(request.path)\n"
        canonical += query.split(separator: "&").sorted().joined(separator: "&") + "\n"
        for name in names {
            let values = request.headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
            canonical += "\(name):\(values.joined(separator: ","))\n"
        }
        let hash = payloadHash ?? request["x-amz-content-sha256"] ?? SHA256.hash(request.body.utf8Array.span.bytes).hex
        canonical += "\n\(names.joined(separator: ";"))\n\(hash)"
        let text = "\(algorithm)\n\(date)\n\(scope)\n" + SHA256.hash(canonical.utf8Array.span.bytes).hex
        var key = "AWS4\(secret)".utf8Array
        for piece in [scopeDate, region, service, "aws4_request", text] {
            key = HMACKey(key.span.bytes).authenticate(piece.utf8Array.span.bytes).bytes
        }
        return key.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}

extension String {
    var utf8Array: [UInt8] { Array(utf8) }
}
