import NIOCore
import Raft
import Testing

@testable import PeerLinks

@Suite("Links between nodes", .timeLimit(.minutes(2)))
struct ExchangeTests {
    private static let payloads = GoldenFrames.all.compactMap { if case .raft(_, let payload) = $0.frame { payload } else { nil } }

    private func number(_ message: Message) -> UInt64? { if case .retire(let generation) = message.payload { generation } else { nil } }

    @Test("two nodes exchange messages of every kind, each from and to whom the link says")
    func everyKind() async throws {
        try await withNodes(2) { nodes in
            for (sender, receiver) in [(nodes[0], nodes[1]), (nodes[1], nodes[0])] {
                try await sender.send(Self.payloads, to: receiver.id, term: 9)
                await eventually("all arrive") { receiver.recorder.messages.count == Self.payloads.count }
                let messages = receiver.recorder.messages
                #expect(messages.allSatisfy { $0.from == NodeID(sender.id) && $0.to == NodeID(receiver.id) && $0.term == Term(9) })
                // The chunk travels on the other connection, so its place is open.
                #expect(messages.map(\.payload).filter { $0.role == .control } == Self.payloads.filter { $0.role == .control })
                #expect(messages.map(\.payload).filter { $0.role == .bulk } == Self.payloads.filter { $0.role == .bulk })
            }
        }
    }

    @Test("three nodes reach each other, and each knows who spoke")
    func threeNodes() async throws {
        try await withNodes(3) { nodes in
            for sender in nodes {
                for receiver in nodes where receiver.id != sender.id {
                    try await sender.send(.retire(generation: sender.id * 10 + receiver.id), to: receiver.id)
                }
            }
            for receiver in nodes {
                await eventually("both arrive") { receiver.recorder.messages.count == 2 }
                for message in receiver.recorder.messages { #expect(number(message) == message.from.raw * 10 + receiver.id) }
            }
        }
    }

    @Test("messages on the control connection keep their order, over many flushes and sizes")
    func order() async throws {
        try await withNodes(2) { nodes in
            let count = 3_000
            for batch in 0..<30 {
                let payloads = (0..<100).map { place -> Message.Payload in
                    let number = UInt64(batch * 100 + place)
                    let entry = Entry(
                        id: EntryID(term: Term(1), index: LogIndex(number)),
                        body: .command(Command([UInt8](repeating: 1, count: place % 10 == 0 ? 30_000 : place))))
                    return .append(Append(previous: .zero, entries: [entry], commit: .zero, epoch: number))
                }
                try await nodes[0].send(payloads, to: 2)
            }
            await eventually("all arrive") { nodes[1].recorder.messages.count == count }
            let epochs = nodes[1].recorder.messages.map { if case .append(let append) = $0.payload { append.epoch } else { UInt64.max } }
            #expect(epochs == (0..<UInt64(count)).map { $0 })
            #expect(try await nodes[0].statistics(2)?.counters.framesDropped == 0)
        }
    }

    @Test("an append as large as the core makes it, and a snapshot chunk of a megabyte, pass")
    func largest() async throws {
        try await withNodes(2) { nodes in
            let limits = Raft.Limits()
            let entries = (0..<5).map { place in
                Entry(
                    id: EntryID(term: Term(1), index: LogIndex(UInt64(place) + 1)),
                    body: .command(Command([UInt8](repeating: UInt8(place), count: limits.commandBytesMax))))
            }
            let noops = (0..<(limits.appendBytesMax / 48)).map { Entry(id: EntryID(term: Term(1), index: LogIndex(UInt64($0))), body: .noop) }
            let chunk = SnapshotChunk(
                image: SnapshotImage(last: .zero, fingerprint: 1), offset: 0, bytes: [UInt8](repeating: 5, count: limits.snapshotChunkBytes),
                isLast: false)
            let payloads: [Message.Payload] = [
                .append(Append(previous: .zero, entries: entries, commit: .zero, epoch: 0)),
                .append(Append(previous: .zero, entries: noops, commit: .zero, epoch: 0)), .snapshotChunk(chunk),
            ]
            try await nodes[0].send(payloads, to: 2)
            await eventually("all arrive") { nodes[1].recorder.messages.count == 3 }
            #expect(Set(nodes[1].recorder.messages.map(\.payload)) == Set(payloads))
        }
    }

    @Test("what is known of a peer: version, certificate, traffic, round trip")
    func statistics() async throws {
        var limits = PeerLinkLimits.patient
        limits.pingInterval = .milliseconds(20)
        try await withNodes(2, limits: limits) { nodes in
            try await nodes[0].send(Self.payloads, to: 2)
            await eventually("a pong has come") { (try? await nodes[0].statistics(2)?.roundTrip) != nil }
            let statistics = try #require(await nodes[0].statistics(2))
            #expect(statistics.version == 1)
            #expect(statistics.counters.connectionsMade == 2)
            #expect(statistics.counters.framesSent >= UInt64(Self.payloads.count) + 2)
            #expect(statistics.counters.bytesSent > statistics.counters.framesSent * 5)
            #expect(statistics.counters.framesReceived > 0 && statistics.counters.bytesReceived > 0)
            #expect(try #require(statistics.certificateNotAfter) > 1_700_000_000)
        }
    }

    @Test("a message for a node that is no peer is dropped, and one for a peer that is not there is counted")
    func nobody() async throws {
        let node = try await TestNode.start(1)
        try await shuttingDown([node]) {
            try await node.setPeers([NodeID(2): PeerAddress(host: "127.0.0.1", port: 1)])
            try await node.send([.retire(generation: 1), .retire(generation: 2)], to: 2)
            try await node.send(.retire(generation: 3), to: 9)
            #expect(try await node.statistics(2)?.counters.framesDropped == 2)
            #expect(try await node.statistics(9) == nil)
        }
    }
}
