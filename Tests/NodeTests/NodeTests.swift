import NIOCore
import Raft
import SecretStore
import Testing

@testable import Node

@Suite("A node drives its core", .serialized)
struct NodeTests {
    @Test("alone it leads, applies, and needs no round for a read")
    func alone() async throws {
        let cluster = try TestCluster()
        let node = try await cluster.start(1, founding: [1])
        #expect(await node.write(cluster.mutation(1)) == .success(.done))
        try await node.barrier().get()
        #expect(node.isReadableNow)
        #expect(try cluster.store(node).committedPosition().index <= node.applier.appliedIndex)
        await cluster.stop(node)

        let again = try await cluster.start(1, founding: [1])
        // What was acknowledged is there: the same account again is refused.
        #expect(await again.write(cluster.mutation(1)) == .success(.failed(.accountAlreadyExists)))
        await cluster.stop(again)
    }

    @Test("a write through any of three nodes is applied on all, and their states are equal")
    func three() async throws {
        let cluster = try TestCluster()
        let nodes = try await cluster.startAll()
        for number in 0..<60 {
            #expect(await nodes[number % 3].write(cluster.mutation(UInt64(number))) == .success(.done))
            // What was acknowledged is read on the next node.
            let other = nodes[(number + 1) % 3]
            try await other.barrier().get()
            #expect(other.applier.appliedIndex >= nodes[number % 3].board.facts.applied.raw)
        }
        try await TestCluster.until("all have applied all") { Set(nodes.map(\.applier.appliedIndex)).count == 1 }
        for node in nodes { await cluster.stop(node) }
        let positions = try nodes.map { try cluster.store($0).committedPosition() }
        #expect(Set(positions.map(\.stateHash)).count == 1)
        #expect(Set(positions.map(\.index)).count == 1)
    }

