import Raft

extension Scenario {
    static let processCommands: [String: Action] = [
        "crash": { try $0.crash(&$1) },
        "restart": { scenario, words in for id in words.nodes() { try scenario.restart(id) } },
        "damage": { scenario, words in
            let node = try scenario.node(words.node())
            guard scenario.down.contains(node.id), words.take("after") else { throw ClusterFailure("damage what is down, after an index") }
            let index = LogIndex(try words.number())
            node.disk.entries.removeLast(Int(node.disk.lastIndex.distance(from: index)))
            node.disk.isDamaged = true
        },
        "pause": { scenario, words in scenario.paused.formUnion(words.nodes()) },
        "wake": { scenario, words in scenario.paused.subtract(words.nodes()) },
    ]

    private func crash(_ words: inout Words) throws {
        for id in words.nodes() {
            let node = try live(id)
            let surviving = words.take("surviving") ? Int(try words.number()) : 0
            node.crash(survivingWrites: surviving, losesCheckpoint: words.take("losing-checkpoint"))
            down.insert(id)
            work.removeAll { $0.node == id }
            forgetTickets(of: id)
        }
    }

    private func restart(_ id: NodeID) throws {
        guard down.remove(id) != nil else { throw ClusterFailure("node \(id) is not down") }
        let node = try node(id)
        try node.restart(settings: settings, now: clock, images: images)
        try checker.noteState(of: node)
        try step(node, .tick)
    }

    /// The entry that a given log has at one place is the same in every log.
    func replaceLog(_ words: inout Words) throws {
        let node = try node(words.node())
        guard down.contains(node.id) else { throw ClusterFailure("node \(node.id) is not down") }
        let base = node.disk.base
        node.disk = TestDisk()
        node.disk.base = base
        while let term = words.numberIfAny() {
            let id = EntryID(term: Term(term), index: node.disk.lastIndex.next)
            node.disk.entries.append(Entry(id: id, body: .command(Command(Array("given \(id)".utf8)))))
        }
        let last = node.disk.entries.last?.term ?? .zero
        node.disk.hardState = HardState(term: words.take("term") ? Term(try words.number()) : last, vote: nil)
    }
}
