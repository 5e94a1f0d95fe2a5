import Raft
import SimulatedDisk
import WriteAheadLog

/// Troubles made on purpose, one at a time; how long each lasts is drawn as well.
extension World {
    func nemesisActs() throws(Finding) {
        guard phase == .safety else { return }
        push(.nemesis, in: rng.around(mix.nemesisInterval) + Interval(nanoseconds: 1_000))
        for node in nodes where node.fullUntil <= now.nanoseconds { node.disk.byteCountMax = .max }
        guard let fault = rng.pick(mix.faults) else { return }
        note { "trouble: \(fault)" }
        switch fault {
        case .partitionHalves, .partitionBridge, .partitionOneWay, .partitionRandomLinks, .isolateLeader, .swizzle, .flap: partition(fault)
        case .connectionReset: try resetConnection()
        case .crash, .crashLeader, .crashBetweenEffects, .crashDuringRecovery, .crashAll, .pause, .pauseLeader: try strikeProcess(fault)
        case .diskSlow, .diskHang, .diskFailure, .diskFull, .damage, .wipe: try strikeDisk(fault)
        case .clockJump:
            guard let node = rng.pick(awake) else { return }
            coverage.mark(.clockJump)
            node.clock.jump(rng.around(mix.troubleMean))
            try step(node, .tick)
        case .transfer: try transfer()
        case .ambushMembership:
            lie(inWaitFor: .membership)
            try askForChange()
        case .ambushHandOver:
            lie(inWaitFor: .handOver)
            try transfer()
        case .campaign: if let node = rng.pick(awake) { try step(node, .campaign) }
        case .connectionNews:
            if let node = rng.pick(awake), let peer = rng.pick(nodes), peer !== node { try step(node, .peerConnection(peer.id, isUp: rng.chance(perMille: 500))) }
        case .recheck: if let node = rng.pick(awake) { try step(node, .tick) }
        }
    }

    static let transferTicket = Ticket(0)
    static let changeTicket = Ticket(.max)

    private func transfer() throws(Finding) {
        guard let leader = aLeader else { return }
        let target = rng.chance(perMille: 300) ? nil : rng.one(of: nodes).id
        try step(leader, .transferLeadership(to: target, Self.transferTicket))
    }

    /// Nodes that can do something now.
    var awake: [SimulatedNode] { nodes.filter { $0.isRunning && $0.pausedUntil <= now.nanoseconds } }

    /// Any of those that believe to lead; more often the one that does.
    var aLeader: SimulatedNode? {
        let leaders = awake.filter { $0.core.role == .leader }
        if rng.chance(perMille: 200) { return rng.pick(leaders) }
        return leaders.max { $0.core.term < $1.core.term }
    }

    private var troubleEnd: UInt64 { now.nanoseconds + rng.around(mix.troubleMean).nanoseconds }

    // MARK: Processes

    private func strikeProcess(_ fault: Fault) throws(Finding) {
        switch fault {
        case .crashAll: for node in nodes where node.isRunning { try crash(node) }
        case .crashLeader: if let leader = aLeader { try crash(leader) }
        case .pauseLeader: if let leader = aLeader { pause(leader) }
        case .pause: if let node = rng.pick(awake) { pause(node) }
        case .crashBetweenEffects: if let node = victim { node.effectsToLive = rng.below(12) }
        case .crashDuringRecovery:
            guard let node = victim else { return }
            node.callsToStart = rng.below(60)
            try crash(node)
        default: if let node = victim { try crash(node) }
        }
    }

    /// Rather a node with a write under way: that is when a crash has something to break.
    private var victim: SimulatedNode? {
        let running = nodes.filter(\.isRunning)
        let writing = running.filter { !$0.appendedWrites.isEmpty || !$0.queuedWrites.isEmpty || $0.heldInstall != nil || $0.installing != nil }
        return rng.pick(writing.isEmpty || rng.chance(perMille: 200) ? running : writing)
    }

    private func pause(_ node: SimulatedNode) {
        if node.core.role == .leader { coverage.mark(.pausedLeader) }
        node.pausedUntil = troubleEnd
    }

