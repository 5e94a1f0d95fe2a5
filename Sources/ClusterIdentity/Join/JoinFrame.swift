internal import NIOCore
internal import OpenSSL

/// What goes over the connection: `length (4, big-endian) | kind (1) | body`; the length counts kind and body.
enum JoinFrame {
    enum Kind: UInt8 {
        case request = 1
        case grant = 2
        case refusal = 3
    }

    static let headerByteCount = 5

    /// Joins header and body in storage of its own, which whoever sends it wipes; wipes `body`.
    static func make(_ kind: Kind, body: ByteBuffer) -> ByteBuffer {
        var frame = ByteBufferAllocator().buffer(capacity: headerByteCount + body.readableBytes)
        frame.writeInteger(UInt32(body.readableBytes + 1))
        frame.writeInteger(kind.rawValue)
        frame.writeImmutableBuffer(body)
        body.wipe()
        return frame
    }
}

/// Puts one frame together from what arrives. Copies into one piece of storage that never grows, and wipes what it copied from.
struct JoinFrameAssembler: ~Copyable {
    private let byteCountMax: Int
    private var header: [UInt8] = []
    private var body: ByteBuffer?
    private var missing = 0

    /// - Parameter byteCountMax: Longest frame, in bytes behind its length.
    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    deinit { body?.wipe() }

    /// Takes in `part`, which is wiped, also when this throws.
    ///
    /// - Returns: The frame, once it is complete. Its body belongs to the assembler, which wipes it at its end.
    /// - Throws: For a length or a kind that cannot be, and for bytes behind the frame.
    mutating func append(_ part: ByteBuffer) throws(MalformedMessage) -> (kind: JoinFrame.Kind, body: ByteBuffer)? {
        defer { part.wipe() }
        var rest = part.readableBytesView
        let wanted = min(JoinFrame.headerByteCount - header.count, rest.count)
        header += rest.prefix(wanted)
        rest = rest.dropFirst(wanted)
        guard header.count == JoinFrame.headerByteCount else { return nil }
        if body == nil {
            let count = header.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            guard (1...byteCountMax).contains(count) else { throw MalformedMessage() }
            missing = count - 1
            body = ByteBufferAllocator().buffer(capacity: missing)
        }
        guard let kind = JoinFrame.Kind(rawValue: header[4]), rest.count <= missing else { throw MalformedMessage() }
        missing -= rest.count
        body?.writeBytes(rest)
        guard missing == 0, let body else { return nil }
        return (kind, body)
    }
}
