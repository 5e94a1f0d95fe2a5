package import OpenSSL

/// Signs requests as an AWS client does, with SigV4 in the `Authorization` header. For our own command line and for tests.
package struct RequestSigner: Sendable {
    private let accessKeyID: String
    private let secret: SecretBytes
    private let region: String
    private let service: String

    package init(accessKeyID: String, secret: SecretBytes, region: String, service: String) {
        self.accessKeyID = accessKeyID
        self.secret = secret
        self.region = region
        self.service = service
    }

    /// The headers to add to a request without a query.
    ///
    /// - Parameters:
    ///   - path: The path as it goes over the wire, already percent-encoded.
    ///   - headers: Every header that is to be signed; `host` must be among them, and a session token if there is one. Lines of one
    ///     name are joined in the order given.
    ///   - millisecondsSince1970: The wall clock.
    /// - Returns: `x-amz-date` and `authorization`.
    /// - Precondition: There is a `host` header and not more than 64 headers altogether.
    package func sign(
        method: String = "POST", path: String = "/", headers: [(name: String, value: String)], body: RawSpan,
        now millisecondsSince1970: Int64
    ) -> [(name: String, value: String)] {
        let time = SigningTime(millisecondsSince1970: millisecondsSince1970).text
        let date = String(time.prefix(SigningTime.dateByteCount))
        let scope = "\(date)/\(region)/\(service)/\(SigV4.terminator)"
        let request = lines(method: method, path: path, headers: headers + [("x-amz-date", time)])
        precondition(request.names.contains("host"), "a signature without the host is refused by every service")
        precondition(request.layout.fields.count <= RequestVerifier.signedHeaderCountMax, "no request needs so many signed headers")
        let signedHeaders = request.names.joined(separator: ";")

        // The same writer as the verifier's. What it writes is held against other implementations in the tests.
        let bytes = request.bytes.span.bytes
        var canonical = CanonicalRequest(reservingCapacity: 256 + request.bytes.count)
        canonical.appendRequestLine(request.layout, in: bytes, query: QueryString())
        for name in request.names {
            let name = Array(name.utf8)
            _ = canonical.appendHeader(0..<name.count, of: name.span.bytes, request.layout.fields, in: bytes)
        }
        let end = Array(signedHeaders.utf8)
        canonical.appendEnd(signedHeaders: 0..<end.count, of: end.span.bytes, bodyHash: SHA256.hash(body))
        let text = Array((time + scope).utf8)
        canonical.becomeStringToSign(date: 0..<time.utf8.count, scope: time.utf8.count..<text.count, of: text.span.bytes)

        let key = SigningKey.derive(
            secret: secret, date: text.span.bytes.extracting(0..<SigningTime.dateByteCount), region: Array(region.utf8),
            service: Array(service.utf8))
        let signature = key.authenticate(canonical.text.span.bytes).hex
        let authorization =
            "\(SigV4.algorithm) Credential=\(accessKeyID)/\(scope), SignedHeaders=\(signedHeaders), Signature=\(signature)"
        return [("x-amz-date", time), ("authorization", authorization)]
    }

    /// Lays a request out as if it had been received.
    private func lines(
        method: String, path: String, headers: [(name: String, value: String)]
    ) -> (bytes: [UInt8], layout: RequestLayout, names: [String]) {
        var bytes: [UInt8] = []
        func add(_ text: String) -> Range<Int> {
            let start = bytes.count
            bytes.append(contentsOf: text.utf8)
            return start..<bytes.count
        }
        let (methodRange, pathRange) = (add(method), add(path))
        let named = headers.map { (name: $0.name.lowercased(), value: $0.value) }
        let fields = named.map { RequestLayout.Field(name: add($0.name), value: add($0.value)) }
        let layout = RequestLayout(method: methodRange, path: pathRange, query: 0..<0, fields: fields, body: 0..<0)
        return (bytes, layout, Set(named.map(\.name)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }
}
