/// The query of a request: its parameters, decoded, and the `CanonicalQuery` of SigV4.
struct QueryString {
    /// Longest query looked at, in bytes.
    static let byteCountMax = 8 * 1024

    struct Parameter {
        /// Ranges of ``decoded``.
        var name: Range<Int>
        var value: Range<Int>
        /// Ranges of the encoded form.
        fileprivate var encodedName: Range<Int>
        fileprivate var encodedValue: Range<Int>
    }

    /// Names and values with their percent encoding taken off. A `+` stays a `+`.
    private(set) var decoded: [UInt8] = []
    /// In the order of arrival.
    private(set) var parameters: [Parameter] = []
    private var encoded: [UInt8] = []

    /// No parameter.
    init() {}

    /// Takes the query at `range` apart.
    ///
    /// - Throws: ``AuthenticationFailure/refused(_:)`` for a `%` that two hexadecimal digits do not follow, for `%00`, and for a
    ///   query over the limit.
    init(_ range: Range<Int>, of source: RawSpan) throws(AuthenticationFailure) {
        guard !range.isEmpty else { return }
        guard range.count <= Self.byteCountMax else { throw .refused(.queryTooLong) }
        for pair in source.pieces(of: range, at: ASCII.ampersand, countMax: .max) {
            let nameEnd = source.firstOffset(of: ASCII.equals, in: pair) ?? pair.upperBound
            let name = try recode(pair.lowerBound..<nameEnd, of: source)
            let value = try recode(min(nameEnd + 1, pair.upperBound)..<pair.upperBound, of: source)
            parameters.append(
                Parameter(name: name.decoded, value: value.decoded, encodedName: name.encoded, encodedValue: value.encoded))
        }
    }

    private mutating func recode(
        _ range: Range<Int>, of source: RawSpan
    ) throws(AuthenticationFailure) -> (decoded: Range<Int>, encoded: Range<Int>) {
        let (decodedStart, encodedStart) = (decoded.count, encoded.count)
        var i = range.lowerBound
        while i < range.upperBound {
            var byte = source.byte(at: i)
            i += 1
            if byte == ASCII.percent {
                guard i + 2 <= range.upperBound, let high = PercentEncoding.value(of: source.byte(at: i)),
                    let low = PercentEncoding.value(of: source.byte(at: i + 1)), high << 4 | low != 0
                else { throw .refused(.malformedPercentEncoding) }
                byte = high << 4 | low
                i += 2
            }
            decoded.append(byte)
            PercentEncoding.append(byte, to: &encoded)
        }
        return (decodedStart..<decoded.count, encodedStart..<encoded.count)
    }

    /// The first parameter called `name` (case matters), as its place in ``parameters``.
    func index(of name: StaticString) -> Int? {
        let decoded = decoded.span.bytes
        for i in parameters.indices where decoded.isEqual(parameters[i].name, to: name) { return i }
        return nil
    }

    /// Appends the canonical form: sorted by encoded name, then encoded value.
    ///
    /// - Parameter index: A parameter to leave out: the signature itself, when the query carries it.
    func appendCanonical(leavingOut index: Int?, to text: inout [UInt8]) {
        guard !parameters.isEmpty else { return }
        let encoded = encoded.span.bytes
        var kept = parameters
        if let index { kept.remove(at: index) }
        let order = kept.indices.sorted { a, b in
            let (a, b) = (kept[a], kept[b])
            let bytes = self.encoded.span.bytes
            if bytes.isOrdered(a.encodedName, before: b.encodedName) { return true }
            if bytes.isOrdered(b.encodedName, before: a.encodedName) { return false }
            return bytes.isOrdered(a.encodedValue, before: b.encodedValue)
        }
        for (position, i) in order.enumerated() {
            if position > 0 { text.append(ASCII.ampersand) }
            text.append(kept[i].encodedName, of: encoded)
            text.append(ASCII.equals)
            text.append(kept[i].encodedValue, of: encoded)
        }
    }
}
