/// Where the parts of one HTTP request lie in the bytes that were received.
///
/// The HTTP parser makes it, the verifier reads it: a signature is checked on what the client sent, never on something
/// re-serialised. All ranges are offsets into the same bytes and may be empty.
package struct RequestLayout: Sendable {
    /// One header line.
    package struct Field: Sendable {
        /// The name; the parser has lower-cased its bytes in place.
        package var name: Range<Int>
        /// The value, without blanks around it.
        package var value: Range<Int>

        package init(name: Range<Int>, value: Range<Int>) {
            self.name = name
            self.value = value
        }
    }

    /// The method, as sent.
    package var method: Range<Int>
    /// The request target before the first `?`.
    package var path: Range<Int>
    /// The request target after the first `?`, without it.
    package var query: Range<Int>
    /// The header lines in the order of arrival; several lines may bear one name.
    package var fields: [Field]
    /// The body, after any transfer coding was taken off.
    package var body: Range<Int>

    package init(method: Range<Int>, path: Range<Int>, query: Range<Int>, fields: [Field], body: Range<Int>) {
        self.method = method
        self.path = path
        self.query = query
        self.fields = fields
        self.body = body
    }
}