    // MARK: Disks

    private func strikeDisk(_ fault: Fault) throws(Finding) {
        guard let node = rng.pick(nodes.filter(\.isRunning)) else { return }
        switch fault {
        case .diskSlow: node.slowUntil = troubleEnd
        case .diskHang:
            coverage.mark(.diskHung)
            node.hungUntil = troubleEnd
        case .diskFailure:
            let fault: FileFault = rng.chance(perMille: 200) ? .noSpace : .io(errno: 5)
            node.disk.fail(rng.one(of: [.write, .syncFile, nil]), with: fault, skipping: rng.below(8))
        case .diskFull:
            node.disk.byteCountMax = 0
            node.fullUntil = troubleEnd
        case .damage: try damage(node)
        default: try wipe(node)
        }
    }

    private func resetConnection() throws(Finding) {
        guard nodes.count > 1 else { return }
        let a = rng.one(of: nodes)
        let b = rng.one(of: nodes)
        guard a !== b else { return }
        coverage.mark(.connectionReset)
        for (from, to) in [(a, b), (b, a)] {
            network[from.position, to.position].connection += 1
            network[from.position, to.position].lastArrival = 0
            guard from.isRunning, from.pausedUntil <= now.nanoseconds else { continue }
            plan(.peerConnection(to.id, isUp: false), at: from, in: .zero)
            plan(.peerConnection(to.id, isUp: true), at: from, in: rng.around(mix.delayMean))
        }
    }

    // MARK: Partitions

    private func partition(_ fault: Fault) {
        let count = nodes.count
        switch fault {
        case .partitionHalves:
            let side = (0..<count).map { _ in rng.chance(perMille: 500) }
            cut { side[$0] != side[$1] }
        case .partitionBridge:
            // One node reaches all, the others are in two halves.
            let bridge = rng.below(count)
            let side = (0..<count).map { _ in rng.chance(perMille: 500) }
            cut { $0 != bridge && $1 != bridge && side[$0] != side[$1] }
        case .partitionOneWay:
            let lonely = rng.below(count)
            let isDeaf = rng.chance(perMille: 500)
            cut { isDeaf ? $1 == lonely : $0 == lonely }
        case .partitionRandomLinks: cutAtRandom()
        case .isolateLeader:
            guard let leader = aLeader?.position else { return }
            let kind = rng.below(3)
            cut { (kind != 1 && $0 == leader) || (kind != 0 && $1 == leader) }
        case .swizzle: swizzle()
        default: flap()
        }
    }

    /// Cuts the links for which `isCut` holds, all until one moment.
    private func cut(_ isCut: (_ from: Int, _ to: Int) -> Bool) {
        let end = troubleEnd
        for from in nodes.indices {
            for to in nodes.indices where from != to && isCut(from, to) { network[from, to].cutUntil = max(network[from, to].cutUntil, end) }
        }
    }

    private func cutAtRandom() {
        for from in nodes.indices {
            for to in nodes.indices where from != to && rng.chance(perMille: 300) { network[from, to].cutUntil = troubleEnd }
        }
    }

    /// Some nodes are held up one after the other, and let go in another order (FoundationDB).
    private func swizzle() {
        for node in nodes.indices where rng.chance(perMille: 500) {
            let begin = troubleEnd
            let end = begin + rng.around(mix.troubleMean).nanoseconds
            for other in nodes.indices where other != node {
                for (from, to) in [(node, other), (other, node)] {
                    network[from, to].clogFrom = begin
                    network[from, to].clogUntil = end
                }
            }
        }
    }

    /// A link that works and fails in turns: short clogs, and what was under way is lost.
    private func flap() {
        guard nodes.count > 1 else { return }
        let from = rng.below(nodes.count)
        let to = (from + 1 + rng.below(nodes.count - 1)) % nodes.count
        network[from, to].connection += 1
        network[from, to].clogFrom = now.nanoseconds
        network[from, to].clogUntil = now.nanoseconds + rng.around(mix.electionTimeout).nanoseconds
    }
}
