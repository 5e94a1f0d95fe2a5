import NIOCore
import Raft

extension Message.Payload {
    /// The frame kind of this message.
    var kind: FrameKind {
        switch self {
        case .preVote: .preVote
        case .preVoteReply: .preVoteReply
        case .vote: .vote
        case .voteReply: .voteReply
        case .append: .append
        case .appendReply: .appendReply
        case .heartbeat: .heartbeat
        case .heartbeatReply: .heartbeatReply
        case .commit: .commit
        case .readIndex: .readIndex
        case .readIndexReply: .readIndexReply
        case .forward: .forward
        case .forwardReply: .forwardReply
        case .timeoutNow: .timeoutNow
        case .snapshotOffer: .snapshotOffer
        case .snapshotRequest: .snapshotRequest
        case .snapshotChunk: .snapshotChunk
        case .snapshotRefusal: .snapshotRefusal
        case .retire: .retire
        }
    }

    /// Which connection carries this message.
    package var role: LinkRole { if case .snapshotChunk = self { .bulk } else { .control } }

    /// At least as many bytes as ``encode(into:)`` writes, without looking into payloads.
    var byteCountMax: Int {
        switch self {
        case .append(let append): append.entries.reduce(Self.fixedBytesMax) { $0 + $1.byteCount }
        case .forward(let forward): forward.proposals.reduce(Self.fixedBytesMax) { $0 + Self.elementBytesMax + $1.command.payload.count }
        case .forwardReply(let reply): Self.fixedBytesMax + reply.items.count * Self.elementBytesMax
        case .snapshotOffer(let meta): Self.fixedBytesMax + 8 * meta.membership.nodeCount + meta.contentHash.count
        case .snapshotChunk(let chunk): Self.fixedBytesMax + chunk.bytes.count
        case .preVote, .preVoteReply, .vote, .voteReply, .appendReply, .heartbeat, .heartbeatReply, .commit, .readIndex, .readIndexReply,
            .timeoutNow, .snapshotRequest, .snapshotRefusal, .retire:
            Self.fixedBytesMax
        }
    }

    /// Room for the fields of any message that have a fixed width; the widest is the snapshot offer with 74 bytes.
    private static let fixedBytesMax = 96
    /// Room for a proposal without its payload (23 bytes), and for an item of a reply (25).
    private static let elementBytesMax = 32

    func encode(into buffer: inout ByteBuffer) {
        switch self {
        case .preVote(let request), .vote(let request):
            buffer.write(request.campaign)
            buffer.write(request.last)
            buffer.writeFlag(request.isTransfer)
            buffer.writeInteger(request.generation)
        case .preVoteReply(let reply), .voteReply(let reply):
            buffer.write(reply.campaign)
            buffer.writeFlag(reply.isGranted)
        case .append(let append):
            buffer.write(append.previous)
            buffer.write(append.commit)
            buffer.writeInteger(append.epoch)
            buffer.writeInteger(UInt32(append.entries.count))
            for entry in append.entries { buffer.write(entry) }
        case .appendReply(let reply): buffer.write(reply)
        case .heartbeat(let beat):
            buffer.write(beat.commit)
            buffer.writeInteger(beat.epoch)
            buffer.write(beat.sentAt)
            buffer.write(beat.last)
        case .heartbeatReply(let reply):
            buffer.writeInteger(reply.epoch)
            buffer.write(reply.echoedSentAt)
            buffer.write(reply.applied)
            buffer.writeFlag(reply.isCounted)
            buffer.writeInteger(reply.featureLevelMax)
        case .commit(let id): buffer.write(id)
        case .readIndex(let id): buffer.write(id)
        case .readIndexReply(let id, let at):
            buffer.write(id)
            buffer.writeOptional(at)
        case .forward(let forward):
            buffer.write(forward.incarnation)
            buffer.writeInteger(forward.number)
            buffer.writeInteger(UInt32(forward.proposals.count))
            for proposal in forward.proposals {
                buffer.write(proposal.ticket)
                buffer.write(proposal.command)
            }
        case .forwardReply(let reply):
            buffer.write(reply.incarnation)
            buffer.writeInteger(UInt32(reply.items.count))
            for item in reply.items { buffer.write(item) }
        case .timeoutNow(let expecting): buffer.write(expecting)
        case .snapshotOffer(let meta):
            buffer.write(meta.image)
            buffer.write(meta.membership)
            buffer.write(meta.membershipIndex)
            buffer.writeInteger(meta.byteCount)
            buffer.writeByteArray(meta.contentHash)
        case .snapshotRequest(let image, let offset):
            buffer.write(image)
            buffer.writeInteger(offset)
        case .snapshotChunk(let chunk):
            buffer.write(chunk.image)
            buffer.writeInteger(chunk.offset)
            buffer.writeFlag(chunk.isLast)
            buffer.writeByteArray(chunk.bytes)
        case .snapshotRefusal(let image, let fault):
            buffer.write(image)
            buffer.writeInteger(fault.tag)
        case .retire(let generation): buffer.writeInteger(generation)
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func write(_ reply: AppendReply) {
        switch reply.result {
        case .matched(let id):
            writeInteger(AppendResultTag.matched)
            write(id)
        case .mismatch(let rejected, let hint):
            writeInteger(AppendResultTag.mismatch)
            write(rejected)
            write(hint)
        }
        writeInteger(reply.epoch)
        writeFlag(reply.isCounted)
    }

    fileprivate mutating func write(_ item: ForwardReply.Item) {
        write(item.ticket)
        switch item.result {
        case .appended(let id):
            writeInteger(ForwardResultTag.appended)
            write(id)
        case .refused(let refusal):
            writeInteger(ForwardResultTag.refused)
            write(refusal)
        case .unknown: writeInteger(ForwardResultTag.unknown)
        }
    }
}

extension SnapshotFault {
    fileprivate var tag: UInt8 {
        switch self {
        case .damaged: SnapshotFaultTag.damaged
        case .noSpace: SnapshotFaultTag.noSpace
        case .featureLevel: SnapshotFaultTag.featureLevel
        case .gone: SnapshotFaultTag.gone
        }
    }
}
