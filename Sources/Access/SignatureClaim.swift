/// What a request says about its signature, before anything of it has been believed.
///
/// The ranges lie in one text: the received bytes for the header form, the decoded query for the presigned form.
struct SignatureClaim {
    var algorithm: Range<Int>
    var credential: Range<Int>
    var signedHeaders: Range<Int>
    var signature: Range<Int>
    /// `YYYYMMDDThhmmssZ`, not checked yet.
    var date: Range<Int>
    /// How long the signature is good for, in seconds; never more than ``RequestVerifier/windowSeconds``.
    var validSeconds: Int64
    /// The presigned form's own signature among the query parameters, which the canonical query leaves out.
    var signatureParameter: Int?
    var hasSessionToken: Bool
}

// MARK: The header form

extension SignatureClaim {
    /// Takes the `Authorization` header apart: the algorithm up to the first blank, then parameters between commas or blanks.
    ///
    /// The algorithm is not judged here: AWS looks at the date and at `host` first.
    init(header: Range<Int>, _ headers: HeaderIndex, in text: RawSpan) throws(AuthenticationFailure) {
        let algorithmEnd = text.firstOffset(of: ASCII.blank, in: header) ?? header.upperBound
        let parameters = try AuthorizationParameters(algorithmEnd..<header.upperBound, header: header, in: text)

        var missing = parameters.missing
        let date = headers.amzDate ?? 0..<0
        if date.isEmpty && headers.date == nil { missing.insert(.date) }
        guard missing.isEmpty, let credential = parameters.credential, let signature = parameters.signature,
            let signedHeaders = parameters.signedHeaders
        else { throw .incompleteHeader(missing: missing, header: CallerText.escaped(header, of: text)) }
        try parameters.refuseExtras(in: text)
        guard !date.isEmpty else { throw .refused(.onlyDateHeader) }

        self.init(
            algorithm: header.lowerBound..<algorithmEnd, credential: credential, signedHeaders: signedHeaders, signature: signature,
            date: date, validSeconds: RequestVerifier.windowSeconds, signatureParameter: nil,
            hasSessionToken: headers.securityToken != nil)
    }
}

/// The `name=value` parts of an `Authorization` header.
private struct AuthorizationParameters {
    var credential: Range<Int>?
    var signature: Range<Int>?
    var signedHeaders: Range<Int>?
    private var repeated: Range<Int>?
    private var unknown: Range<Int>?

    init(_ range: Range<Int>, header: Range<Int>, in text: RawSpan) throws(AuthenticationFailure) {
        var start = range.lowerBound
        while start < range.upperBound {
            let comma = text.firstOffset(of: ASCII.comma, in: start..<range.upperBound) ?? range.upperBound
            let end = text.firstOffset(of: ASCII.blank, in: start..<comma) ?? comma
            if start < end { try take(start..<end, header: header, in: text) }
            start = end + 1
        }
    }

    private mutating func take(_ part: Range<Int>, header: Range<Int>, in text: RawSpan) throws(AuthenticationFailure) {
        guard let equals = text.firstOffset(of: ASCII.equals, in: part) else {
            throw .notKeyValuePair(part: CallerText.escaped(part, of: text), header: CallerText.escaped(header, of: text))
        }
        let name = part.lowerBound..<equals
        let value = equals + 1..<part.upperBound
        func set(_ parameter: inout Range<Int>?) {
            if parameter != nil { repeated = name }
            parameter = value
        }
        if text.isEqual(name, to: "Credential") {
            set(&credential)
        } else if text.isEqual(name, to: "SignedHeaders") {
            set(&signedHeaders)
        } else if text.isEqual(name, to: "Signature") {
            set(&signature)
        } else {
            unknown = name
        }
    }

    /// Parameters that are not there, or empty.
    var missing: AuthenticationFailure.Parts {
        var missing: AuthenticationFailure.Parts = []
        if credential?.isEmpty ?? true { missing.insert(.credential) }
        if signature?.isEmpty ?? true { missing.insert(.signature) }
        if signedHeaders?.isEmpty ?? true { missing.insert(.signedHeaders) }
        return missing
    }

    /// Refuses what two readers of one header could understand in two ways.
    func refuseExtras(in text: RawSpan) throws(AuthenticationFailure) {
        if let repeated { throw .refused(.repeatedParameter(CallerText.escaped(repeated, of: text))) }
        if let unknown { throw .refused(.unknownParameter(CallerText.escaped(unknown, of: text))) }
    }
}

// MARK: The presigned form

extension SignatureClaim {
    /// Longest `X-Amz-Expires` that AWS's clients can ask for, in seconds: one week. A longer stretch than
    /// ``RequestVerifier/windowSeconds`` is cut to that.
    static let expiresSecondsMax = 604_800

    /// Takes the parameters of a presigned request. `text` is the query's decoded form.
    init(_ query: QueryString, _ headers: HeaderIndex, in text: RawSpan) throws(AuthenticationFailure) {
        try Self.refuseRepetition(in: query, text)
        var missing: AuthenticationFailure.Parts = []
        func value(_ name: StaticString, _ part: AuthenticationFailure.Parts) -> Range<Int> {
            let value = query.index(of: name).map { query.parameters[$0].value } ?? 0..<0
            if value.isEmpty { missing.insert(part) }
            return value
        }
        let algorithm = value("X-Amz-Algorithm", .algorithm)
        let credential = value("X-Amz-Credential", .credential)
        let signature = value("X-Amz-Signature", .signature)
        let signedHeaders = value("X-Amz-SignedHeaders", .signedHeaders)
        let date = value("X-Amz-Date", .date)
        guard missing.isEmpty else { throw .incompleteQuery(missing: missing) }

        self.init(
            algorithm: algorithm, credential: credential, signedHeaders: signedHeaders, signature: signature, date: date,
            validSeconds: try Self.validSeconds(query, text), signatureParameter: query.index(of: "X-Amz-Signature"),
            hasSessionToken: query.index(of: "X-Amz-Security-Token") != nil || headers.securityToken != nil)
    }

    private static func refuseRepetition(in query: QueryString, _ text: RawSpan) throws(AuthenticationFailure) {
        let names = query.parameters.map(\.name).filter { text.starts($0, with: "X-Amz-") }
        let sorted = names.sorted { query.decoded.span.bytes.isOrdered($0, before: $1) }
        for (a, b) in zip(sorted, sorted.dropFirst()) where text.isEqual(a, to: b, of: text) {
            throw .refused(.repeatedParameter(CallerText.escaped(a, of: text)))
        }
    }

    private static func validSeconds(_ query: QueryString, _ text: RawSpan) throws(AuthenticationFailure) -> Int64 {
        guard let index = query.index(of: "X-Amz-Expires") else { return RequestVerifier.windowSeconds }
        let range = query.parameters[index].value
        var seconds = 0
        var isNumber = 1...6 ~= range.count // six digits reach a week and cannot overflow
        for i in range where isNumber {
            isNumber = ASCII.isDigit(text.byte(at: i))
            if isNumber { seconds = seconds * 10 + Int(text.byte(at: i) - UInt8(ascii: "0")) }
        }
        guard isNumber, 1...expiresSecondsMax ~= seconds else {
            throw .refused(.malformedExpires(CallerText.escaped(range, of: text)))
        }
        return min(Int64(seconds), RequestVerifier.windowSeconds)
    }
}
