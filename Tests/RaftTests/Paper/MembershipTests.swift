@testable import Raft
import Testing

@Suite("Thesis chapter 4: what a membership change may ask for")
struct PaperMembershipTests {
    private static let membership = Membership(voters: [NodeID(1), NodeID(2), NodeID(3)], learners: [NodeID(4)])

    private static func joint(_ voters: [UInt64], learners: [UInt64]) -> MembershipTransition {
        .joint(
            Membership(
                voters: voters.map { NodeID($0) }, outgoing: membership.voters, learners: learners.map { NodeID($0) }, generation: 1))
    }

    private static func simple(learners: [UInt64]) -> MembershipTransition {
        .simple(Membership(voters: membership.voters, learners: learners.map { NodeID($0) }, generation: 1))
    }

    @Test("every request about a voter, a learner and a stranger: each change of a vote is joint, nothing else is")
    func table() throws {
        let start = Self.membership
        #expect(try start.applying(.addLearner(NodeID(3))) == .unchanged)
        #expect(try start.applying(.promote(NodeID(3))) == .unchanged)
        #expect(try start.applying(.demote(NodeID(3))) == Self.joint([1, 2], learners: [3, 4]))
        #expect(try start.applying(.remove(NodeID(3))) == Self.joint([1, 2], learners: [4]))

        #expect(try start.applying(.addLearner(NodeID(4))) == .unchanged)
        #expect(try start.applying(.promote(NodeID(4))) == Self.joint([1, 2, 3, 4], learners: []))
        #expect(try start.applying(.demote(NodeID(4))) == .unchanged)
        #expect(try start.applying(.remove(NodeID(4))) == Self.simple(learners: []))

        #expect(try start.applying(.addLearner(NodeID(5))) == Self.simple(learners: [4, 5]))
        #expect(throws: MembershipRefusal.invalid(NodeID(5))) { try start.applying(.promote(NodeID(5))) }
        #expect(throws: MembershipRefusal.invalid(NodeID(5))) { try start.applying(.demote(NodeID(5))) }
        #expect(try start.applying(.remove(NodeID(5))) == .unchanged)
    }

    @Test("the last voter cannot go, since nobody could commit that")
    func lastVoter() {
        let alone = Membership(voters: [NodeID(1)], learners: [NodeID(2)])
        #expect(throws: MembershipRefusal.lastVoter) { try alone.applying(.remove(NodeID(1))) }
        #expect(throws: MembershipRefusal.lastVoter) { try alone.applying(.demote(NodeID(1))) }
    }

    @Test("while a membership is joint no other change begins")
    func jointFirst() {
        let joint = Membership(voters: [NodeID(1), NodeID(2)], outgoing: [NodeID(1)])
        #expect(throws: MembershipRefusal.changeInProgress) { try joint.applying(.addLearner(NodeID(3))) }
    }

    @Test("§7: an image whose membership is malformed changes nothing at the node it is offered to")
    func malformedOffer() throws {
        let cluster = try PaperCluster("cluster 1 2 3\nlead 1")
        var core = try cluster.core(3)
        let image = SnapshotImage(last: EntryID(term: Term(1), index: LogIndex(9)), fingerprint: 1)
        let twice = Membership(voters: [NodeID(1), NodeID(1)])
        let offer = SnapshotMeta(image: image, membership: twice, membershipIndex: LogIndex(1), byteCount: 20)
        var effects = Effects()
        var rng = SplitMix(seed: 1)
        core.step(
            .message(Message(from: NodeID(1), to: NodeID(3), term: Term(1), payload: .snapshotOffer(offer))), now: core.clock, log: TestDisk(),
            rng: &rng, into: &effects)
        #expect(effects.isEmpty)
        #expect(core.membership == Membership(voters: [NodeID(1), NodeID(2), NodeID(3)]))
    }
}
