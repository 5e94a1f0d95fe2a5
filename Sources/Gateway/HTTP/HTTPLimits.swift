/// Bounds on one HTTP request, checked before any cryptography (threat model N7-N12; SigV4 server duties).
///
/// The largest legal request of the API is far below them: a secret value of 65,536 bytes is 87,384 bytes in base64.
enum HTTPLimits {
    /// Longest method, in bytes. The longest registered one is `UPDATEREDIRECTREF` (17).
    static let methodBytesMax = 32
    /// Longest request line without its line end, in bytes. It bounds the query as well.
    static let requestLineBytesMax = 8_192
    /// Longest path, in bytes. Every call of the API goes to `/`.
    static let pathBytesMax = 2_048
    /// Longest header line without its line end, in bytes.
    static let headerLineBytesMax = 8_192
    /// Most header fields of one request.
    static let headersMax = 100
    /// Longest header block in bytes, from the first header line through the blank line.
    static let headerBlockBytesMax = 32_768
    /// Longest body after decoding, in bytes.
    static let bodyBytesMax = 262_144
    /// Most digits of a `Content-Length`: any such number fits an `Int`.
    static let contentLengthDigitsMax = 18
    /// Most hexadecimal digits of a chunk size: any such number fits an `Int`.
    static let chunkSizeDigitsMax = 8
    /// Most bytes that the chunks of one body may spend on sizes and line ends. A client that sends chunks of 256 bytes stays below.
    static let chunkFramingBytesMax = 16_384
    /// Longest `Host`, in bytes: a domain name (RFC 1035: 255) and a port.
    static let hostBytesMax = 255 + 6
}

/// Why a request is refused before anybody looks at what it asks for. One answer, then the connection is closed.
enum HTTPRefusal: Error, Equatable, CaseIterable {
    /// A request line that is not `method SP /path HTTP/d.d`, or too long.
    case requestLine
    /// A header line that is not `token: value`, a line end other than CR LF, or a folded line.
    case headerLine
    /// A header that may appear once only appeared twice.
    case duplicateHeader
    /// No `Host`, or not a host with an optional port.
    case host
    /// A body whose length is stated wrongly, twice, or in two ways (RFC 9112, section 6.3: request smuggling).
    case bodyLength
    /// A chunked body with a malformed size, an extension or trailers.
    case chunk
    /// A version that is neither HTTP/1.0 nor HTTP/1.1.
    case version
    /// An `Expect` other than `100-continue`.
    case expectation
    /// Too many headers, too long a header line or too long a header block.
    case headersTooLarge
    /// A body above ``HTTPLimits/bodyBytesMax``.
    case bodyTooLarge

    /// The status of the answer.
    var status: UInt16 {
        switch self {
        case .requestLine, .headerLine, .duplicateHeader, .host, .bodyLength, .chunk: 400
        case .version: 505
        case .expectation: 417
        case .headersTooLarge: 431
        case .bodyTooLarge: 413
        }
    }
}
