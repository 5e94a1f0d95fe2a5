@testable import Raft

/// What seldom happens, for stories that need it:
/// - `term 3 9`: the disk of node 3, which is down, holds term 9 and no vote.
/// - `postpone [1->3] [append] [2]`: those messages (as for `deliver`) arrive after all that are in flight now.
/// - `report 1 3`: the disk of node 1 says that it has everything through w3, whether or not that is news.
/// - `fail 3 [noSpace]`: the next of node 3's other jobs fails: a piece of a snapshot that is damaged or finds no space, an image that cannot be made.
/// - `queues 1`: how much waits at node 1 for an answer, and how many bytes of its log count as uncommitted.
extension Scenario {
    static let disturbanceCommands: [String: Action] = [
        "term": { scenario, words in
            let node = try scenario.node(words.node())
            guard scenario.down.contains(node.id) else { throw ClusterFailure("node \(node.id) is not down") }
            node.disk.hardState = HardState(term: Term(try words.number()), vote: nil)
        },
        "postpone": { scenario, words in
            let late = try scenario.takeMessages(&words)
            scenario.inFlight += late
        },
        "report": { scenario, words in
            let node = try scenario.live(words.node())
            try scenario.step(node, .logDurable(WriteSequence(words.number())))
        },
        "fail": { scenario, words in
            let node = try scenario.live(words.node())
            try scenario.failNext(at: node, words.take("noSpace") ? .noSpace : .damaged)
        },
        "queues": { scenario, words in
            for id in words.nodes() {
                let core = try scenario.live(id).core
                let reads = core.isLeader ? core.leadership.reads.count : core.followerReads.count
                let bytes = core.isLeader ? ", \(core.leadership.uncommittedBytes)B not committed" : ""
                scenario.note("\(id): \(reads) reads, \(core.proposals.count) proposals\(bytes)")
            }
        },
    ]

    private func failNext(at node: TestNode, _ fault: SnapshotFault) throws {
        guard let position = work.firstIndex(where: { $0.node == node.id }) else { throw ClusterFailure("node \(node.id) has nothing to do") }
        switch work[position].job {
        case .input(.snapshotReady): try step(node, .snapshotUnavailable)
        case .input(.snapshotChunkStored(let image, _, _)): try step(node, .snapshotFailed(image, fault))
        default: throw ClusterFailure("what node \(node.id) does next cannot fail")
        }
        work.remove(at: position)
    }
}
