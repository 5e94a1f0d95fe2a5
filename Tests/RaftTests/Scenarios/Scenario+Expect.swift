@testable import Raft

extension Scenario {
    /// Assertions, terse and without a trace:
    /// - `expect 1 leader term 2 commit 5 applied 5 durable 5 last 2/5 first 1 knows 1 vote 1`: any of these, of one node. Roles: `follower`, `preCandidate`,
    ///   `candidate`, `leader`, `learner`, `recovering`, `retired`. `none` for no leader and no vote.
    /// - `expect 1 voters 1 2 3 outgoing 1 2 learners 4`: the membership in force at node 1; a set that is not named must be empty.
    /// - `expect leader 1 [term 2]`, `expect leader none`: the running leader of the highest term.
    /// - `expect committed 5 [on 1 2]`, `expect applied 5 [on 1 2]`: at every running node.
    /// - `expect agree [1 2]`: equal logs, commit indexes and states at every running node.
    /// - `expect #3 committed 2/5`, `expect #3 open`: how a ticket ended; the beginning of it is enough.
    /// - `expect in-flight 1->3 append 2`: how many of a kind.
    /// - `expect terms 2 1 1 4`: the terms of node 2's log, from its first entry.
    func expect(_ words: inout Words) throws {
        let subject = try words.next("what to expect")
        switch subject {
        case "leader": try expectLeader(&words)
        case "committed": try expectEverywhere(&words, "commit", \.core.commit)
        case "applied": try expectEverywhere(&words, "applied index", \.core.applied)
        case "agree": try expectAgreement(&words)
        case "in-flight": try expectInFlight(&words)
        case "terms":
            let node = try node(words.node())
            var terms: [UInt64] = []
            while let term = words.numberIfAny() { terms.append(term) }
            try require(node.disk.entries.map(\.term.raw) == terms, "the terms on disk \(node.id) are \(node.disk.entries.map(\.term.raw))")
        case _ where subject.hasPrefix("#"): try expectOutcome(subject, &words)
        default:
            guard let id = UInt64(subject) else { throw ClusterFailure("'\(subject)' is nothing to expect") }
            let node = try node(NodeID(id))
            while !words.isEmpty { try expectOne(of: node, &words) }
        }
    }

    private func require(_ holds: Bool, _ sentence: @autoclosure () -> String) throws {
        if !holds { throw ClusterFailure(sentence()) }
    }

    private func expectOne(of node: TestNode, _ words: inout Words) throws {
        let core = node.core
        let what = try words.next("what to expect")
        func compare(_ actual: String, _ expected: String) throws {
            try require(actual == expected, "node \(node.id): \(what) is \(actual), not \(expected)")
        }
        switch what {
        case "term": try compare("\(core.term)", words.next("a term"))
        case "commit": try compare("\(core.commit)", words.next("an index"))
        case "applied": try compare("\(core.applied)", words.next("an index"))
        case "durable": try compare("\(core.durableIndex)", words.next("an index"))
        case "first": try compare("\(core.firstIndex)", words.next("an index"))
        case "last": try compare("\(core.lastEntry)", words.next("an entry"))
        case "knows": try compare(core.leader?.description ?? "none", words.next("a node"))
        case "vote": try compare(core.hardState.vote?.description ?? "none", words.next("a node"))
        case "voters":
            let voters = words.nodes()
            let outgoing = words.take("outgoing") ? words.nodes() : []
            let learners = words.take("learners") ? words.nodes() : []
            let expected = Membership(
                voters: voters, outgoing: outgoing, learners: learners, generation: core.membership.generation, featureLevel: core.membership.featureLevel)
            try compare("\(core.membership)", "\(expected)")
        case "down": try require(down.contains(node.id), "node \(node.id) runs")
        default: try require("\(core.role)" == what, "node \(node.id) is \(core.role), not \(what)")
        }
    }

    private func expectLeader(_ words: inout Words) throws {
        let leader = liveNodes.filter { $0.core.role == .leader }.max { $0.core.term < $1.core.term }
        let expected = try words.next("a node")
        try require(leader?.id.description ?? "none" == expected, "the leader is \(leader?.id.description ?? "none")")
        if words.take("term") {
            let term = try words.number()
            try require(leader?.core.term.raw == term, "node \(expected) leads term \(leader?.core.term.description ?? "none")")
        }
    }

    private func expectEverywhere(_ words: inout Words, _ what: String, _ value: (TestNode) -> LogIndex) throws {
        let index = LogIndex(try words.number())
        let ids = words.take("on") ? words.nodes() : liveNodes.map(\.id)
        for node in try ids.map(node) { try require(value(node) == index, "node \(node.id): \(what) is \(value(node))") }
    }

    private func expectAgreement(_ words: inout Words) throws {
        let named = words.nodes()
        let chosen = try named.isEmpty ? liveNodes : named.map(node)
        guard let first = chosen.first else { return }
        for node in chosen.dropFirst() {
            try require(node.core.lastEntry == first.core.lastEntry, "logs end at \(first.core.lastEntry) on \(first.id) and \(node.core.lastEntry) on \(node.id)")
            try require(node.core.commit == first.core.commit, "commit is \(first.core.commit) on \(first.id) and \(node.core.commit) on \(node.id)")
            try require(node.machine == first.machine, "states of \(first.id) and \(node.id) differ")
        }
    }

    private func expectOutcome(_ subject: String, _ words: inout Words) throws {
        guard let number = UInt64(subject.dropFirst()) else { throw ClusterFailure("'\(subject)' is no ticket") }
        let expected = try words.rest("an outcome")
        let outcome = outcomes[Ticket(number)] ?? "\(subject) open"
        try require(outcome.hasPrefix("\(subject) \(expected)"), "the outcome is '\(outcome)'")
    }

    private func expectInFlight(_ words: inout Words) throws {
        let link = try words.link()
        let kind = words.peek.flatMap { UInt64($0) == nil ? $0 : nil }
        if kind != nil { _ = try words.next("a kind") }
        let expected = try words.number()
        let count = inFlight.filter { link.covers(from: $0.from, to: $0.to) && (kind == nil || $0.kind == kind) }.count
        try require(UInt64(count) == expected, "\(count) are in flight")
    }
}

extension RaftCore {
    /// Where the log begins, where its terms begin, and where it ends.
    var logSummary: String {
        var words = shape.compactedThrough == .zero ? [] : ["after \(shape.compactedThrough)"]
        var previous: Term?
        var index = shape.firstIndex
        while index <= shape.lastIndex {
            let term = shape.term(at: index)
            if let term, term != previous { words.append("\(term)@\(index)") }
            previous = term
            index = index.next
        }
        return (words + ["through \(shape.lastIndex)"]).joined(separator: " ")
    }

    /// What a leader knows of the others.
    var peerLines: [String] {
        guard isLeader else { return [] }
        return leadership.progress.map { peer in
            let state: String
            switch peer.state {
            case .probe(let isPaused): state = isPaused ? "probe, paused" : "probe"
            case .replicate: state = "replicate"
            case .snapshot(let send): state = "snapshot\(send.meta.map { " \($0.image)" } ?? "")"
            }
            let window = peer.inflights.count == 0 ? "" : ", \(peer.inflights.count) in flight"
            return "peer \(peer.node) \(state), match \(peer.match), next \(peer.next)\(window)\(peer.isCounted ? "" : ", not counted")"
        }
    }
}
