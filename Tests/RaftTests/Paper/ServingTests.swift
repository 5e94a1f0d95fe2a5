import Raft
import Testing

@Suite("Paper §6, §7, §8 and thesis chapters 4 to 6: memberships, snapshots, reads")
struct PaperServingTests {
    @Test("§6: a joint membership needs a majority of the old set too; else both sets could decide alone")
    func jointNeedsBoth() throws {
        let cluster = try PaperCluster("cluster 1...4\nlead 1\npartition 1 2 | 3 4\nchange 1 remove 3\nsettle")
        #expect(try cluster.core(1).membership.isJoint)
        #expect(try cluster.core(1).commit == LogIndex(1))
    }

    @Test("§6: a membership is in force as soon as it is in the log, committed or not")
    func inForceOnAppend() throws {
        let cluster = try PaperCluster("cluster 1 2 3\nlead 1\nchange 1 add-learner 4")
        #expect(try cluster.core(1).membership.learners == [NodeID(4)])
        #expect(try cluster.core(1).committedMembership.membership.learners.isEmpty)
    }

    @Test("Thesis §4.2.1: a learner gets the log and has no say in what is committed")
    func learnersDoNotCount() throws {
        let cluster = try PaperCluster("cluster 1 2 3 learners 4\nlead 1\npartition 1 4 | 2 3\npropose 1 a\nsettle")
        #expect(try cluster.core(4).lastEntry == cluster.core(1).lastEntry)
        #expect(try cluster.core(1).commit == LogIndex(1))
    }

    @Test("Thesis §4.2.2: a leader that removes itself leads until that is committed, and then leaves")
    func leaderRemovesItself() throws {
        let cluster = try PaperCluster("cluster 1 2 3\nlead 1\nchange 1 remove 1\nsettle")
        #expect(try cluster.core(1).role != .leader)
        #expect(try cluster.core(2).membership == Membership(voters: [NodeID(2), NodeID(3)], generation: 2))
    }

    @Test("§7: a follower behind a log that was cut gets an image, and the log on top of it")
    func snapshot() throws {
        let cluster = try PaperCluster("cluster 1 2 3\nlead 1\npartition 1 2 | 3\npropose 1 a bb\nsettle\ncompact 1\nheal\nrun 60\nexpect agree")
        #expect(try cluster.core(3).firstIndex == LogIndex(4))
    }

    @Test("§8, thesis §6.4: a leader asks a majority before it answers a read; a newer leader may have written")
    func readsAskAMajority() throws {
        let cluster = try PaperCluster("cluster 1 2 3\nlead 1\npartition 1 | 2 3\nread 1\nsettle")
        #expect(cluster.outcome(1) == nil)
        try cluster.run("run 120")
        #expect(cluster.outcome(1) == "#1 failed leaderChanged")
    }
}
