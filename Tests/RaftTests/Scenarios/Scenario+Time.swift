import Raft

extension Scenario {
    static let timeCommands: [String: Action] = [
        "tick": { scenario, words in
            let node = try scenario.live(words.node())
            scenario.now = words.numberIfAny().map { scenario.now + $0 } ?? scenario.deadline(of: node) ?? scenario.now
            try scenario.step(node, .tick)
        },
        "clock": { scenario, words in scenario.now += try words.number() },
        "wait": { scenario, words in
            let time = try words.number()
            try scenario.pass(time, among: words.take("on") ? words.nodes() : nil) {}
        },
        "run": { scenario, words in
            let time = try words.number()
            let among = words.take("on") ? words.nodes() : nil
            try scenario.pass(time, among: among) { try scenario.settle(among: among) }
        },
        "settle": { scenario, words in
            let nodes = words.nodes()
            try scenario.settle(among: nodes.isEmpty ? nil : nodes)
        },
    ]

    /// When the node wants its next tick, in milliseconds since the start, not before now.
    private func deadline(of node: TestNode) -> UInt64? {
        node.core.nextDeadline.map { max(now, ($0.nanoseconds + 999_999) / 1_000_000 - 1_000_000) }
    }

    private func isActive(_ id: NodeID, among: [NodeID]?) -> Bool {
        !down.contains(id) && !paused.contains(id) && (among?.contains(id) ?? true)
    }

    /// Lets time pass from deadline to deadline, and `body` happen before and after each.
    private func pass(_ time: UInt64, among: [NodeID]?, _ body: () throws -> Void) throws {
        let end = now + time
        var last: [NodeID: UInt64] = [:]
        try body()
        while true {
            var next: (node: TestNode, at: UInt64)?
            for node in liveNodes where isActive(node.id, among: among) {
                guard var at = deadline(of: node) else { continue }
                // A tick that changes nothing is not given twice in one moment.
                if last[node.id] == at { at += 1 }
                if at <= end, at < next?.at ?? .max { next = (node, at) }
            }
            guard let next else { break }
            now = next.at
            last[next.node.id] = now
            try noting(under: "at \(now)ms tick \(next.node.id)") { try step(next.node, .tick) }
            try body()
        }
        now = end
    }

    /// Everything that can move moves, in rounds: first what is in flight arrives, then each node's disk, state machine and other work catch up.
    func settle(among: [NodeID]? = nil) throws {
        for _ in 0..<500 where try !settleOnce(among: among) { return }
        throw ClusterFailure("the cluster does not come to rest")
    }

    private func settleOnce(among: [NodeID]?) throws -> Bool {
        var moved = false
        func isMoving(_ message: Message) -> Bool {
            !isHeld(message) && !paused.contains(message.to) && (among == nil || among?.contains(message.from) == true && among?.contains(message.to) == true)
        }
        let arriving = inFlight.filter(isMoving)
        inFlight.removeAll(where: isMoving)
        for message in arriving {
            try deliver(message)
            moved = true
        }
        for node in liveNodes where isActive(node.id, among: among) {
            if !node.writes.isEmpty, !isStalled(.disk, node.id), node.core.halted == nil {
                try finishWrites(of: node, count: node.writes.count)
                moved = true
            }
            while !node.applyQueue.isEmpty, !isStalled(.apply, node.id) {
                try applyNext(at: node)
                moved = true
            }
            while !isStalled(.work, node.id), try workOnce(at: node) { moved = true }
        }
        return moved
    }

    /// Does the oldest of a node's jobs.
    ///
    /// - Returns: False when there is none that can be done.
    func workOnce(at node: TestNode) throws -> Bool {
        guard let position = work.firstIndex(where: { $0.node == node.id && isReady($0.job, at: node) }) else { return false }
        try finish(work.remove(at: position).job, at: node)
        return true
    }
}
