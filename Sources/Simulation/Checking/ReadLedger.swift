import Raft

/// Why a leader may answer a read (thesis §6.4; `reference/raft.md` C6 and C7), from what goes in and comes out of one node.
///
/// Each follower's newest answer proves that it followed at some moment of the leader's clock: when the heartbeat that it echoes was sent, or when the
/// epoch that it repeats was first given out. A read is confirmed once a quorum did so after the read came, or, with leases, lately enough.
struct ReadLedger {
    private struct Proof {
        let node: NodeID
        var at: Instant
    }

    private struct Question: Hashable {
        let node: NodeID
        let request: ReadRequestID
    }

    private var proofs: [Proof] = []
    private var epochs: [UInt64: Instant] = [:]
    private var newestEpoch: UInt64?
    /// A TimeoutNow left in this term: another leader may be there, whatever followers heard.
    private var isVoid = false
    private var own: [Ticket: Instant] = [:]
    /// When each copy of a question came, oldest first: each is answered once.
    private var remote: [Question: [Instant]] = [:]

    /// - Parameters:
    ///   - core: After the step.
    ///   - now: The node's clock.
    mutating func stepped(_ input: Input, _ effects: Effects, _ core: RaftCore, before: CoreGlance, now: Instant) throws(BrokenRule) {
        guard before.role == .leader else {
            self = ReadLedger()
            if core.role == .leader { noteEpochs(effects, now) }
            return
        }
        switch input {
        case .read(let tickets): for ticket in tickets { own[ticket] = now }
        case .message(let message) where message.term == before.term: take(message, now)
        default: break
        }
        noteEpochs(effects, now)
        try check(effects, core, before, now)
        if core.role != .leader { self = ReadLedger() }
    }

    private mutating func take(_ message: Message, _ now: Instant) {
        switch message.payload {
        case .readIndex(let request): remote[Question(node: message.from, request: request), default: []].append(now)
        case .appendReply(let reply): if let at = epochs[reply.epoch] { prove(message.from, at) }
        case .heartbeatReply(let reply):
            prove(message.from, reply.echoedSentAt)
            if let at = epochs[reply.epoch] { prove(message.from, at) }
        default: break
        }
    }

    private mutating func prove(_ node: NodeID, _ at: Instant) {
        if let place = proofs.firstIndex(where: { $0.node == node }) {
            proofs[place].at = max(proofs[place].at, at)
        } else {
            proofs.append(Proof(node: node, at: at))
        }
    }

    private mutating func noteEpochs(_ effects: Effects, _ now: Instant) {
        for outgoing in effects.messages {
            switch outgoing.message.payload {
            case .heartbeat(let heartbeat): note(heartbeat.epoch, now)
            case .append(let append): note(append.epoch, now)
            case .timeoutNow: isVoid = true
            default: break
            }
        }
    }

    private mutating func note(_ epoch: UInt64, _ now: Instant) {
        guard epoch != newestEpoch else { return }
        newestEpoch = epoch
        if epochs[epoch] == nil { epochs[epoch] = now }
    }

    private mutating func check(_ effects: Effects, _ core: RaftCore, _ before: CoreGlance, _ now: Instant) throws(BrokenRule) {
        for case .ready(let tickets, _) in effects.reads {
            for ticket in tickets {
                guard let came = own.removeValue(forKey: ticket) else { continue }
                try confirm(came, "\(ticket)", core, before, now)
            }
        }
        for outgoing in effects.messages {
            guard case .readIndexReply(let request, let id) = outgoing.message.payload else { continue }
            let question = Question(node: outgoing.message.to, request: request)
            guard var copies = remote[question], !copies.isEmpty else { continue }
            // A refusal is for the copy that just came.
            let came = id == nil ? copies.removeLast() : copies.removeFirst()
            remote[question] = copies
            if id != nil { try confirm(came, "\(request)", core, before, now) }
        }
    }

    private func confirm(_ came: Instant, _ read: String, _ core: RaftCore, _ before: CoreGlance, _ now: Instant) throws(BrokenRule) {
        // A membership that came into force in this step may be the one that decided, or not.
        let proven = max(proven(core.membership, core.id, now), proven(before.membership, core.id, now))
        if proven >= came { return }
        let settings = core.settings
        let lease = Interval(nanoseconds: settings.electionTimeout.nanoseconds / 1_000 * (1_000 - settings.clockDriftPermille))
        if settings.usesLeases, !isVoid, now.elapsed(since: proven) < lease { return }
        throw BrokenRule(
            rule: "V14 fresh reads", text: "read \(read) of \(came.nanoseconds) is answered at \(now.nanoseconds), and a quorum follows only until \(proven.nanoseconds)\(isVoid ? ", after TimeoutNow" : "")")
    }

    private func proven(_ membership: Membership, _ leader: NodeID, _ now: Instant) -> Instant {
        membership.reached { voter in voter == leader ? now : proofs.first { $0.node == voter }?.at ?? .zero } ?? .zero
    }
}
