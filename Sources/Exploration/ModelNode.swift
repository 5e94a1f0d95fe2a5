import Raft

/// One member: a core, its disk, and what waits between the two.
struct ModelNode {
    var core: RaftCore
    var disk = ModelDisk()
    /// Handed out and not durable.
    var writes: [LogWrite] = []
    /// Messages that wait for a write.
    var held: [OutgoingMessage] = []
    var durable = WriteSequence.zero
    var life: UInt64 = 1
    /// Of everything above; kept up to date by ``refresh()``.
    private(set) var digest: UInt64 = 0

    init(core: RaftCore) { self.core = core }

    mutating func refresh() {
        var digest = StateDigest(sequenceOrigin: durable)
        digest.fold(core.digest(relativeTo: ModelState.clock))
        disk.fold(into: &digest)
        for write in writes {
            digest.fold(write.sequence)
            digest.fold(write.hardState?.term.raw ?? .max)
            digest.fold(write.hardState?.vote)
            digest.fold(write.truncateFrom?.raw ?? .max)
            for entry in write.entries { digest.fold(entry) }
            digest.fold(write.commit.raw)
        }
        for outgoing in held {
            digest.fold(outgoing.after ?? .zero)
            digest.fold(Flight(outgoing.message).digest)
        }
        digest.fold(life)
        self.digest = digest.value
    }
}

/// A message under way, with a number that stands for its content and orders messages in the same way in every process.
struct Flight {
    let message: Message
    let digest: UInt64

    init(_ message: Message) {
        self.message = message
        var digest = StateDigest()
        digest.fold(message.from)
        digest.fold(message.to)
        digest.fold(message.term.raw)
        Self.fold(message.payload, into: &digest)
        self.digest = digest.value
    }

    private static func fold(_ payload: Message.Payload, into digest: inout StateDigest) {
        func fold(_ words: UInt64...) { for word in words { digest.fold(word) } }
        func fold(_ id: EntryID) { digest.fold(id) }
        switch payload {
        case .vote(let request):
            fold(1, request.campaign.raw, request.isTransfer ? 1 : 0, request.generation)
            fold(request.last)
        case .voteReply(let reply): fold(2, reply.campaign.raw, reply.isGranted ? 1 : 0)
        case .append(let append):
            fold(3, append.commit.raw, append.epoch)
            fold(append.previous)
            for entry in append.entries { digest.fold(entry) }
        case .appendReply(let reply):
            fold(4, reply.epoch, reply.isCounted ? 1 : 0)
            switch reply.result {
            case .matched(let id): fold(id)
            case .mismatch(let rejected, let hint):
                fold(rejected)
                fold(hint)
            }
        case .heartbeat(let beat):
            fold(5, beat.epoch)
            fold(beat.commit)
            fold(beat.last)
        case .heartbeatReply(let reply): fold(6, reply.epoch, reply.applied.raw, reply.isCounted ? 1 : 0, reply.echoedSentAt.nanoseconds)
        case .commit(let id):
            fold(7)
            fold(id)
        case .readIndex(let request): fold(8, request.incarnation.raw, request.number)
        case .readIndexReply(let request, let id):
            fold(9, request.incarnation.raw, request.number)
            fold(id ?? .zero)
        case .timeoutNow(let last):
            fold(10)
            fold(last)
        case .retire(let generation): fold(11, generation)
        case .preVote(let request):
            fold(12, request.campaign.raw, request.generation)
            fold(request.last)
        case .preVoteReply(let reply): fold(13, reply.campaign.raw, reply.isGranted ? 1 : 0)
        // The walk asks for nothing that makes a core send these.
        case .forward, .forwardReply, .snapshotOffer, .snapshotRequest, .snapshotChunk, .snapshotRefusal:
            preconditionFailure("\(payload) is outside of every scope")
        }
    }
}
