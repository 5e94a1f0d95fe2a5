package import Raft
package import WriteAheadLog

/// Compares everything that a world shows with the rules of `reference/raft.md` §3.2. Knows nothing of how nodes work.
///
/// Which rule is kept where: V1 and V9 ``ElectionLedger``; V3 and V21 ``LogLedger``; V4, V5, V18, V19, V26 and V29 ``CommitLedger``; V7, V10, V18 and V21
/// ``DiskLedger``; V11 to V14 and V27 ``ClientLedger``; V15 ``MembershipLedger``; V14 ``ReadLedger``; V16 and V28 ``CampaignLedger``; V17
/// ``IdentityLedger``; V22 ``SpaceRules``; V26 and V27 ``ProposalLedger``; V2, V6, V8, V16, V17 and V28 here. The world itself notices V20 and
/// V23. Each event costs a few look-ups; nothing is scanned again but at elections and restarts.
///
/// V24, the search for canaries, is for where secrets are encrypted: a register's value is none, and belongs in every entry, message and image. What can
/// be asked here is asked by a test: no line that is printed shows payload bytes.
///
/// The ledgers of cores look at what goes in and what comes out, and judge by the rule's own words. So they notice a broken rule at the step that
/// breaks it, whether or not harm comes of it in this run.
package final class SafetyChecker: WorldObserver {
    private var elections = ElectionLedger()
    private var logs = LogLedger()
    private var commits = CommitLedger()
    private var clients = ClientLedger()
    private var memberships = MembershipLedger(.none)
    /// By position of the node.
    private var disks: [DiskLedger] = []
    private var cores: [NodeLedgers] = []
    private var identities = IdentityLedger()
    private var gone: Set<NodeID> = []
    private var storms: [Storm] = []

    /// Steps of one node in one millisecond of the world.
    private struct Storm {
        var millisecond: UInt64 = 0
        var steps = 0
    }

    /// Far above what a node does when a whole pause's worth of messages reaches it.
    private static let stepsPerMillisecondMax = 20_000

    package init() {}

    private func check(_ world: World, _ node: SimulatedNode?, _ body: () throws(BrokenRule) -> Void) throws(Finding) {
        do throws(BrokenRule) { try body() } catch { throw Finding(rule: error.rule, node: node?.id, time: world.now, text: error.text) }
    }

    private func disk(_ node: SimulatedNode) -> DiskLedger {
        node.position < disks.count ? disks[node.position] : DiskLedger()
    }

    /// A node acts for the first time.
    private func grow(to node: SimulatedNode, _ world: World) throws(Finding) {
        guard disks.count == node.position else { return }
        disks.append(DiskLedger())
        storms.append(Storm())
        cores.append(NodeLedgers(lifeBegan: node.clock.reading(at: world.now)))
        try check(world, node) { () throws(BrokenRule) in try identities.begins(node.core.incarnation) }
    }

    // MARK: Cores

    package func began(_ world: World) { memberships = MembershipLedger(world.nodes[0].founding) }

    package func stepped(_ node: SimulatedNode, _ input: Input, _ effects: Effects, before: CoreGlance, in world: World) throws(Finding) {
        try grow(to: node, world)
        let core = node.core
        if gone.contains(node.id) { throw world.finding("V17 gone for ever", node, "a node whose disk was lost acts under its old name") }
        try countStep(node, world)
        do throws(Violation) { try core.checkInvariants() } catch { throw world.finding("V8 order of indexes", node, "\(error)") }
        if node.machine.applied.index > core.commit { throw world.finding("V8 order of indexes", node, "applied \(node.machine.applied) beyond \(core.commit)") }
        if core.term < before.term || core.commit < before.commit {
            throw world.finding("V7 monotone", node, "from term \(before.term) commit \(before.commit) to term \(core.term) commit \(core.commit)")
        }
        try check(world, node) { () throws(BrokenRule) in
            if let write = effects.write {
                try disks[node.position].issues(write)
                if let meta = write.reset, core.membership != meta.membership {
                    throw BrokenRule(rule: "V18 snapshots", text: "the image of \(meta.last) brings {\(meta.membership)}, and in force is {\(core.membership)}")
                }
                if let first = write.entries.first {
                    try logs.appended(write.entries, after: EntryID(term: core.term(at: first.index.previous) ?? .zero, index: first.index.previous))
                }
            }
            if let reason = effects.halt { try IdentityLedger.halted(reason, by: input) }
            if core.role == .leader { try checkLeader(core, effects, before) }
            try cores[node.position].stepped(input, effects, core, before: before, now: node.clock.reading(at: world.now))
            try SpaceRules.stepped(input, effects, core, durable: node.checkpoints.durable)
            if case .message(let message) = input, core.commit > before.commit, core.role != .leader {
                try CommitLedger.follows(message, to: core.commit, term: core.term(at:))
            }
            if core.commit > before.commit { try commits.commits(before.commit.next...core.commit, in: core.term, term: core.term(at:)) }
        }
        if before.role == .leader, core.role == .leader, core.commit > before.commit { try checkQuorum(node, before, world) }
    }

    private func countStep(_ node: SimulatedNode, _ world: World) throws(Finding) {
        let millisecond = world.now.nanoseconds / 1_000_000
        if storms[node.position].millisecond != millisecond { storms[node.position] = Storm(millisecond: millisecond) }
        storms[node.position].steps += 1
        if storms[node.position].steps > Self.stepsPerMillisecondMax { throw world.finding("V28 busy loop", node, "\(storms[node.position].steps) steps in a millisecond") }
    }

    private func checkLeader(_ core: RaftCore, _ effects: Effects, _ before: CoreGlance) throws(BrokenRule) {
        guard before.role == .leader, before.term == core.term else {
            try elections.leads(core.id, core.term)
            return try commits.elected(core.term, firstIndex: core.firstIndex, termAt: core.term(at:))
        }
        if before.last.index >= core.firstIndex, core.term(at: before.last.index) != before.last.term {
            throw BrokenRule(rule: "V2 leader append-only", text: "the leader of term \(core.term) dropped \(before.last)")
        }
        guard core.membership.generation > before.membership.generation, let write = effects.write else { return }
        for entry in write.entries where entry.membership != nil {
            let previous = core.memberships.last { $0.index < entry.index }?.index ?? .zero
            try MembershipLedger.appended(by: core.term, committed: core.term(at: core.commit), after: previous, commit: core.commit)
        }
    }

    /// V6 and V16: what a leader commits is on the media of a majority of every set of voters. A damaged one held it once, and its node elects
    /// nobody who lacks it.
    private func checkQuorum(_ node: SimulatedNode, _ before: CoreGlance, _ world: World) throws(Finding) {
        let core = node.core
        let id = EntryID(term: core.term(at: core.commit) ?? .zero, index: core.commit)
        if id.term != core.term { throw world.finding("V6 committed on a quorum", node, "commits \(id) of an older term by counting") }
        func isHeld(_ membership: Membership) -> Bool {
            membership.reached { voter in
                world.nodes.first { $0.id == voter }.map { disk($0).holds(id) || $0.isDamaged ? 1 : 0 } ?? 0
            } == 1
        }
        if isHeld(before.membership) || core.memberships.contains(where: { $0.index >= before.commit && isHeld($0.membership) }) { return }
        throw world.finding("V6 committed on a quorum", node, "commits \(id), which is not on the disks of a quorum")
    }

    // MARK: Disks and messages

    package func durable(_ node: SimulatedNode, _ write: LogWrite, in world: World) {
        disks[node.position].durable(write)
    }

    package func sent(_ outgoing: OutgoingMessage, by node: SimulatedNode, in world: World) throws(Finding) {
        let disk = disk(node)
        if let after = outgoing.after, after > disk.sequence {
            throw world.finding("V10 promises are durable", node, "\(outgoing.message) leaves before \(after) is synced")
        }
        try check(world, node) { () throws(BrokenRule) in
            try disk.check(outgoing.message)
            switch outgoing.message.payload {
            case .voteReply(let reply) where reply.isGranted: try elections.votes(node.id, for: outgoing.message.to, in: reply.campaign)
            case .vote(let request): try elections.votes(node.id, for: node.id, in: request.campaign)
            default: break
            }
        }
    }

    package func restarted(_ node: SimulatedNode, _ recovered: RecoveredState, in world: World) throws(Finding) {
        let core = node.core
        cores[node.position] = NodeLedgers(lifeBegan: node.clock.reading(at: world.now))
        try check(world, node) { () throws(BrokenRule) in try identities.begins(core.incarnation) }
        if !recovered.isDamaged && !node.isDamaged {
            try check(world, node) { () throws(BrokenRule) in
                try disks[node.position].check(recovered: recovered.hardState, last: core.lastEntry) { index in
                    index < core.firstIndex ? disks[node.position].last.term : core.term(at: index)
                }
            }
        }
        let ids = ids(after: recovered.compactedThrough, recovered.termRuns, through: recovered.lastIndex)
        try check(world, node) { () throws(BrokenRule) in try logs.recovered(ids, after: recovered.compactedThrough) }
        disks[node.position].recovered(recovered.hardState, base: recovered.compactedThrough, terms: ids.map(\.term))
    }

    package func rehearsed(_ node: SimulatedNode, _ recovered: RecoveredLog, afterDamage: Bool, in world: World) throws(Finding) {
        let ids = ids(after: recovered.compactedThrough, recovered.termRuns, through: recovered.lastIndex)
        try check(world, node) { () throws(BrokenRule) in
            try logs.recovered(ids, after: recovered.compactedThrough)
            guard !afterDamage else { return }
            let base = recovered.compactedThrough
            let disk = disks[node.position]
            try disk.check(recovered: recovered.hardState, last: ids.last ?? base) { index in
                index <= base.index ? disk.last.term : index <= recovered.lastIndex ? ids[Int(index.distance(from: base.index)) - 1].term : nil
            }
        }
    }

    package func crashed(_ node: SimulatedNode, _ cause: CrashCause, in world: World) { disks[node.position].crashed() }
    package func lost(_ node: SimulatedNode, _ reason: String, in world: World) { gone.insert(node.id) }
    package func wiped(_ node: SimulatedNode, in world: World) { gone.insert(node.id) }

    // MARK: State machines

    package func applied(_ node: SimulatedNode, _ entry: Entry, _ result: ApplyResult, in world: World) throws(Finding) {
        if !disk(node).holds(entry.id) { throw world.finding("V8 order of indexes", node, "applies \(entry), which is not synced there") }
        try check(world, node) { () throws(BrokenRule) in
            if try commits.applied(entry, level: memberships.newest.featureLevel) {
                switch entry.body {
                case .noop: break
                case .membership(let membership): try memberships.commits(membership)
                case .command(let command):
                    if let request = RegisterCommand(command.payload, level: .max) { try clients.applied(request, at: entry.index, result) }
                }
            }
            try commits.state(node.machine.hash, at: entry.index)
        }
    }

    package func installed(_ meta: SnapshotMeta, on node: SimulatedNode, in world: World) throws(Finding) {
        try check(world, node) { () throws(BrokenRule) in try disks[node.position].installs(meta) }
        try check(world, node) { () throws(BrokenRule) in try commits.state(node.machine.hash, at: node.machine.applied.index) }
        if node.machine.applied != meta.last { throw world.finding("V18 snapshots", node, "the image of \(meta.last) holds a state at \(node.machine.applied)") }
        if node.machine.membership.membership != meta.membership { throw world.finding("V18 snapshots", node, "the image of \(meta.last) holds another membership") }
    }

    // MARK: Clients

    package func invoked(_ operation: ClientOperation, in world: World) { clients.invoked(operation) }

    package func attempted(_ operation: ClientOperation, ticket: Ticket, at node: SimulatedNode, in world: World) {
        clients.attempted(operation, ticket: ticket)
    }

    package func readServed(_ ticket: Ticket, at index: LogIndex, by node: SimulatedNode, in world: World) throws(Finding) {
        if node.machine.applied.index < index { throw world.finding("V14 fresh reads", node, "reads at \(node.machine.applied), not at \(index)") }
        try check(world, node) { () throws(BrokenRule) in
            try clients.readServed(ticket, applied: node.machine.applied.index, value: node.machine.value(of:))
        }
    }

    package func finished(_ operation: ClientOperation, in world: World) throws(Finding) {
        try check(world, nil) { () throws(BrokenRule) in try clients.finished(operation) }
    }

    /// V11, V13, V19, V23 and V27 at the end.
    package func audit(_ world: World) throws(Finding) {
        try check(world, nil) { () throws(BrokenRule) in
            try clients.audit(world.history)
            try HistoryCheck(world.history, index: clients.index(of:)).check()
        }
        try compareStates(world)
        if commits.appliedThrough < commits.last.index {
            throw world.finding("V23 progress", nil, "\(commits.last) is committed and nobody has applied it")
        }
    }

    /// V19 once more, by the whole states, session tables included.
    private func compareStates(_ world: World) throws(Finding) {
        guard let first = world.nodes.max(by: { $0.machine.applied.index < $1.machine.applied.index }) else { return }
        for node in world.nodes where node.machine.applied == first.machine.applied && node.machine != first.machine {
            throw world.finding("V19 equal states", node, "another state at \(node.machine.applied) than node \(first.id) has")
        }
    }
}

/// The entries of a log, from the runs of their terms.
private func ids(after base: EntryID, _ runs: [TermRun], through last: LogIndex) -> [EntryID] {
    var ids: [EntryID] = []
    for (place, run) in runs.enumerated() {
        let end = place + 1 < runs.count ? runs[place + 1].first : last.next
        var index = max(run.first, base.index.next)
        while index < end {
            ids.append(EntryID(term: run.term, index: index))
            index = index.next
        }
    }
    return ids
}
