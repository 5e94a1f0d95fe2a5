import Raft

extension WireReader {
    /// The message of a body of `kind`; `nil` where that is no kind of message.
    mutating func payload(_ kind: FrameKind) throws(WireError) -> Message.Payload? {
        switch kind {
        case .preVote: return .preVote(try voteRequest())
        case .preVoteReply: return .preVoteReply(try voteReply())
        case .vote: return .vote(try voteRequest())
        case .voteReply: return .voteReply(try voteReply())
        case .append: return .append(try append())
        case .appendReply: return .appendReply(try appendReply())
        case .heartbeat: return .heartbeat(try heartbeat())
        case .heartbeatReply: return .heartbeatReply(try heartbeatReply())
        case .commit: return .commit(try entryID())
        case .readIndex: return .readIndex(try readRequestID())
        case .readIndexReply:
            let id = try readRequestID()
            return .readIndexReply(id, at: try optionalEntryID())
        case .forward: return .forward(try forward())
        case .forwardReply: return .forwardReply(try forwardReply())
        case .timeoutNow: return .timeoutNow(expecting: try entryID())
        case .snapshotOffer: return .snapshotOffer(try snapshotMeta())
        case .snapshotRequest:
            let image = try image()
            return .snapshotRequest(image, offset: try counter("offset"))
        case .snapshotChunk: return .snapshotChunk(try snapshotChunk())
        case .snapshotRefusal:
            let image = try image()
            return .snapshotRefusal(image, try snapshotFault())
        case .retire: return .retire(generation: try counter("generation"))
        case .hello, .helloReply, .refusal, .close, .ping, .pong, .request, .reply: return nil
        }
    }

    private mutating func voteRequest() throws(WireError) -> VoteRequest {
        let campaign = try term()
        let last = try entryID()
        let isTransfer = try flag("transfer")
        return VoteRequest(campaign: campaign, last: last, isTransfer: isTransfer, generation: try counter("generation"))
    }

    private mutating func voteReply() throws(WireError) -> VoteReply {
        let campaign = try term()
        return VoteReply(campaign: campaign, isGranted: try flag("granted"))
    }

    private mutating func append() throws(WireError) -> Append {
        let previous = try entryID()
        let commit = try index()
        let epoch = try counter("epoch")
        let count = try listCount(elementBytesMin: EntryTag.entryBytesMin)
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count { entries.append(try entry()) }
        return Append(previous: previous, entries: entries, commit: commit, epoch: epoch)
    }

    private mutating func appendReply() throws(WireError) -> AppendReply {
        let result: AppendReply.Result
        switch try integer(UInt8.self) {
        case AppendResultTag.matched: result = .matched(try entryID())
        case AppendResultTag.mismatch:
            let rejected = try entryID()
            result = .mismatch(rejected: rejected, hint: try entryID())
        default: throw .invalidValue("append result")
        }
        let epoch = try counter("epoch")
        return AppendReply(result: result, epoch: epoch, isCounted: try flag("counted"))
    }

    private mutating func heartbeat() throws(WireError) -> Heartbeat {
        let commit = try entryID()
        let epoch = try counter("epoch")
        let sentAt = try instant()
        return Heartbeat(commit: commit, epoch: epoch, sentAt: sentAt, last: try entryID())
    }

    private mutating func heartbeatReply() throws(WireError) -> HeartbeatReply {
        let epoch = try counter("epoch")
        let echoedSentAt = try instant()
        let applied = try index()
        let isCounted = try flag("counted")
        return HeartbeatReply(
            epoch: epoch, echoedSentAt: echoedSentAt, applied: applied, isCounted: isCounted, featureLevelMax: try integer())
    }

    private mutating func forward() throws(WireError) -> Forward {
        let incarnation = try incarnation()
        let number = try counter("forward number")
        let count = try listCount(elementBytesMin: ProposalTag.proposalBytesMin)
        var proposals: [Proposal] = []
        proposals.reserveCapacity(count)
        for _ in 0..<count {
            let ticket = try ticket()
            proposals.append(Proposal(ticket: ticket, command: try command()))
        }
        return Forward(incarnation: incarnation, number: number, proposals: proposals)
    }

    private mutating func forwardReply() throws(WireError) -> ForwardReply {
        let incarnation = try incarnation()
        let count = try listCount(elementBytesMin: ForwardResultTag.itemBytesMin)
        var items: [ForwardReply.Item] = []
        items.reserveCapacity(count)
        for _ in 0..<count {
            let ticket = try ticket()
            items.append(ForwardReply.Item(ticket: ticket, result: try forwardResult()))
        }
        return ForwardReply(incarnation: incarnation, items: items)
    }

    private mutating func forwardResult() throws(WireError) -> ForwardReply.Result {
        switch try integer(UInt8.self) {
        case ForwardResultTag.appended: return .appended(try entryID())
        case ForwardResultTag.refused: return .refused(try refusal())
        case ForwardResultTag.unknown: return .unknown
        default: throw .invalidValue("forward result")
        }
    }

    private mutating func snapshotMeta() throws(WireError) -> SnapshotMeta {
        let image = try image()
        let membership = try membership()
        let membershipIndex = try index()
        let byteCount = try counter("byte count")
        return SnapshotMeta(
            image: image, membership: membership, membershipIndex: membershipIndex, byteCount: byteCount, contentHash: try byteArray())
    }

    private mutating func snapshotChunk() throws(WireError) -> SnapshotChunk {
        let image = try image()
        let offset = try counter("offset")
        let isLast = try flag("last chunk")
        return SnapshotChunk(image: image, offset: offset, bytes: try byteArray(), isLast: isLast)
    }

    private mutating func snapshotFault() throws(WireError) -> SnapshotFault {
        switch try integer(UInt8.self) {
        case SnapshotFaultTag.damaged: return .damaged
        case SnapshotFaultTag.noSpace: return .noSpace
        case SnapshotFaultTag.featureLevel: return .featureLevel
        case SnapshotFaultTag.gone: return .gone
        default: throw .invalidValue("snapshot fault")
        }
    }
}
