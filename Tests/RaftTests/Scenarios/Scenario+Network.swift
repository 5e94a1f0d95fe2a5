import Raft

extension Scenario {
    static let networkCommands: [String: Action] = [
        "deliver": { scenario, words in
            for message in try scenario.takeMessages(&words) { try scenario.deliver(message) }
        },
        "drop": { scenario, words in for message in try scenario.takeMessages(&words) { scenario.note("\(message)") } },
        "copy": { scenario, words in
            let before = scenario.inFlight
            let copies = try scenario.takeMessages(&words)
            scenario.inFlight = before + copies
        },
        "in-flight": { scenario, words in
            let link = words.isEmpty ? LinkPattern(from: nil, to: nil) : try words.link()
            for message in scenario.inFlight where link.covers(from: message.from, to: message.to) { scenario.note("\(message)") }
        },
        "cut": { scenario, words in while !words.isEmpty { scenario.cut(try words.link()) } },
        "heal": { scenario, words in
            if words.isEmpty { scenario.cutLinks = [] }
            while !words.isEmpty { scenario.cutLinks.remove(try words.link()) }
        },
        "partition": { try $0.partition(&$1) },
        "hold": { scenario, words in while !words.isEmpty { scenario.heldLinks.insert(try words.link()) } },
        "release": { scenario, words in
            if words.isEmpty { scenario.heldLinks = [] }
            while !words.isEmpty { scenario.heldLinks.remove(try words.link()) }
        },
    ]

    /// Takes what `[link] [kind] [count]` means out of the network.
    func takeMessages(_ words: inout Words) throws -> [Message] {
        let text = words.text
        var link = LinkPattern(from: nil, to: nil)
        if let word = words.peek, let pattern = LinkPattern(word) {
            link = pattern
            _ = try words.next("a link")
        }
        let kind = words.peek.flatMap { UInt64($0) == nil ? $0 : nil }
        if kind != nil { _ = try words.next("a kind") }
        let count = words.numberIfAny().map { Int($0) } ?? Int.max
        var taken: [Message] = []
        inFlight.removeAll { message in
            guard taken.count < count, link.covers(from: message.from, to: message.to), kind == nil || kind == message.kind else { return false }
            guard !paused.contains(message.to) else { return false }
            taken.append(message)
            return true
        }
        guard !taken.isEmpty, count == .max || taken.count == count else { throw ClusterFailure("'\(text)': there is no such message") }
        return taken
    }

    func cut(_ link: LinkPattern) {
        cutLinks.insert(link)
        inFlight.removeAll { isCut($0) }
    }

    private func partition(_ words: inout Words) throws {
        var groups = [words.nodes()]
        while words.take("|") { groups.append(words.nodes()) }
        func group(_ id: NodeID) -> Int? { groups.firstIndex { $0.contains(id) } }
        cutLinks = []
        for a in nodes.map(\.id) {
            for b in nodes.map(\.id) where a != b && (group(a) == nil || group(a) != group(b)) { cut(LinkPattern(from: a, to: b)) }
        }
    }
}

extension Message {
    /// The name of the payload's case.
    var kind: String { String("\(payload)".prefix { $0 != "(" }) }
}
