import Testing

@testable import Raft

/// The arithmetic against definitions that are too slow to be wrong (paper §5.2, §5.4.2, §6).
struct QuorumTests {
    private static func subsets(of nodes: [NodeID]) -> [[NodeID]] {
        nodes.reduce([[]]) { sets, node in sets + sets.map { $0 + [node] } }
    }

    @Test("a majority is more than half, and any two majorities meet", arguments: 1...7)
    func majority(count: Int) {
        let needed = Quorum.majority(of: count)
        #expect(2 * needed > count && 2 * (needed - 1) <= count)
    }

    @Test("what a majority has reached is the greatest level that enough voters have", arguments: 0..<400 as Range<UInt64>)
    func reached(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let voters = (1...random.within(1...7)).map { NodeID(UInt64($0)) }
        let levels = voters.map { _ in random.below(5) }
        func level(_ node: NodeID) -> Int { levels[voters.firstIndex(of: node) ?? 0] }
        // By definition: some majority, as a set, has all reached it; and no greater level has one.
        let majorities = Self.subsets(of: voters).filter { 2 * $0.count > voters.count }
        let naive = majorities.compactMap { $0.map(level).min() }.max()
        #expect(Quorum.reached(by: voters, level) == naive)
    }

    @Test("a joint membership needs both of its sets", arguments: 0..<400 as Range<UInt64>)
    func joint(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let all = (1...6).map { NodeID(UInt64($0)) }
        let incoming = all.filter { _ in random.chance(600) }
        let outgoing = all.filter { _ in random.chance(600) }
        guard !incoming.isEmpty, !outgoing.isEmpty else { return }
        let membership = Membership(voters: incoming, outgoing: outgoing)
        let votes: [Bool?] = all.map { _ in [true, false, nil][random.below(3)] }
        func vote(_ node: NodeID) -> Bool? { votes[all.firstIndex(of: node) ?? 0] }

        func wins(_ set: [NodeID]) -> Bool { 2 * set.filter { vote($0) == true }.count > set.count }
        func canWin(_ set: [NodeID]) -> Bool { 2 * set.filter { vote($0) != false }.count > set.count }
        let expected: BallotOutcome =
            wins(incoming) && wins(outgoing) ? .won : canWin(incoming) && canWin(outgoing) ? .pending : .lost
        #expect(membership.outcome(vote) == expected)

        let levels = all.map { _ in random.below(5) }
        func level(_ node: NodeID) -> Int { levels[all.firstIndex(of: node) ?? 0] }
        let both = [incoming, outgoing].map { set in set.map(level).sorted(by: >)[set.count / 2] }
        #expect(membership.reached(level) == both.min())
    }

    @Test("nobody wins or commits in a cluster without voters")
    func empty() {
        #expect(Membership.none.outcome { _ in true } == .lost)
        #expect(Membership.none.reached { _ in 1 } == nil)
    }
}