    @Test("the leader is lost in the middle of writes: each is done once, and none is refused for it")
    func leaderLost() async throws {
        let cluster = try TestCluster()
        let nodes = try await cluster.startAll()
        let leader = try await cluster.leader(among: nodes)
        let others = nodes.filter { $0.id != leader.id }
        let outcomes = await withTaskGroup(of: Result<Outcome, ProposalFailure>.self) { group in
            for number in 0..<200 {
                group.addTask { await others[number % 2].write(cluster.mutation(UInt64(number))) }
                if number == 100 { cluster.board.cut(leader.id, from: others.map(\.id)) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.allSatisfy { $0 == .success(.done) })
        cluster.board.heal()
        try await TestCluster.until("the old leader has caught up") { Set(nodes.map(\.applier.appliedIndex)).count == 1 }
        for node in nodes { await cluster.stop(node) }
        #expect(try Set(nodes.map { try cluster.store($0).committedPosition().stateHash }).count == 1)
    }

    @Test("without a majority a write and a read end in their time, and the write is not done")
    func noMajority() async throws {
        let cluster = try TestCluster { $0.requestMilliseconds = 800 }
        let nodes = try await cluster.startAll()
        let leader = try await cluster.leader(among: nodes)
        let others = nodes.filter { $0.id != leader.id }
        cluster.board.cut(leader.id, from: others.map(\.id))
        cluster.board.cut(others[0].id, from: [others[1].id])
        try await TestCluster.until("nobody leads, and all know it") {
            nodes.allSatisfy { $0.board.facts.role != .leader && $0.board.facts.leader == nil }
        }
        #expect(await others[0].write(cluster.mutation(1)) == .failure(.unavailable))
        #expect(await others[1].barrier().map { true } == .failure(.unavailable))
        cluster.board.heal()
        _ = try await cluster.leader(among: nodes)
        #expect(await others[0].write(cluster.mutation(1)) == .success(.done))
        for node in nodes { await cluster.stop(node) }
    }

    @Test("all stop and start again: the cluster comes back with everything")
    func allRestart() async throws {
        let cluster = try TestCluster()
        var nodes = try await cluster.startAll()
        for number in 0..<20 { #expect(await nodes[number % 3].write(cluster.mutation(UInt64(number))) == .success(.done)) }
        for node in nodes { await cluster.stop(node) }
        nodes = try await cluster.startAll()
        for number in 0..<20 {
            #expect(await nodes[number % 3].write(cluster.mutation(UInt64(number))) == .success(.failed(.accountAlreadyExists)))
        }
        for node in nodes { await cluster.stop(node) }
    }

    @Test("a node that was away for longer than the log reaches gets a snapshot, and goes on with the log")
    func snapshot() async throws {
        let cluster = try TestCluster {
            $0.raft.limits.trailingEntries = 10
            $0.raft.limits.compactionStep = 10
            $0.raft.limits.snapshotChunkBytes = 4_096
        }
        let nodes = try await cluster.startAll()
        let leader = try await cluster.leader(among: nodes)
        let away = nodes.first { $0.id != leader.id }!
        let there = nodes.filter { $0.id != away.id }
        cluster.board.cut(away.id, from: there.map(\.id))
        var number = 0
        // The log may be cut behind the commit before the last.
        try await TestCluster.until("the log is cut") {
            #expect(await there[number % 2].write(cluster.mutation(UInt64(number))) == .success(.done))
            number += 1
            for node in there { await node.everythingVisible() }
            return there.allSatisfy { $0.applier.removableIndex > 100 }
        }
        cluster.board.heal()
        try await TestCluster.until("the node has caught up") { Set(nodes.map(\.applier.appliedIndex)).count == 1 }
        #expect(await away.write(cluster.mutation(100_000)) == .success(.done))
        #expect(await away.write(cluster.mutation(3)) == .success(.failed(.accountAlreadyExists)))
        for node in nodes { await cluster.stop(node) }
        #expect(try Set(nodes.map { try cluster.store($0).committedPosition().stateHash }).count == 1)
        // And again after a restart, from what is on its disk.
        let again = try await cluster.startAll()
        #expect(await again[0].write(cluster.mutation(3)) == .success(.failed(.accountAlreadyExists)))
        for node in again { await cluster.stop(node) }
    }

    @Test("members are added as learners, promoted and removed while writes go on")
    func membership() async throws {
        let cluster = try TestCluster()
        let first = try await cluster.start(1, founding: [1])
        #expect(await first.write(cluster.mutation(0)) == .success(.done))
        let second = try await cluster.start(2, founding: [])
        let third = try await cluster.start(3, founding: [])
        let nodes = [first, second, third]
        for node in nodes.dropFirst() {
            #expect(try await first.change(.addLearner(node.id)).get() == .done)
            try await TestCluster.until("promoted") { try await first.change(.promote(node.id)).get() == .done }
            #expect(await node.write(cluster.mutation(node.id.raw)) == .success(.done))
        }
        #expect(!first.isReadableNow)
        #expect(try await first.transferLeadership(to: NodeID(2)).get() == .done)
        try await TestCluster.until("the second leads") { second.board.facts.role == .leader }
        #expect(try await second.change(.remove(NodeID(1))).get() == .done)
        #expect(await third.write(cluster.mutation(9)) == .success(.done))
        #expect(second.board.facts.membership.membership.voters == [NodeID(2), NodeID(3)])
        for node in nodes { await cluster.stop(node) }
    }

    @Test("leadership is handed over without a failed write")
    func transfer() async throws {
        let cluster = try TestCluster()
        let nodes = try await cluster.startAll()
        let leader = try await cluster.leader(among: nodes)
        let target = nodes.first { $0.id != leader.id }!
        async let outcomes = withTaskGroup(of: Result<Outcome, ProposalFailure>.self) { group in
            for number in 0..<100 { group.addTask { await nodes[number % 3].write(cluster.mutation(UInt64(number))) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        // A leader that is new does not know yet how far the others are.
        try await TestCluster.until("handed over") { try await leader.transferLeadership(to: target.id).get() == .done }
        #expect(await outcomes.allSatisfy { $0 == .success(.done) })
        try await TestCluster.until("the target leads") { target.board.facts.role == .leader }
        for node in nodes { await cluster.stop(node) }
    }
}
