import NIOCore
import Raft
import Testing

@testable import PeerLinks

@Suite("Requests between nodes", .timeLimit(.minutes(2)))
struct RequestTests {
    private func failure(_ node: TestNode, _ kind: UInt16, _ body: ByteBuffer = ByteBuffer(), to peer: UInt64, timeout: TimeAmount = .seconds(30))
        async -> PeerRequestError?
    {
        do {
            _ = try await node.request(kind, body, to: peer, timeout: timeout)
            return nil
        } catch { return error as? PeerRequestError }
    }

    @Test("a question is answered, many at a time, in both directions")
    func answers() async throws {
        try await withNodes(2) { nodes in
            for (asker, other) in [(nodes[0], nodes[1]), (nodes[1], nodes[0])] {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<50 {
                        group.addTask {
                            let body = ByteBuffer(string: "question \(number)")
                            let reply = try await asker.request(1, body, to: other.id)
                            #expect(reply == PeerReply(status: UInt16(asker.id), body: body))
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("no answer in time, a failed one and one that is too large are three different failures")
    func failures() async throws {
        try await withNodes(2) { nodes in
            #expect(await failure(nodes[0], 2, to: 2, timeout: .milliseconds(30)) == .timedOut)
            #expect(await failure(nodes[0], 3, to: 2) == .notAnswered)
            #expect(await failure(nodes[0], 4, to: 2) == .notAnswered)
            #expect(await failure(nodes[0], 1, ByteBuffer(repeating: 0, count: WireFormat.frameBytesMax), to: 2) == .tooLarge)
            #expect(await failure(nodes[0], 1, to: 3) == .notConnected)
            // The link has survived all of that.
            let reply = try await nodes[0].request(1, to: 2)
            #expect(reply.status == 1)
            #expect(nodes[0].recorder.changes(2) == [true])
        }
    }

    @Test("when the peer goes away, its open requests fail once and later ones at once")
    func peerLoss() async throws {
        try await withNodes(2) { nodes in
            let pending = Task { await failure(nodes[0], 2, to: 2) }
            await eventually("the question is there") { nodes[1].recorder.unansweredCount == 1 }
            await nodes[1].transport.shutdown()
            #expect(await pending.value == .connectionLost)
            #expect(await failure(nodes[0], 1, to: 2) == .notConnected)
        }
    }

    @Test("the node's own shutdown fails its requests")
    func ownShutdown() async throws {
        try await withNodes(2) { nodes in
            let pending = Task { await failure(nodes[0], 2, to: 2) }
            await eventually("the question is there") { nodes[1].recorder.unansweredCount == 1 }
            await nodes[0].transport.shutdown()
            #expect(await pending.value == .connectionLost)
        }
    }

    @Test("more open requests than allowed are refused at once")
    func tooMany() async throws {
        var limits = PeerLinkLimits.patient
        limits.requestsMax = 2
        try await withNodes(2, limits: limits) { nodes in
            let pending = (0..<2).map { _ in Task { await failure(nodes[0], 2, to: 2) } }
            await eventually("both questions are there") { nodes[1].recorder.unansweredCount == 2 }
            #expect(await failure(nodes[0], 1, to: 2) == .queueFull)
            await nodes[1].transport.shutdown()
            for task in pending { #expect(await task.value == .connectionLost) }
        }
    }
}
