/// The numbers of the protocol between nodes.
///
/// A frame is `length` (UInt32, of what follows it), `kind` (UInt8, ``FrameKind``) and a body. Integers are big-endian and of fixed width;
/// a flag is one byte, 0 or 1; something optional is a flag and, if set, the value; a list is its length (UInt32) and its elements;
/// bytes are their length (UInt32) and themselves; text is its length (UInt16) and UTF-8.
///
/// **Versions.** Each side says in its hello which versions it speaks; both then write and read the highest that both know, so nobody
/// ever gets a frame of a version that it does not know, and a body must be used up to its last byte. Only ``FrameKind/hello``,
/// ``FrameKind/helloReply`` and ``FrameKind/refusal`` are read before the version is agreed: later versions may append fields to
/// them and change nothing else, and what follows the known fields is ignored.
///
/// **Numbers that are counted** (terms, indexes, generations, epochs, offsets, clock readings) are below 2⁶³ on the wire: the core adds to
/// them, and no frame can bring one to overflow. Names (nodes, tickets, incarnations, fingerprints) may be any 64 bits.
package enum WireFormat {
    /// The versions that this program speaks.
    package static let versions: ClosedRange<UInt16> = 1...1

    /// The application protocol of the links (RFC 7301).
    package static let applicationProtocol = "conclave-peer/1"

    /// First bytes of a hello: "CNCL".
    static let magic: UInt32 = 0x434E_434C

    /// Largest frame, counted as its length field does. An append holds at most `Raft.Limits.appendBytesMax` (1 MiB) and one command
    /// (256 KiB) more, in entries of at least 17 bytes here that count for 48 there; a snapshot chunk is 1 MiB.
    package static let frameBytesMax = 4 << 20

    /// Largest frame before the two sides know each other.
    static let helloBytesMax = 1_024

    /// Longest text in a frame, in bytes: cluster ids and build versions.
    static let textBytesMax = 255

    /// Bytes of the length field.
    static let lengthBytes = 4
}

/// What a frame is. The numbers are part of the protocol.
package enum FrameKind: UInt8, CaseIterable, Sendable {
    // The link itself
    case hello = 1
    case helloReply = 2
    case refusal = 3
    case close = 4
    case ping = 5
    case pong = 6

    // Questions of one node to another
    case request = 16
    case reply = 17

    // Messages of the consensus core
    case preVote = 32
    case preVoteReply = 33
    case vote = 34
    case voteReply = 35
    case append = 36
    case appendReply = 37
    case heartbeat = 38
    case heartbeatReply = 39
    case commit = 40
    case readIndex = 41
    case readIndexReply = 42
    case forward = 43
    case forwardReply = 44
    case timeoutNow = 45
    case snapshotOffer = 46
    case snapshotRequest = 47
    case snapshotChunk = 48
    case snapshotRefusal = 49
    case retire = 50
}

/// Why bytes are not a frame of this protocol.
package enum WireError: Error, Hashable, Sendable {
    /// The body ends before its fields do, or a length in it points beyond its end.
    case truncated
    /// The body goes on behind its last field.
    case trailingBytes
    case unknownKind(UInt8)
    /// A frame without even a kind.
    case emptyFrame
    case frameTooLong(byteCount: Int)
    /// A field has a value that it cannot have; the name is the field's.
    case invalidValue(String)
}
