import OpenSSL
@testable import Raft
@testable import SecretStore
import Testing

@testable import Node

@Suite("The membership follows the registry")
struct MembershipPlanTests {
    private func nodes(active: [UInt64], removed: [UInt64] = []) -> [NodeRecord] {
        (active.map { ($0, NodeRecord.State.active) } + removed.map { ($0, .removed(at: TestCluster.start)) }).map { id, state in
            NodeRecord(
                id: NodeID(id), peerAddress: NodeAddress("127.0.0.1:1")!, apiAddress: NodeAddress("127.0.0.1:2")!,
                publicKeys: [SHA256.hash([UInt8(id)].span.bytes)], addedAt: TestCluster.start, state: state, version: "1")
        }
    }

    private func membership(_ voters: [UInt64], learners: [UInt64] = [], outgoing: [UInt64] = []) -> Membership {
        Membership(voters: voters.map(NodeID.init), outgoing: outgoing.map(NodeID.init), learners: learners.map(NodeID.init), generation: 5)
    }

    @Test("a new node learns first, and votes when it has caught up")
    func grow() {
        #expect(MembershipPlan.next(membership([1]), nodes(active: [1, 2, 3])) == .with { $0.addLearners = [NodeID(2), NodeID(3)] })
        #expect(MembershipPlan.next(membership([1], learners: [2, 3]), nodes(active: [1, 2, 3])) == .promote(NodeID(2)))
        #expect(MembershipPlan.next(membership([1, 2, 3]), nodes(active: [1, 2, 3])) == nil)
    }

    @Test("a removed node leaves; a learner takes its place in the same change, or the node leaves alone when no learner can")
    func shrink() {
        #expect(MembershipPlan.next(membership([1, 2, 3]), nodes(active: [1, 2], removed: [3])) == .remove(NodeID(3)))
        let replacing = nodes(active: [1, 2, 4], removed: [3])
        #expect(MembershipPlan.next(membership([1, 2, 3], learners: [4]), replacing) == .replace(NodeID(3), by: NodeID(4)))
        #expect(MembershipPlan.next(membership([1, 2, 3], learners: [4]), replacing, insistsOnReplacement: false) == .remove(NodeID(3)))
        #expect(MembershipPlan.next(membership([1, 2], learners: [3]), nodes(active: [1, 2], removed: [3])) == .remove(NodeID(3)))
    }

    @Test("nothing is begun while the cluster is between two memberships")
    func joint() {
        #expect(MembershipPlan.next(membership([1, 2], outgoing: [1]), nodes(active: [1, 2, 3])) == nil)
    }

    @Test("from any membership it reaches the registry's in a few steps, and never takes the last voter")
    func converges() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let voters = (1...5).filter { _ in Bool.random(using: &generator) }.map(UInt64.init)
            guard !voters.isEmpty else { continue }
            let learners = (6...7).filter { _ in Bool.random(using: &generator) }.map(UInt64.init)
            let active = [voters[0]] + (2...9).filter { _ in Bool.random(using: &generator) }.map(UInt64.init).filter { $0 != voters[0] }
            let registry = nodes(active: active, removed: (1...9).map(UInt64.init).filter { !active.contains($0) })
            var current = membership(voters, learners: learners)
            var steps = 0
            while let change = MembershipPlan.next(current, registry) {
                switch try current.applying(change) {
                case .unchanged: Issue.record("a step that changes nothing: \(change)")
                case .simple(let next): current = next
                case .joint(let next): current = next.final
                }
                steps += 1
                try #require(steps < 30)
            }
            #expect(Set(current.voters) == Set(active.map(NodeID.init)))
            #expect(current.learners.isEmpty)
        }
    }
}
