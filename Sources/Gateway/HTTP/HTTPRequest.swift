package import Access
package import NIOCore

/// One request, lent to the ``Responder`` for the length of one call.
///
/// Noncopyable and borrowed, because its bytes lie in the connection's buffer and are wiped as soon as the responder returns: what a
/// later answer needs is copied out before, secrets into `SecretBytes`.
package struct HTTPRequest: ~Copyable {
    /// Goes out as `x-amzn-RequestId`.
    package let id: RequestID
    /// Where the parts lie, counted from the first of the bytes that ``withBytes(_:)`` lends.
    package let layout: RequestLayout
    /// Whether the client lets the connection go on after the answer.
    package let isKeepAlive: Bool
    /// The other end of the connection. Nil in memory-only channels.
    package let remoteAddress: SocketAddress?
    private let bytes: UnsafeRawBufferPointer

    /// - Parameter bytes: Valid, and changed by nobody, while the request exists.
    init(id: RequestID, layout: RequestLayout, isKeepAlive: Bool, remoteAddress: SocketAddress?, bytes: UnsafeRawBufferPointer) {
        self.id = id
        self.layout = layout
        self.isKeepAlive = isKeepAlive
        self.remoteAddress = remoteAddress
        self.bytes = bytes
    }

    /// Lends the bytes of the whole request as they were received, but for lower-case header names and a chunked body in one piece.
    package func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try body(bytes.bytes)
    }

    /// Lends the bytes of the body.
    package func withBody<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try body(bytes.bytes.extracting(layout.body))
    }

    /// Lends the value of the first header of that name, without the blanks around it.
    ///
    /// - Parameter lowercasedName: The name, in lower case.
    /// - Returns: Nil without calling `body` when there is no such header.
    package func withHeader<Result, Failure: Error>(
        _ lowercasedName: StaticString, _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard let value = valueRange(lowercasedName) else { return nil }
        return try body(bytes.bytes.extracting(value))
    }

    /// The value of the first header of that name. Nil when there is none or it is not UTF-8. Not for credentials: it makes a copy.
    package func header(_ lowercasedName: StaticString) -> String? {
        valueRange(lowercasedName).flatMap { String(validating: UnsafeRawBufferPointer(rebasing: bytes[$0]), as: UTF8.self) }
    }

    /// Whether the first header of that name has exactly that value.
    package func headerEquals(_ lowercasedName: StaticString, _ value: StaticString) -> Bool {
        valueRange(lowercasedName).map { equals($0, value) } ?? false
    }

    /// Whether the method is `method`. Methods are case-sensitive.
    package func methodIs(_ method: StaticString) -> Bool { equals(layout.method, method) }
    /// Whether the path is, byte by byte, `path`.
    package func pathIs(_ path: StaticString) -> Bool { equals(layout.path, path) }
    /// The method. Makes a copy.
    package var method: String { text(layout.method) }
    /// The path as it was received, percent-encoded. Makes a copy.
    package var path: String { text(layout.path) }
    /// The query as it was received, without the question mark. Makes a copy.
    package var query: String { text(layout.query) }
    /// Number of bytes of the decoded body.
    package var bodyByteCount: Int { layout.body.count }

    private func valueRange(_ name: StaticString) -> Range<Int>? {
        for field in layout.fields where field.name.count == name.utf8CodeUnitCount && equals(field.name, name) { return field.value }
        return nil
    }

    private func equals(_ range: Range<Int>, _ text: StaticString) -> Bool {
        UnsafeRawBufferPointer(rebasing: bytes[range]).isEqual(to: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self) }
}
