import NIOCore
import PeerLinks
import Raft

/// Frames with arbitrary content.
extension SeededGenerator {
    mutating func frame(_ kind: FrameKind) -> Frame {
        switch kind {
        case .hello: return .hello(hello())
        case .helloReply: return .helloReply(version: UInt16(truncatingIfNeeded: next()), hello())
        case .refusal: return .refusal(LinkEnd(rawValue: UInt8(below(256))))
        case .close: return .close(LinkEnd(rawValue: UInt8(below(256))))
        case .ping: return .ping(next())
        case .pong: return .pong(next())
        case .request: return .request(id: next(), kind: UInt16(below(65_536)), body: ByteBuffer(bytes: bytes(below: 300)))
        case .reply: return .reply(id: next(), PeerReply(status: UInt16(below(65_536)), body: ByteBuffer(bytes: bytes(below: 300))))
        case .preVote: return raft(.preVote(voteRequest()))
        case .preVoteReply: return raft(.preVoteReply(VoteReply(campaign: term(), isGranted: flag())))
        case .vote: return raft(.vote(voteRequest()))
        case .voteReply: return raft(.voteReply(VoteReply(campaign: term(), isGranted: flag())))
        case .append:
            return raft(.append(Append(previous: id(), entries: list { $0.entry() }, commit: index(), epoch: counter())))
        case .appendReply:
            return raft(
                .appendReply(
                    AppendReply(
                        result: flag() ? .matched(id()) : .mismatch(rejected: id(), hint: id()), epoch: counter(), isCounted: flag())))
        case .heartbeat:
            return raft(.heartbeat(Heartbeat(commit: id(), epoch: counter(), sentAt: Instant(nanoseconds: counter()), last: id())))
        case .heartbeatReply:
            return raft(
                .heartbeatReply(
                    HeartbeatReply(
                        epoch: counter(), echoedSentAt: Instant(nanoseconds: counter()), applied: index(), isCounted: flag(),
                        featureLevelMax: UInt16(below(65_536)))))
        case .commit: return raft(.commit(id()))
        case .readIndex: return raft(.readIndex(read()))
        case .readIndexReply: return raft(.readIndexReply(read(), at: flag() ? id() : nil))
        case .forward:
            return raft(
                .forward(
                    Forward(
                        incarnation: Incarnation(next()), number: counter(),
                        proposals: list { Proposal(ticket: Ticket($0.next()), command: $0.command()) })))
        case .forwardReply:
            return raft(
                .forwardReply(
                    ForwardReply(
                        incarnation: Incarnation(next()), items: list { .init(ticket: Ticket($0.next()), result: $0.forwardResult()) })))
        case .timeoutNow: return raft(.timeoutNow(expecting: id()))
        case .snapshotOffer:
            return raft(
                .snapshotOffer(
                    SnapshotMeta(
                        image: image(), membership: membership(), membershipIndex: index(), byteCount: counter(), contentHash: bytes(below: 65))))
        case .snapshotRequest: return raft(.snapshotRequest(image(), offset: counter()))
        case .snapshotChunk:
            return raft(.snapshotChunk(SnapshotChunk(image: image(), offset: counter(), bytes: bytes(below: 2_000), isLast: flag())))
        case .snapshotRefusal:
            let faults: [SnapshotFault] = [.damaged, .noSpace, .featureLevel, .gone]
            return raft(.snapshotRefusal(image(), faults[below(faults.count)]))
        case .retire: return raft(.retire(generation: counter()))
        }
    }

    private mutating func raft(_ payload: Message.Payload) -> Frame { .raft(term(), payload) }
    private mutating func term() -> Term { Term(counter()) }
    private mutating func index() -> LogIndex { LogIndex(counter()) }
    private mutating func id() -> EntryID { EntryID(term: term(), index: index()) }
    private mutating func read() -> ReadRequestID { ReadRequestID(incarnation: Incarnation(next()), number: counter()) }
    private mutating func image() -> SnapshotImage { SnapshotImage(last: id(), fingerprint: next()) }

    private mutating func list<Element>(_ make: (inout Self) -> Element) -> [Element] {
        var elements: [Element] = []
        for _ in 0..<below(8) { elements.append(make(&self)) }
        return elements
    }

    private mutating func hello() -> Hello {
        let lowest = UInt16(below(1_000))
        return Hello(
            versions: lowest...(lowest + UInt16(below(3))), cluster: "cluster-\(below(10))", node: NodeID(next()), role: flag() ? .control : .bulk,
            buildVersion: ["", "1.0", "größer", String(repeating: "x", count: 255)][below(4)])
    }

    private mutating func voteRequest() -> VoteRequest {
        VoteRequest(campaign: term(), last: id(), isTransfer: flag(), generation: counter())
    }

    private mutating func command() -> Command {
        Command(bytes(below: 200), onlyIfTerm: flag() ? term() : nil, featureLevel: UInt16(below(65_536)))
    }

    private mutating func entry() -> Entry {
        switch below(4) {
        case 0: Entry(id: id(), body: .noop)
        case 1: Entry(id: id(), body: .membership(membership()))
        default: Entry(id: id(), body: .command(command()))
        }
    }

    private mutating func membership() -> Membership {
        let voters = (0..<UInt64(1 + below(7))).map { NodeID($0 &* 3 &+ 1) }
        let learners = (0..<UInt64(below(4))).map { NodeID($0 &* 3 &+ 2) }
        return Membership(
            voters: voters, outgoing: flag() ? voters.dropLast() + [NodeID(.max)] : [], learners: learners, generation: counter(),
            featureLevel: UInt16(below(65_536)))
    }

    private mutating func forwardResult() -> ForwardReply.Result {
        let refusals: [Refusal] = [
            .notLeader(hint: nil), .notLeader(hint: NodeID(next())), .transferring, .overloaded, .tooLarge, .diskStalled, .featureLevel, .wrongTerm,
            .superseded,
        ]
        switch below(3) {
        case 0: return .appended(id())
        case 1: return .unknown
        default: return .refused(refusals[below(refusals.count)])
        }
    }
}
