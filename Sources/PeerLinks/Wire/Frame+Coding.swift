package import NIOCore
import Raft

extension Frame {
    package var kind: FrameKind {
        switch self {
        case .hello: .hello
        case .helloReply: .helloReply
        case .refusal: .refusal
        case .close: .close
        case .ping: .ping
        case .pong: .pong
        case .request: .request
        case .reply: .reply
        case .raft(_, let payload): payload.kind
        }
    }

    /// At least as many bytes as ``encode(into:)`` writes.
    package var byteCountMax: Int {
        switch self {
        case .raft(_, let payload): Self.fixedBytesMax + payload.byteCountMax
        case .request(_, _, let body): Self.fixedBytesMax + body.readableBytes
        case .reply(_, let reply): Self.fixedBytesMax + reply.body.readableBytes
        case .hello, .helloReply: WireFormat.helloBytesMax
        case .refusal, .close, .ping, .pong: Self.fixedBytesMax
        }
    }

    /// Room for length, kind, and the fields around a body or a message.
    private static let fixedBytesMax = 32

    /// Appends the whole frame, length first.
    package func encode(into buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeInteger(UInt32(0))
        buffer.writeInteger(kind.rawValue)
        encodeBody(into: &buffer)
        buffer.setInteger(UInt32(buffer.writerIndex - start - WireFormat.lengthBytes), at: start)
    }

    private func encodeBody(into buffer: inout ByteBuffer) {
        switch self {
        case .hello(let hello): buffer.write(hello)
        case .helloReply(let version, let hello):
            buffer.writeInteger(version)
            buffer.write(hello)
        case .refusal(let end), .close(let end): buffer.writeInteger(end.rawValue)
        case .ping(let number), .pong(let number): buffer.writeInteger(number)
        case .request(let id, let kind, let body):
            buffer.writeInteger(id)
            buffer.writeInteger(kind)
            buffer.writeByteSlice(body)
        case .reply(let id, let reply):
            buffer.writeInteger(id)
            buffer.writeInteger(reply.status)
            buffer.writeByteSlice(reply.body)
        case .raft(let term, let payload):
            buffer.write(term)
            payload.encode(into: &buffer)
        }
    }

    /// Reads what follows the length of a frame: kind and body.
    ///
    /// - Throws: ``WireError``; never traps, whatever the bytes are, and reserves at most a small multiple of their number.
    package init(decoding bytes: ByteBuffer) throws(WireError) {
        var bytes = bytes
        guard let number = bytes.readInteger(as: UInt8.self) else { throw .emptyFrame }
        guard let kind = FrameKind(rawValue: number) else { throw .unknownKind(number) }
        var reader = WireReader(bytes)
        switch kind {
        // Later versions may say more in these three.
        case .hello:
            self = .hello(try reader.hello())
            return
        case .helloReply:
            let version: UInt16 = try reader.integer()
            self = .helloReply(version: version, try reader.hello())
            return
        case .refusal:
            self = .refusal(LinkEnd(rawValue: try reader.integer()))
            return
        case .close: self = .close(LinkEnd(rawValue: try reader.integer()))
        case .ping: self = .ping(try reader.integer())
        case .pong: self = .pong(try reader.integer())
        case .request:
            let id: UInt64 = try reader.integer()
            let kind: UInt16 = try reader.integer()
            self = .request(id: id, kind: kind, body: try reader.byteSlice())
        case .reply:
            let id: UInt64 = try reader.integer()
            let status: UInt16 = try reader.integer()
            self = .reply(id: id, PeerReply(status: status, body: try reader.byteSlice()))
        case .preVote, .preVoteReply, .vote, .voteReply, .append, .appendReply, .heartbeat, .heartbeatReply, .commit, .readIndex,
            .readIndexReply, .forward, .forwardReply, .timeoutNow, .snapshotOffer, .snapshotRequest, .snapshotChunk, .snapshotRefusal, .retire:
            let term = try reader.term()
            guard let payload = try reader.payload(kind) else { throw .unknownKind(number) }
            self = .raft(term, payload)
        }
        try reader.finish()
    }
}

extension ByteBuffer {
    fileprivate mutating func write(_ hello: Hello) {
        writeInteger(WireFormat.magic)
        writeInteger(hello.versions.lowerBound)
        writeInteger(hello.versions.upperBound)
        writeText(hello.cluster)
        write(hello.node)
        writeInteger(hello.role.rawValue)
        writeText(hello.buildVersion)
    }
}

extension WireReader {
    fileprivate mutating func hello() throws(WireError) -> Hello {
        guard try integer(UInt32.self) == WireFormat.magic else { throw .invalidValue("magic") }
        let lowest: UInt16 = try integer()
        let highest: UInt16 = try integer()
        guard lowest <= highest else { throw .invalidValue("versions") }
        let cluster = try text("cluster")
        let node = try node()
        guard let role = LinkRole(rawValue: try integer()) else { throw .invalidValue("role") }
        return Hello(versions: lowest...highest, cluster: cluster, node: node, role: role, buildVersion: try text("build version"))
    }
}
