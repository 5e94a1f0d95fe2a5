import Raft
import Testing

@Suite("Paper §5.3, §5.4, figures 7 and 8: logs and what is committed")
struct PaperReplicationTests {
    /// The paper's figure 7: the new leader's log, and those of followers (a) to (f), by terms. All have heard of term 7, which (d) led.
    private static let figure7 = """
        cluster 1...7
        crash 1...7
        log 1 1 1 1 4 4 5 5 6 6 6 term 7
        log 2 1 1 1 4 4 5 5 6 6 term 7
        log 3 1 1 1 4 term 7
        log 4 1 1 1 4 4 5 5 6 6 6 6 term 7
        log 5 1 1 1 4 4 5 5 6 6 6 7 7
        log 6 1 1 1 4 4 4 4 term 7
        log 7 1 1 1 2 2 2 3 3 3 3 3 term 7
        restart 1...7
        """

    @Test("Figure 7: a leader makes every log equal to its own, whatever is missing or left over in it")
    func figure7() throws {
        let cluster = try PaperCluster(Self.figure7 + "\ncrash 5\nsettle\nclock 200\ncampaign 1\nsettle\nrestart 5\nrun 400")
        #expect(try cluster.core(1).role == .leader)
        for node in 1...7 as ClosedRange<UInt64> { #expect(try cluster.terms(node) == [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 8]) }
    }

    @Test("§5.3: an entry is committed by a majority, and the others get it when they are back")
    func majorityCommits() throws {
        let cluster = try PaperCluster("cluster 1 2 3\nlead 1\npartition 1 2 | 3\npropose 1 a\nsettle")
        #expect(cluster.outcome(1) == "#1 committed 1/2")
        try cluster.run("heal\nrun 40")
        #expect(try cluster.core(3).commit == LogIndex(2))
    }

    @Test("Figure 8: an entry of an older term is not committed by counting; a later leader could still overwrite it")
    func figure8() throws {
        let cluster = try PaperCluster("""
            set appendBytes 1
            cluster 1 2 3
            crash 1 2 3
            log 1 1 2 term 3
            log 2 1 term 3
            log 3 1 term 3
            restart 1 2 3
            partition 1 2 | 3
            clock 200
            campaign 1
            deliver 1->2 preVote
            deliver 2->1 preVoteReply
            durable 1
            deliver 1->2 vote
            durable 2
            deliver 2->1 voteReply
            deliver 1->2 append
            deliver 2->1 appendReply
            deliver 1->2 append
            durable 2
            deliver 2->1 appendReply
            """)
        #expect(try cluster.core(1).role == .leader)
        // Term 2's entry is on nodes 1 and 2, a majority, and the leader knows it; its own entry, of term 4, is on no disk but its own.
        #expect(try cluster.terms(2) == [1, 2])
        #expect(try cluster.core(1).commit == .zero)
        try cluster.run("settle 1 2")
        #expect(try cluster.core(1).commit == LogIndex(3))
    }

    @Test("§8: a new leader begins with a blank entry, which commits what its predecessors left")
    func blankEntry() throws {
        let cluster = try PaperCluster("cluster 1 2 3\nlead 1\ntransfer 1 2\nsettle")
        #expect(try cluster.terms(2) == [1, 2])
        #expect(try cluster.core(2).commit == LogIndex(2))
    }

    @Test("Thesis §10.2: entries are sent without waiting for the answers to those before them")
    func pipelining() throws {
        let cluster = try PaperCluster("set appendBytes 1\ncluster 1 2 3\nlead 1\npropose 1 a bb ccc\nexpect in-flight 1->2 append 3")
        try cluster.run("settle\nexpect committed 4")
    }
}
