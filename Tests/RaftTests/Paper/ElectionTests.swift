import Raft
import Testing

@Suite("Paper §5.1, §5.2: terms and elections")
struct PaperElectionTests {
    @Test("§5.1: a leader that meets a higher term gives way, since a newer leader may exist")
    func higherTermDeposes() throws {
        let cluster = try PaperCluster("cluster 1 2 3\nlead 1\ncrash 3\nterm 3 9\nrestart 3\nrun 30")
        #expect(try cluster.core(1).role != .leader)
        #expect(try cluster.core(1).term == Term(9))
    }

    @Test("§5.2: without a majority there is no leader, so two parts of a cluster cannot have one each")
    func minorityElectsNobody() throws {
        let cluster = try PaperCluster("cluster 1...5\npartition 1 2 | 3 4 5\nrun 400")
        #expect(try [1, 2].allSatisfy { try cluster.core($0).role != .leader })
        #expect(try [3, 4, 5].filter { try cluster.core($0).role == .leader }.count == 1)
    }

    @Test("§5.2: a node votes once in a term, and remembers it after a crash; else two candidates could both win")
    func oneVotePerTerm() throws {
        let cluster = try PaperCluster("cluster 1 2 3\nhold 1->2 2->1\ncampaign 1\ncampaign 2\nsettle\ncrash 3\nrestart 3")
        #expect(try cluster.core(3).hardState == HardState(term: Term(1), vote: NodeID(1)))
        #expect(try cluster.core(2).role != .leader)
    }

    @Test("§5.4.1: a voter refuses a candidate whose log is older than its own, so the winner holds all that is committed")
    func olderLogLoses() throws {
        let cluster = try PaperCluster("cluster 1 2 3\nlead 1\npartition 1 2 | 3\npropose 1 a\nsettle\ncrash 1\nheal\nclock 200\ncampaign 3\nsettle")
        #expect(try cluster.core(3).role != .leader)
        try cluster.run("campaign 2\nsettle")
        #expect(try cluster.core(2).role == .leader)
        #expect(try cluster.terms(3) == [1, 1, 2])
    }

    @Test("Thesis §9.6: a node that was away asks first, and returns in the term that it left")
    func preVoteMovesNoTerm() throws {
        let cluster = try PaperCluster("cluster 1 2 3\nlead 1\npartition 1 2 | 3\nrun 2000\nheal\nrun 40")
        #expect(try cluster.core(1).role == .leader)
        #expect(try [1, 2, 3].allSatisfy { try cluster.core($0).term == Term(1) })
    }

    @Test("Thesis §6.2: a leader that hears no majority for an election timeout stops, so that its clients look for another one")
    func checkQuorum() throws {
        let cluster = try PaperCluster("cluster 1 2 3\nlead 1\npartition 1 | 2 3\nwait 99 on 1")
        #expect(try cluster.core(1).role == .leader)
        try cluster.run("wait 1 on 1")
        #expect(try cluster.core(1).role == .follower)
    }

    @Test("Thesis §3.10: a transfer elects its target at once, although everybody hears the old leader")
    func transfer() throws {
        let cluster = try PaperCluster("cluster 1 2 3\nlead 1\npropose 1 a\ntransfer 1 3\nsettle")
        #expect(try cluster.core(3).role == .leader)
        #expect(try cluster.core(3).term == Term(2))
        #expect(cluster.outcome(1) == "#1 committed 1/2")
    }
}
