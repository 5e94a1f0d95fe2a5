import OpenSSL

/// Writes the canonical request of SigV4, piece after piece, into one array of bytes.
struct CanonicalRequest {
    private(set) var text: [UInt8] = []

    /// - Parameter byteCount: A guess at the length, so that the array is allocated once.
    init(reservingCapacity byteCount: Int) { text.reserveCapacity(byteCount) }

    /// The method, the path and the query.
    mutating func appendRequestLine(_ layout: RequestLayout, in bytes: RawSpan, query: QueryString, leavingOut parameter: Int? = nil) {
        text.append(layout.method, of: bytes)
        text.append(ASCII.newline)
        CanonicalPath.append(layout.path, of: bytes, to: &text)
        text.append(ASCII.newline)
        query.appendCanonical(leavingOut: parameter, to: &text)
        text.append(ASCII.newline)
    }

    /// All lines of the header called `name`, as one.
    ///
    /// - Returns: A bit for every field that was taken in; none when there is no such header, and then nothing was written.
    mutating func appendHeader(
        _ name: Range<Int>, of source: RawSpan, _ fields: [RequestLayout.Field], in bytes: RawSpan
    ) -> FieldSet {
        var taken = FieldSet()
        for i in fields.indices where bytes.isEqual(fields[i].name, to: name, of: source) {
            if taken.isEmpty {
                text.append(name, of: source)
                text.append(ASCII.colon)
            } else {
                text.append(ASCII.comma)
            }
            appendFolded(fields[i].value, of: bytes)
            taken.insert(i)
        }
        if !taken.isEmpty { text.append(ASCII.newline) }
        return taken
    }

    /// The names of the signed headers and the hash of the body, which end the request.
    mutating func appendEnd(signedHeaders: Range<Int>, of source: RawSpan, bodyHash: Digest) {
        text.append(ASCII.newline)
        text.append(signedHeaders, of: source)
        text.append(ASCII.newline)
        bodyHash.appendHex(to: &text)
    }

    /// Turns the canonical request into the string to sign, in the same memory.
    mutating func becomeStringToSign(date: Range<Int>, scope: Range<Int>, of source: RawSpan) {
        let hash = SHA256.hash(text.span.bytes)
        text.removeAll(keepingCapacity: true)
        text.append(SigV4.algorithm)
        text.append(ASCII.newline)
        text.append(date, of: source)
        text.append(ASCII.newline)
        text.append(scope, of: source)
        text.append(ASCII.newline)
        hash.appendHex(to: &text)
    }

    /// Appends a header's value: nothing at the ends, one blank for every run of blanks and tabs, also inside quotes.
    private mutating func appendFolded(_ value: Range<Int>, of bytes: RawSpan) {
        guard Self.needsFolding(value, of: bytes) else { return text.append(value, of: bytes) }
        var isBlankPending = false
        let start = text.count
        for i in value {
            let byte = bytes.byte(at: i)
            if byte == ASCII.blank || byte == ASCII.tab {
                isBlankPending = text.count > start
            } else {
                if isBlankPending { text.append(ASCII.blank) }
                isBlankPending = false
                text.append(byte)
            }
        }
    }

    /// Whether a value has a tab, two blanks in a row or a blank at an end. Hardly any has.
    private static func needsFolding(_ value: Range<Int>, of bytes: RawSpan) -> Bool {
        guard bytes.firstOffset(of: ASCII.blank, in: value) != nil || bytes.firstOffset(of: ASCII.tab, in: value) != nil else { return false }
        var previous = ASCII.blank
        for i in value {
            let byte = bytes.byte(at: i)
            if byte == ASCII.tab || (byte == ASCII.blank && previous == ASCII.blank) { return true }
            previous = byte
        }
        return !value.isEmpty && previous == ASCII.blank
    }
}

/// Some of the header lines of a request, by their place in it.
struct FieldSet {
    private var bits: UInt128 = 0
    static let fieldCountMax = UInt128.bitWidth

    var isEmpty: Bool { bits == 0 }
    mutating func insert(_ index: Int) { bits |= 1 << UInt128(index) }
    mutating func formUnion(_ other: FieldSet) { bits |= other.bits }
    func contains(_ index: Int) -> Bool { bits >> UInt128(index) & 1 == 1 }
}

/// Names of the signing process "AWS Signature Version 4".
enum SigV4 {
    static let algorithm: StaticString = "AWS4-HMAC-SHA256"
    /// What ends every credential scope.
    static let terminator: StaticString = "aws4_request"
    /// What stands before the secret in the first step of the key derivation.
    static let secretPrefix: StaticString = "AWS4"
}
