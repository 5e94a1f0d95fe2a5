import OpenSSL

/// Checks the SigV4 signature of requests to one service in one region, on the bytes that were received.
///
/// It answers who signed, or the error that AWS gives. It does not parse the body and believes nothing in the request before the
/// signature is right. Safe from any thread; nothing in it waits but for a short lock around the cache of derived keys.
///
/// Source: AWS General Reference, "Signature Version 4 signing process"; the order of the checks is that of AWS's JSON services.
package final class RequestVerifier: Sendable {
    /// How far the clocks of client and server may differ, each way, in seconds. AWS's value for Secrets Manager; the limit itself is
    /// still accepted.
    package static let windowSeconds: Int64 = 300
    /// Longest `Authorization` header, in bytes.
    package static let authorizationByteCountMax = 4 * 1024
    /// Most names in `SignedHeaders`. Clients send up to a dozen.
    package static let signedHeaderCountMax = 64
    /// Most header lines of a request. The HTTP parser stops earlier.
    package static let fieldCountMax = FieldSet.fieldCountMax
    /// Longest access key id that is looked up, in characters (`AccessKeyId` of the IAM API).
    static let keyIDByteCountMax = AccessKey.idCharacterCounts.upperBound
    /// `window` in the texts about expiry.
    private static let windowText = "5 min."

    private let region: [UInt8]
    private let service: [UInt8]
    private let serviceName: String
    private let hosts: HostList?
    private let acceptsPresigned: Bool
    private let keys: @Sendable (String) -> AccessKey?
    /// Derived keys; tests count in it.
    let cache: SigningKeyCache
    /// Stands in for keys that do not exist, so that they cost as much as those that do.
    private let impostor: AccessKey

    /// - Parameters:
    ///   - region: The only region that credentials may be scoped to.
    ///   - service: The signing name of the service, `secretsmanager`.
    ///   - partition: The partition in the ARNs of principals.
    ///   - hosts: What `Host` may say (`name` or `name:port`); `nil` for anything.
    ///   - acceptsPresigned: Whether the signature may be in the query. Such a request is good for at most ``windowSeconds``,
    ///     whatever its `X-Amz-Expires` says. When false, a presigned request counts as not signed.
    ///   - keys: Looks an access key up by its id, at every request; called on the caller's thread.
    package init(
        region: String, service: String, partition: String = "aws", hosts: [String]? = nil, acceptsPresigned: Bool = false,
        keys: @escaping @Sendable (String) -> AccessKey?
    ) {
        self.region = Array(region.utf8)
        self.service = Array(service.utf8)
        serviceName = service
        self.hosts = hosts.map { HostList($0) }
        self.acceptsPresigned = acceptsPresigned
        self.keys = keys
        cache = SigningKeyCache(partition: partition)
        impostor = AccessKey(
            id: "", secret: AccessKey.randomSecret(), account: "000000000000", isActive: false, generation: 0)
    }

    /// Checks one request.
    ///
    /// - Parameters:
    ///   - layout: Where the parts of the request lie in `bytes`.
    ///   - millisecondsSince1970: The server's wall clock.
    /// - Returns: Who signed it.
    /// - Throws: The answer to give, first fault first.
    package func verify(
        _ layout: RequestLayout, in bytes: RawSpan, now millisecondsSince1970: Int64
    ) throws(AuthenticationFailure) -> Principal {
        let headers = try HeaderIndex(layout, in: bytes)
        let query = try QueryString(layout.query, of: bytes)
        let now = SigningTime(millisecondsSince1970: millisecondsSince1970)
        let header = headers.authorization.flatMap { $0.isEmpty ? nil : $0 }
        let isPresigned = query.index(of: "X-Amz-Algorithm") != nil

        switch (header, isPresigned) {
        case (.some, true):
            throw .bothCarriers
        case (.some(let header), false):
            guard header.count <= Self.authorizationByteCountMax else { throw .refused(.authorizationTooLong) }
            let claim = try SignatureClaim(header: header, headers, in: bytes)
            return try verify(claim, in: bytes, Received(layout: layout, headers: headers, query: query), bytes, now)
        case (nil, true) where acceptsPresigned:
            let text = query.decoded.span.bytes
            let claim = try SignatureClaim(query, headers, in: text)
            return try verify(claim, in: text, Received(layout: layout, headers: headers, query: query), bytes, now)
        case (nil, _):
            throw .missingToken
        }
    }

    /// A request, read as far as the headers and the query.
    private struct Received {
        let layout: RequestLayout
        let headers: HeaderIndex
        let query: QueryString
    }

    private func verify(
        _ claim: SignatureClaim, in text: RawSpan, _ request: Received, _ bytes: RawSpan, _ now: SigningTime
    ) throws(AuthenticationFailure) -> Principal {
        try checkDate(claim, in: text, now)
        guard Self.isHostSigned(claim.signedHeaders, in: text) else { throw .hostNotSigned }
        guard text.isEqual(claim.algorithm, to: SigV4.algorithm) else {
            throw .unsupportedAlgorithm(CallerText.escaped(claim.algorithm, of: text))
        }
        let credential = try checkCredential(claim, in: text)

        // A signature of another form cannot be right: nothing is hashed and no key is looked up for it.
        guard let signature = Digest(hex: text.extracting(claim.signature)) else { throw .signatureMismatch }
        try checkTarget(request, bytes)
        var canonical = try canonicalRequest(claim, in: text, request, bytes)
        canonical.becomeStringToSign(date: claim.date, scope: credential.scope, of: text)
        return try decide(claim, credential, in: text, signature: signature, stringToSign: canonical.text.span.bytes)
    }

    // MARK: Time

    private func checkDate(_ claim: SignatureClaim, in text: RawSpan, _ now: SigningTime) throws(AuthenticationFailure) {
        guard let signed = SigningTime(claim.date, of: text) else { throw .malformedDate(CallerText.escaped(claim.date, of: text)) }
        let oldest = now.adding(seconds: -claim.validSeconds)
        let newest = now.adding(seconds: Self.windowSeconds)
        if signed.secondsSince1970 < oldest.secondsSince1970 {
            let window = claim.validSeconds == Self.windowSeconds ? Self.windowText : "\(claim.validSeconds) sec."
            throw .expired(signed: signed.text, oldest: oldest.text, now: now.text, window: window)
        }
        if signed.secondsSince1970 > newest.secondsSince1970 {
            throw .notYetCurrent(signed: signed.text, newest: newest.text, now: now.text, window: Self.windowText)
        }
    }

    // MARK: Credential

    /// The fields of a credential, as ranges.
    private struct Credential {
        let keyID: Range<Int>
        let date: Range<Int>
        /// Date, region, service and terminator together.
        let scope: Range<Int>
    }

    /// Compares every field of the scope with what it must be. Region and service are part of the key derivation as well; the
    /// terminator is not, since the server puts in its own.
    private func checkCredential(_ claim: SignatureClaim, in text: RawSpan) throws(AuthenticationFailure) -> Credential {
        guard let fields = Self.fiveFields(of: claim.credential, in: text) else {
            throw .malformedCredential(CallerText.escaped(claim.credential, of: text))
        }
        let signedDate = claim.date.prefix(SigningTime.dateByteCount)

        var faults = AuthenticationFailure.ScopeFaults()
        faults.isRegionWrong = !text.isEqual(fields.2, to: region)
        if !text.isEqual(fields.3, to: service) { faults.expectedService = serviceName }
        if !text.isEqual(fields.4, to: SigV4.terminator) { faults.terminator = CallerText.escaped(fields.4, of: text) }
        if !text.isEqual(fields.1, to: signedDate, of: text) {
            faults.date = (CallerText.escaped(fields.1, of: text), CallerText.escaped(claim.date, of: text))
        }
        guard faults == AuthenticationFailure.ScopeFaults() else { throw .wrongScope(faults) }
        return Credential(keyID: fields.0, date: fields.1, scope: fields.1.lowerBound..<claim.credential.upperBound)
    }

    private typealias Fields = (Range<Int>, Range<Int>, Range<Int>, Range<Int>, Range<Int>)

    /// What stands between slashes, if there are exactly four of them.
    private static func fiveFields(of range: Range<Int>, in text: RawSpan) -> Fields? {
        var start = range.lowerBound
        func next() -> Range<Int>? {
            guard let end = text.firstOffset(of: ASCII.slash, in: start..<range.upperBound) else { return nil }
            defer { start = end + 1 }
            return start..<end
        }
        guard let a = next(), let b = next(), let c = next(), let d = next(), next() == nil else { return nil }
        return (a, b, c, d, start..<range.upperBound)
    }

    // MARK: What is signed

    /// AWS looks for `host` without regard to case, and only later finds that the names must be lower-case.
    private static func isHostSigned(_ names: Range<Int>, in text: RawSpan) -> Bool {
        let host: StaticString = "host"
        var matched = 0 // bytes of the current name that agree with `host`; none of a name that cannot match any more
        var nameByteCount = 0
        for i in names {
            let byte = ASCII.lowerCased(text.byte(at: i))
            if byte == ASCII.semicolon {
                if matched == 4 && nameByteCount == 4 { return true }
                (matched, nameByteCount) = (0, 0)
            } else {
                if matched == nameByteCount && matched < 4 && byte == host.utf8Start[matched] { matched += 1 }
                nameByteCount += 1
            }
        }
        return matched == 4 && nameByteCount == 4
    }

    private func checkTarget(_ request: Received, _ bytes: RawSpan) throws(AuthenticationFailure) {
        // Everything lives at the root. A path that the canonical form would change could change without the signature noticing.
        guard bytes.isEqual(request.layout.path, to: "/") else { throw .refused(.wrongPath) }
        if let hosts, let host = request.headers.host, !hosts.contains(host, of: bytes) {
            throw .refused(.wrongHost(CallerText.escaped(host, of: bytes)))
        }
    }

    private func canonicalRequest(
        _ claim: SignatureClaim, in text: RawSpan, _ request: Received, _ bytes: RawSpan
    ) throws(AuthenticationFailure) -> CanonicalRequest {
        // All bytes but the body's, with room for the hash and for what the canonical query adds.
        var canonical = CanonicalRequest(reservingCapacity: 256 + max(0, bytes.byteCount - request.layout.body.count))
        canonical.appendRequestLine(request.layout, in: bytes, query: request.query, leavingOut: claim.signatureParameter)
        let signed = try appendSignedHeaders(claim.signedHeaders, in: text, request.layout.fields, bytes, to: &canonical)

        for (i, field) in request.layout.fields.enumerated()
        where !signed.contains(i) && HeaderIndex.mustBeSigned(field.name, in: bytes) {
            throw .refused(.unsignedHeader(CallerText.escaped(field.name, of: bytes)))
        }
        let bodyHash = SHA256.hash(bytes.extracting(request.layout.body))
        if let sent = request.headers.contentDigest, Digest(hex: bytes.extracting(sent)) != bodyHash {
            throw .refused(.wrongContentDigest)
        }
        canonical.appendEnd(signedHeaders: claim.signedHeaders, of: text, bodyHash: bodyHash)
        return canonical
    }

    private func appendSignedHeaders(
        _ names: Range<Int>, in text: RawSpan, _ fields: [RequestLayout.Field], _ bytes: RawSpan, to canonical: inout CanonicalRequest
    ) throws(AuthenticationFailure) -> FieldSet {
        var signed = FieldSet()
        var previous: Range<Int>?
        var nameCount = 0
        var start = names.lowerBound
        while start <= names.upperBound {
            let end = text.firstOffset(of: ASCII.semicolon, in: start..<names.upperBound) ?? names.upperBound
            let name = start..<end
            nameCount += 1
            guard nameCount <= Self.signedHeaderCountMax else { throw .refused(.tooManySignedHeaders) }
            guard Self.isLowerCase(name, in: text), previous.map({ text.isOrdered($0, before: name) }) ?? true else {
                throw .refused(.malformedSignedHeaders)
            }
            let taken = canonical.appendHeader(name, of: text, fields, in: bytes)
            guard !taken.isEmpty else { throw .refused(.absentSignedHeader(CallerText.escaped(name, of: text))) }
            signed.formUnion(taken)
            previous = name
            start = end + 1
        }
        return signed
    }

    private static func isLowerCase(_ name: Range<Int>, in text: RawSpan) -> Bool {
        for i in name where ASCII.isUpperCase(text.byte(at: i)) { return false }
        return !name.isEmpty
    }

    // MARK: The decision

    /// Finds the key and compares the signatures. Whether the key exists shows in the answer only: both ways go through the same
    /// cache, one HMAC and one comparison. (The first use of an existing key on a day derives it, four HMACs more.)
    private func decide(
        _ claim: SignatureClaim, _ credential: Credential, in text: RawSpan, signature: Digest, stringToSign: RawSpan
    ) throws(AuthenticationFailure) -> Principal {
        let id = keyID(credential.keyID, in: text)
        let found = id.flatMap(keys).flatMap { $0.isActive && $0.id == id ? $0 : nil }
        let key = found ?? impostor
        let material = cache.material(for: key, day: Self.day(credential.date, in: text), forgetting: found == nil ? id : nil) {
            SigningKey.derive(secret: key.secret, date: text.extracting(credential.date), region: region, service: service)
        }
        let isRight = material.key.authenticate(stringToSign).isEqualInConstantTime(to: signature)

        guard found != nil else {
            // There are no sessions: no token can be opened, so a temporary key that brings one is told that the token is bad.
            let isTemporary = id?.hasPrefix(AccessKey.temporaryPrefix) ?? false
            throw claim.hasSessionToken && isTemporary ? .invalidSessionToken : .unknownAccessKey
        }
        guard isRight else { throw .signatureMismatch }
        guard !claim.hasSessionToken else { throw .invalidSessionToken }
        return material.principal
    }

    /// The key id, if it has a form that is worth a lookup.
    private func keyID(_ range: Range<Int>, in text: RawSpan) -> String? {
        guard 1...Self.keyIDByteCountMax ~= range.count else { return nil }
        for i in range where !AccessKey.isIDCharacter(text.byte(at: i)) { return nil }
        return text.extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// The 8 characters of a date as one number, which sorts as they do.
    private static func day(_ date: Range<Int>, in text: RawSpan) -> UInt64 {
        var day: UInt64 = 0
        for i in date { day = day << 8 | UInt64(text.byte(at: i)) }
        return day
    }
}
