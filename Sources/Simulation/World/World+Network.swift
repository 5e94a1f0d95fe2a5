import Raft

/// Messages between nodes: lost, repeated, delayed, out of order, held up (`reference/raft.md` §3.3).
extension World {
    /// Ids are given in order and nodes never leave the array, so the one is found from the other.
    func position(of id: NodeID) -> Int { Int(id.raw) - 1 }
    func node(_ id: NodeID) -> SimulatedNode { nodes[position(of: id)] }

    func transmit(_ outgoing: OutgoingMessage, from node: SimulatedNode) throws(Finding) {
        try observer.sent(outgoing, by: node, in: self)
        let to = position(of: outgoing.message.to)
        guard to < nodes.count, to != node.position, network[node.position, to].cutUntil <= now.nanoseconds else { return }
        let isTroubled = phase == .safety
        if isTroubled, mix.dropPerMille > 0, rng.chance(perMille: mix.dropPerMille) { return }
        send(outgoing.message, from: node.position, to: to, delay: drawDelay(isTroubled), isOrdered: mix.isOrdered)
        if isTroubled, mix.duplicatePerMille > 0, rng.chance(perMille: mix.duplicatePerMille * (outgoing.message.isRare ? 5 : 1)) {
            // At once, or so late that everything has changed.
            let delay = rng.chance(perMille: 800) ? drawDelay(isTroubled) : rng.around(mix.electionTimeout * 10)
            send(outgoing.message, from: node.position, to: to, delay: delay, isOrdered: false)
        }
    }

    private func drawDelay(_ isTroubled: Bool) -> Interval {
        var delay = rng.around(mix.delayMean)
        if isTroubled, mix.longDelayPerMille > 0, rng.chance(perMille: mix.longDelayPerMille) {
            delay = delay + rng.around(mix.electionTimeout * rng.one(of: [1, 1, 1, 5, 30]))
        }
        return delay
    }

    private func send(_ message: Message, from: Int, to: Int, delay: Interval, isOrdered: Bool) {
        var arrival = now.nanoseconds + delay.nanoseconds
        if isOrdered {
            arrival = max(arrival, network[from, to].lastArrival)
            network[from, to].lastArrival = arrival
        }
        let slot = messages.put(Transit(message: message, from: from, to: to, connection: network[from, to].connection))
        heap.push(.deliver(slot: slot), at: arrival)
    }

    func arrive(_ slot: Int) throws(Finding) {
        let transit = messages.peek(slot)
        let node = nodes[transit.to]
        let link = network[transit.from, transit.to]
        if node.isRunning, link.cutUntil <= now.nanoseconds, link.connection == transit.connection {
            if link.clogFrom <= now.nanoseconds, link.clogUntil > now.nanoseconds { return heap.push(.deliver(slot: slot), at: link.clogUntil) }
            if postpone(.deliver(slot: slot), for: node) { return }
            _ = messages.take(slot)
            try observer.delivered(transit.message, to: node, in: self)
            try step(node, .message(transit.message))
        } else {
            _ = messages.take(slot)
        }
    }
}

extension Message {
    /// Whether a run sees few of its kind, so that trouble must look for it.
    fileprivate var isRare: Bool {
        switch payload {
        case .vote, .timeoutNow, .snapshotOffer, .forward, .retire: true
        default: false
        }
    }
}
