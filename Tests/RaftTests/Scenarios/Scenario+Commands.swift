import Raft

extension Scenario {
    typealias Action = @Sendable (Scenario, inout Words) throws -> Void

    /// Every command there is. A topic of its own adds a table here.
    static let commandTables: [[String: Action]] = [
        setupCommands, askingCommands, networkCommands, diskCommands, processCommands, timeCommands, lookingCommands,
        disturbanceCommands,
    ]

    // MARK: Setting up

    private static let setupCommands: [String: Action] = [
        "set": { try $0.set(&$1) },
        "cluster": { scenario, words in
            let voters = words.nodes()
            let learners = words.take("learners") ? words.nodes() : []
            let founding = Membership(voters: voters, learners: learners, featureLevel: 0)
            for id in founding.members { try scenario.start(id, founding: founding) }
        },
        "join": { try $0.start($1.node(), founding: .none) },
        "jitter": { scenario, words in scenario.jitter[try words.node()] = try words.number() },
        "log": { try $0.replaceLog(&$1) },
        "lead": { scenario, words in
            let node = try scenario.live(words.node())
            scenario.detail = .none
            try scenario.step(node, .campaign)
            try scenario.settle()
            guard node.core.role == .leader else { throw ClusterFailure("node \(node.id) is \(node.core.role)") }
        },
    ]

    /// Names are those of ``Raft/Settings`` and ``Raft/Limits`` or short for them.
    func set(_ words: inout Words) throws {
        let name = try words.next("a name")
        if name == "leases" {
            settings.usesLeases = try words.next("on or off") == "on"
            return
        }
        let value = try words.number()
        switch name {
        case "electionTimeout": settings.electionTimeout = .milliseconds(value)
        case "heartbeatInterval": settings.heartbeatInterval = .milliseconds(value)
        case "diskStallTimeout": settings.diskStallTimeout = .milliseconds(value)
        case "retryInterval": settings.retryInterval = .milliseconds(value)
        case "unknownOutcomeTimeout": settings.unknownOutcomeTimeout = .milliseconds(value)
        case "clockDriftPermille": settings.clockDriftPermille = value
        case "featureLevelMax": settings.featureLevelMax = UInt16(value)
        case "joinGeneration": settings.joinGeneration = value
        case "commandBytes": settings.limits.commandBytesMax = Int(value)
        case "appendBytes": settings.limits.appendBytesMax = Int(value)
        case "window": settings.limits.inflightAppendsMax = Int(value)
        case "windowBytes": settings.limits.inflightBytesMax = Int(value)
        case "uncommittedBytes": settings.limits.uncommittedBytesMax = Int(value)
        case "unappliedEntries": settings.limits.unappliedEntriesMax = value
        case "reads": settings.limits.readsMax = Int(value)
        case "proposals": settings.limits.proposalsMax = Int(value)
        case "chunkBytes": settings.limits.snapshotChunkBytes = Int(value)
        case "imageBytes": imageByteCount = value
        case "catchUp": settings.limits.catchUpEntriesMax = value
        case "trailing": settings.limits.trailingEntries = value
        case "compactionStep": settings.limits.compactionStep = value
        default: throw ClusterFailure("there is no setting '\(name)'")
        }
    }

    // MARK: Asking

    private static let askingCommands: [String: Action] = [
        "campaign": { scenario, words in try scenario.step(scenario.live(words.node()), .campaign) },
        "propose": { try $0.propose(&$1) },
        "read": { scenario, words in
            let node = try scenario.live(words.node())
            let tickets = (0..<(words.numberIfAny() ?? 1)).map { _ in scenario.newTicket(at: node) }
            for ticket in tickets { scenario.checker.asked(ticket) }
            try scenario.step(node, .read(tickets))
        },
        "transfer": { scenario, words in
            let node = try scenario.live(words.node())
            let target = words.isEmpty ? nil : try words.node()
            try scenario.step(node, .transferLeadership(to: target, scenario.newTicket(at: node)))
        },
        "change": { scenario, words in
            let node = try scenario.live(words.node())
            let change = try change(&words)
            try scenario.step(node, .changeMembership(change, scenario.newTicket(at: node)))
        },
        "connection": { scenario, words in
            let node = try scenario.live(words.node())
            try scenario.step(node, .peerConnection(words.node(), isUp: words.next("up or down") == "up"))
        },
    ]

