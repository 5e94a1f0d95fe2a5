import NIOCore
import PeerLinks
import Raft
import Testing

/// One frame of every kind and of every case inside, and its bytes as the format's description gives them.
enum GoldenFrames {
    struct Sample: Sendable, CustomTestStringConvertible {
        let name: String
        let frame: Frame
        let hex: String

        init(_ name: String, _ frame: Frame, _ hex: String) { (self.name, self.frame, self.hex) = (name, frame, hex) }

        var testDescription: String { name }
    }

    private static func raft(_ payload: Message.Payload) -> Frame { .raft(Term(7), payload) }
    private static func id(_ term: UInt64, _ index: UInt64) -> EntryID { EntryID(term: Term(term), index: LogIndex(index)) }
    private static let read = ReadRequestID(incarnation: Incarnation(0xabcdef), number: 17)
    private static let image = SnapshotImage(last: id(4, 900), fingerprint: 0xfeed_face)
    private static let membership = Membership(
        voters: [1, 2, 3].map { NodeID($0) }, outgoing: [1, 2].map { NodeID($0) }, learners: [NodeID(4)], generation: 9, featureLevel: 1)

    static let all: [Sample] = [
        Sample(
            "hello",
            .hello(Hello(versions: 1...2, cluster: "prod-7", node: NodeID(3), role: .control, buildVersion: "1.0")),
            "0000001f01434e434c00010002000670726f642d370000000000000003010003312e30"),
        Sample(
            "helloReply",
            .helloReply(version: 2, Hello(versions: 1...2, cluster: "prod-7", node: NodeID(3), role: .bulk, buildVersion: "1.0")),
            "00000021020002434e434c00010002000670726f642d370000000000000003020003312e30"),
        Sample(
            "refusal",
            .refusal(.noCommonVersion),
            "000000020301"),
        Sample(
            "close",
            .close(.shuttingDown),
            "000000020406"),
        Sample(
            "ping",
            .ping(258),
            "00000009050000000000000102"),
        Sample(
            "pong",
            .pong(.max),
            "0000000906ffffffffffffffff"),
        Sample(
            "request",
            .request(id: 5, kind: 0x102, body: ByteBuffer(string: "ask")),
            "0000001210000000000000000501020000000361736b"),
        Sample(
            "reply",
            .reply(id: 5, PeerReply(status: 200, body: ByteBuffer(string: "told"))),
            "0000001311000000000000000500c800000004746f6c64"),
        Sample(
            "preVote",
            raft(.preVote(VoteRequest(campaign: Term(8), last: id(7, 41), isTransfer: true, generation: 3))),
            "0000002a200000000000000007000000000000000800000000000000070000000000000029010000000000000003"),
        Sample(
            "preVoteReply",
            raft(.preVoteReply(VoteReply(campaign: Term(8), isGranted: false))),
            "00000012210000000000000007000000000000000800"),
        Sample(
            "vote",
            raft(.vote(VoteRequest(campaign: Term(8), last: id(7, 41), isTransfer: true, generation: 3))),
            "0000002a220000000000000007000000000000000800000000000000070000000000000029010000000000000003"),
        Sample(
            "voteReply",
            raft(.voteReply(VoteReply(campaign: Term(8), isGranted: true))),
            "00000012230000000000000007000000000000000801"),
        Sample(
            "append",
            raft(
                .append(
                    Append(
                        previous: id(6, 41),
                        entries: [
                            Entry(id: id(7, 42), body: .noop),
                            Entry(id: id(7, 43), body: .command(Command(Array("abc".utf8)))),
                            Entry(id: id(7, 44), body: .command(Command([], onlyIfTerm: Term(7), featureLevel: 2))),
                            Entry(id: id(7, 45), body: .membership(membership)),
                        ],
                        commit: LogIndex(40), epoch: 12))),
            """
            000000d0240000000000000007000000000000000600000000000000290000000000000028000000000000000c0000000400000000000000\
            07000000000000002a000000000000000007000000000000002b01000000000000036162630000000000000007000000000000002c010100\
            000000000000070002000000000000000000000007000000000000002d020000000300000000000000010000000000000002000000000000\
            0003000000020000000000000001000000000000000200000001000000000000000400000000000000090001
            """),
        Sample(
            "append without entries",
            raft(.append(Append(previous: id(6, 41), entries: [], commit: LogIndex(40), epoch: 12))),
            "0000002d240000000000000007000000000000000600000000000000290000000000000028000000000000000c00000000"),
        Sample(
            "appendReply",
            raft(.appendReply(AppendReply(result: .matched(id(7, 45)), epoch: 12, isCounted: true))),
            "00000023250000000000000007010000000000000007000000000000002d000000000000000c01"),
        Sample(
            "appendReply, mismatch",
            raft(.appendReply(AppendReply(result: .mismatch(rejected: id(6, 41), hint: id(5, 39)), epoch: 12, isCounted: false))),
            "00000033250000000000000007020000000000000006000000000000002900000000000000050000000000000027000000000000000c00"),
        Sample(
            "heartbeat",
            raft(.heartbeat(Heartbeat(commit: id(7, 45), epoch: 13, sentAt: Instant(nanoseconds: 1_000_000_000_000_000_000), last: id(7, 46)))),
            """
            000000392600000000000000070000000000000007000000000000002d000000000000000d0de0b6b3a76400000000000000000007000000\
            000000002e
            """),
        Sample(
            "heartbeatReply",
            raft(
                .heartbeatReply(
                    HeartbeatReply(
                        epoch: 13, echoedSentAt: Instant(nanoseconds: 1_000_000_000_000_000_000), applied: LogIndex(44), isCounted: true,
                        featureLevelMax: 3))),
            "00000024270000000000000007000000000000000d0de0b6b3a7640000000000000000002c010003"),
        Sample(
            "commit",
            raft(.commit(id(7, 45))),
            "000000192800000000000000070000000000000007000000000000002d"),
        Sample(
            "readIndex",
            raft(.readIndex(read)),
            "000000192900000000000000070000000000abcdef0000000000000011"),
        Sample(
            "readIndexReply",
            raft(.readIndexReply(read, at: id(7, 45))),
            "0000002a2a00000000000000070000000000abcdef0000000000000011010000000000000007000000000000002d"),
        Sample(
            "readIndexReply without entry",
            raft(.readIndexReply(read, at: nil)),
            "0000001a2a00000000000000070000000000abcdef000000000000001100"),
        Sample(
            "forward",
            raft(
                .forward(
                    Forward(
                        incarnation: Incarnation(0xabcdef), number: 4,
                        proposals: [
                            Proposal(ticket: Ticket(1), command: Command(Array("x".utf8))),
                            Proposal(ticket: Ticket(2), command: Command(Array("yz".utf8), onlyIfTerm: Term(7), featureLevel: 1)),
                        ]))),
            """
            000000462b00000000000000070000000000abcdef0000000000000004000000020000000000000001000000000000017800000000000000\
            02010000000000000007000100000002797a
            """),
        Sample(
            "forwardReply",
            raft(
                .forwardReply(
                    ForwardReply(
                        incarnation: Incarnation(0xabcdef),
                        items: [
                            .init(ticket: Ticket(1), result: .appended(id(7, 47))),
                            .init(ticket: Ticket(2), result: .unknown),
                            .init(ticket: Ticket(3), result: .refused(.notLeader(hint: NodeID(2)))),
                            .init(ticket: Ticket(4), result: .refused(.notLeader(hint: nil))),
                            .init(ticket: Ticket(5), result: .refused(.transferring)),
                            .init(ticket: Ticket(6), result: .refused(.overloaded)),
                            .init(ticket: Ticket(7), result: .refused(.tooLarge)),
                            .init(ticket: Ticket(8), result: .refused(.diskStalled)),
                            .init(ticket: Ticket(9), result: .refused(.featureLevel)),
                            .init(ticket: Ticket(10), result: .refused(.wrongTerm)),
                            .init(ticket: Ticket(11), result: .refused(.superseded)),
                        ]))),
            """
            0000009b2c00000000000000070000000000abcdef0000000b0000000000000001010000000000000007000000000000002f000000000000\
            0002030000000000000003020101000000000000000200000000000000040201000000000000000005020200000000000000060203000000\
            000000000702040000000000000008020500000000000000090206000000000000000a0207000000000000000b0208
            """),
        Sample(
            "timeoutNow",
            raft(.timeoutNow(expecting: id(7, 45))),
            "000000192d00000000000000070000000000000007000000000000002d"),
        Sample(
            "snapshotOffer",
            raft(
                .snapshotOffer(
                    SnapshotMeta(
                        image: image, membership: membership, membershipIndex: LogIndex(880), byteCount: 123_456, contentHash: [1, 2, 3]))),
            """
            0000007e2e00000000000000070000000000000004000000000000038400000000feedface00000003000000000000000100000000000000\
            0200000000000000030000000200000000000000010000000000000002000000010000000000000004000000000000000900010000000000\
            000370000000000001e24000000003010203
            """),
        Sample(
            "snapshotRequest",
            raft(.snapshotRequest(image, offset: 4096)),
            "000000292f00000000000000070000000000000004000000000000038400000000feedface0000000000001000"),
        Sample(
            "snapshotChunk",
            raft(.snapshotChunk(SnapshotChunk(image: image, offset: 4096, bytes: Array("chunk".utf8), isLast: true))),
            "000000333000000000000000070000000000000004000000000000038400000000feedface000000000000100001000000056368756e6b"),
        Sample(
            "snapshotRefusal, damaged",
            raft(.snapshotRefusal(image, .damaged)),
            "000000223100000000000000070000000000000004000000000000038400000000feedface01"),
        Sample(
            "snapshotRefusal, noSpace",
            raft(.snapshotRefusal(image, .noSpace)),
            "000000223100000000000000070000000000000004000000000000038400000000feedface02"),
        Sample(
            "snapshotRefusal, featureLevel",
            raft(.snapshotRefusal(image, .featureLevel)),
            "000000223100000000000000070000000000000004000000000000038400000000feedface03"),
        Sample(
            "snapshotRefusal, gone",
            raft(.snapshotRefusal(image, .gone)),
            "000000223100000000000000070000000000000004000000000000038400000000feedface04"),
        Sample(
            "retire",
            raft(.retire(generation: 9)),
            "000000113200000000000000070000000000000009"),
    ]
}