    /// Payloads are the words themselves, or as many bytes as they say; each differs from all others, so that it can be told apart for ever.
    private func propose(_ words: inout Words) throws {
        let node = try live(words.node())
        let only = words.take("if-term") ? Term(try words.number()) : nil
        let level = words.take("level") ? UInt16(try words.number()) : 0
        var batch: [Proposal] = []
        repeat {
            let word = try words.next("a payload")
            let ticket = newTicket(at: node)
            var payload = Array(word.utf8)
            if word.hasSuffix("B"), let byteCount = Int(word.dropLast()) {
                payload = Array("\(ticket)".utf8)
                guard byteCount >= payload.count else { throw ClusterFailure("\(byteCount) bytes are too few") }
                payload += Array(repeating: 0, count: byteCount - payload.count)
            }
            guard usedPayloads.insert(payload).inserted else { throw ClusterFailure("payload '\(word)' was used before") }
            checker.proposed(ticket, payload: payload)
            batch.append(Proposal(ticket: ticket, command: Command(payload, onlyIfTerm: only, featureLevel: level)))
        } while !words.isEmpty
        try step(node, .propose(batch))
    }

    private static func change(_ words: inout Words) throws -> MembershipChange {
        var change = MembershipChange()
        repeat {
            let verb = try words.next("what to change")
            switch verb {
            case "add-learner": change.addLearners += words.nodes()
            case "promote": change.promote += words.nodes()
            case "demote": change.demote += words.nodes()
            case "remove": change.remove += words.nodes()
            case "level": change.featureLevel = UInt16(try words.number())
            default: throw ClusterFailure("'\(verb)' is not a change")
            }
        } while !words.isEmpty
        return change
    }

    // MARK: Disk and state machine

    private static let diskCommands: [String: Action] = [
        "durable": { scenario, words in
            let node = try scenario.live(words.node())
            try scenario.finishWrites(of: node, count: words.numberIfAny().map { Int($0) } ?? node.writes.count)
        },
        "disk-fail": { scenario, words in
            let node = try scenario.live(words.node())
            guard let write = node.writes.first else { throw ClusterFailure("node \(node.id) writes nothing") }
            try scenario.step(node, .logFailed(write.sequence, .io(errno: 5)))
        },
        "apply": { scenario, words in
            let node = try scenario.live(words.node())
            repeat { try scenario.applyNext(at: node) } while !node.applyQueue.isEmpty
        },
        "work": { scenario, words in
            let node = try scenario.live(words.node())
            guard try scenario.workOnce(at: node) else { throw ClusterFailure("node \(node.id) has nothing to do") }
        },
        "stall": { scenario, words in for stall in try stalls(&words) { scenario.stalled.insert(stall) } },
        "resume": { scenario, words in for stall in try stalls(&words) { scenario.stalled.remove(stall) } },
        "disk-stall": { scenario, words in for id in words.nodes() { scenario.stalled.insert(Stall(part: .disk, node: id)) } },
        "disk-resume": { scenario, words in for id in words.nodes() { scenario.stalled.remove(Stall(part: .disk, node: id)) } },
        "checkpoint": { scenario, words in for id in words.nodes() { try scenario.takeCheckpoint(of: scenario.live(id)) } },
        "compact": { scenario, words in
            for id in words.nodes() { for _ in 1...2 { try scenario.takeCheckpoint(of: scenario.live(id)) } }
        },
        "snapshot": { scenario, words in
            let node = try scenario.live(words.node())
            try scenario.step(node, .snapshotReady(scenario.makeImage(at: node)))
        },
    ]

    private static func stalls(_ words: inout Words) throws -> [Stall] {
        let word = try words.next("disk, apply or work")
        guard let part = Stall.Part(rawValue: word) else { throw ClusterFailure("'\(word)' is not disk, apply or work") }
        return words.nodes().map { Stall(part: part, node: $0) }
    }

    // MARK: Looking

    private static let lookingCommands: [String: Action] = [
        "show": { scenario, words in for id in words.nodes() { scenario.show(try scenario.node(id)) } },
        "entries": { scenario, words in
            for id in words.nodes() {
                let entries = try scenario.node(id).disk.entries
                scenario.note("\(id): \(entries.isEmpty ? "no entries" : entries.map(\.description).joined(separator: ", "))")
            }
        },
        "expect": { try $0.expect(&$1) },
        "quietly": { scenario, words in
            scenario.detail = .none
            try scenario.execute(Words(words.rest("a command")))
        },
        "briefly": { scenario, words in
            scenario.detail = .brief
            try scenario.execute(Words(words.rest("a command")))
        },
    ]

    private func show(_ node: TestNode) {
        let core = node.core
        let isDown = down.contains(node.id)
        note(
            "\(node.id): \(isDown ? "down, was " : "")\(core.role) t\(core.term)\(core.leader.map { " leader \($0)" } ?? ""), "
                + "log \(core.logSummary), durable \(core.durableIndex), commit \(core.commit), applied \(core.applied)")
        note("\(node.id): {\(core.membership)}")
        for line in core.peerLines { note("\(node.id): \(line)") }
    }
}
