@testable import Raft

/// The interpreter of scenario transcripts: a cluster of real cores whose disks, network and clock do only what the script says.
///
/// A transcript is one text file that reads like a story. Lines that begin with `#` tell what happens and why it matters. A line that begins
/// at the margin is a command. The indented lines after it are its trace: what the cluster did. A test runs the commands and
/// compares; `RAFT_TRANSCRIPTS=rewrite` writes the traces anew, for review (`rewrite:E04,H1` only those of files whose names begin so).
///
///     # A plain election: whoever times out first asks before it disturbs anyone.
///     cluster 1 2 3
///     campaign 2
///         2: is preCandidate t0
///         2: send 2→1 t0 preVote(for t1 last 0/0)
///         2: send 2→3 t0 preVote(for t1 last 0/0)
///     deliver 2->1
///         2→1 t0 preVote(for t1 last 0/0)
///             1: send 1→2 t0 preVoteReply(for t1 granted)
///     briefly settle
///         2: is candidate t1
///         2: is leader t1 leader 2
///         …
///     expect 2 leader term 1 commit 1
///
/// In a trace, `1: …` is an effect of node 1; what stands deeper follows from the line above it (a message that arrives, a disk write that is
/// done). A message that must wait for a write ends in `after w3`; it shows again, as `send`, when it leaves. `lose` is a `send` over a cut link.
/// Nothing moves by itself: messages stay in flight, writes stay unfinished, committed entries stay unapplied until a command moves them.
///
/// After every step the core's own invariants and the cluster's (``ClusterChecker``) are checked, and after every command that logs match.
///
/// **Setting up**
/// - `set <name> <value>`: a setting for the nodes that start from here on; see ``Scenario/set(_:)``. Times are milliseconds. `off` and `on` for switches.
/// - `cluster 1 2 3 [learners 4]`: founding members, all running, in term 0. `1...5` is a list too.
/// - `join 4`: starts a node that belongs to no cluster yet.
/// - `jitter 2 50`: node 2's election timeout is the minimum plus 50 ms (without this command, plus 10 ms × its number).
/// - `log 2 1 1 4 [term 6]`: the disk of node 2, which must be down, gets a log of three entries with these terms.
/// - `lead 1`: node 1 campaigns and everything settles, without a trace; it must lead.
///
/// **Asking**
/// - `campaign 2`, `read 2 [3]` (three reads), `transfer 1 [3]`, `connection 1 3 up|down`
/// - `propose 1 foo 600B …`: one batch; `600B` is a payload of that size. `propose 1 if-term 2 foo`: only in that term. `propose 1 level 2 foo`.
/// - `change 1 add-learner 4`; also `promote`, `demote`, `remove`, several in one change, and `level 2`.
/// - Proposals, reads and commands get tickets in order: #1, #2, …
///
/// **Network**: messages are in flight, oldest first.
/// - `deliver [1->3] [kind] [count]`: those that are in flight now, on one link (`*->3`, `1->*`), of one kind (`append`, `heartbeatReply`, …).
/// - `drop …` loses them, `copy …` repeats them. `in-flight [link]` lists them.
/// - `cut 1->3`, `heal [1->3]`, `partition 1 | 2 3`: what is sent over a cut link, or in flight on it, is lost. Nodes that a partition does not name are alone.
/// - `hold 1->3`, `release [1->3]`: `settle` leaves what is in flight there. `deliver` does not.
///
/// **Disk and state machine**
/// - `durable 1 [2]`: the (two) oldest unfinished writes of node 1 reach its disk, in one sync. `disk-fail 1`: the oldest fails.
/// - `apply 1`: node 1 applies what was handed over. `work 1`: it does what else it was asked (snapshot pieces, log fetches).
/// - `stall disk 1`, `resume disk 1`, also `apply` and `work`: `settle` leaves them alone. `disk-stall 1` and `disk-resume 1` are short for the first two.
/// - `checkpoint 1`: the state becomes durable; the core may rely on the checkpoint before. `compact 1`: two checkpoints, so the log is cut as far as
///   `set trailing` and `set compactionStep` let it (0 and 1 here). `snapshot 1`: gives node 1 an image of its own state, unasked.
///
/// **Processes**
/// - `crash 2 [surviving 1] [losing-checkpoint]`: unfinished writes are lost, except that many. `restart 2` with the settings in force.
/// - `damage 2 after 3`: the log of node 2, which is down, lost what stood after index 3; it knows that it lost something.
/// - `pause 2`, `wake 2`: the process does nothing at all.
///
/// **Time**
/// - `tick 3 [50]`: the clock moves 50 ms on, or to node 3's next deadline; only node 3 notices. `clock 50`: the clock moves and nobody notices.
/// - `wait 150 [on 1 2]`: time passes, deadlines fire, nothing else moves. `run 150 [on 1 2]`: the same, and everything settles in between.
/// - `settle [1 2]`: messages arrive, writes finish, entries are applied, until nothing moves. With nodes: only what is among them.
///
/// **Looking**
/// - `show 1 2`: state. `entries 1 2`: the log on disk. `expect …`: an assertion without a trace; see ``Scenario/expect(_:)``.
/// - `quietly <command>`: no trace. `briefly <command>`: only changes of role, results, applied entries and memberships.
///
/// **Disturbances** that few stories need (`term`, `postpone`, `report`, `fail`, `queues`): see `Scenario+Disturbances.swift`.
///
/// More commands: add a table to ``Scenario/commandTables`` and its functions in a file `Scenario+<Topic>.swift`.
final class Scenario {
    var settings = Scenario.defaultSettings
    /// Founding members and joined ones, in that order.
    var nodes: [TestNode] = []
    var checker = ClusterChecker()
    /// Sent and not arrived, oldest first.
    var inFlight: [Message] = []
    var cutLinks: Set<LinkPattern> = []
    var heldLinks: Set<LinkPattern> = []
    var down: Set<NodeID> = []
    var paused: Set<NodeID> = []
    var stalled: Set<Stall> = []
    var jitter: [NodeID: UInt64] = [:]
    /// Milliseconds since the start.
    var now: UInt64 = 0
    /// What the drivers of the nodes were asked to do and have not done.
    var work: [(node: NodeID, job: Job)] = []
    var images: [SnapshotImage: TestMachine] = [:]
    var imageByteCount: UInt64 = 20
    /// How each ticket ended, as printed.
    var outcomes: [Ticket: String] = [:]
    #if CONCLAVE_MUTANTS
    /// The rule that every node breaks, if any.
    var plantedFault: PlantedFault?
    #endif
    /// Every payload that was proposed.
    var usedPayloads: Set<[UInt8]> = []
    private var ticketsOf: [NodeID: [Ticket]] = [:]
    private var lastTicket: UInt64 = 0

    private(set) var trace: [String] = []
    private var depth = 1
    var detail = Detail.full

    enum Detail { case none, brief, full }

    enum Job {
        case input(Input)
        case install(SnapshotMeta)
    }

    struct Stall: Hashable {
        enum Part: String { case disk, apply, work }
        let part: Part
        let node: NodeID
    }

    /// Short times, and a log that is cut at every checkpoint, so that stories stay short too.
    static var defaultSettings: Settings {
        var settings = Settings()
        settings.electionTimeout = .milliseconds(100)
        settings.heartbeatInterval = .milliseconds(20)
        settings.diskStallTimeout = .milliseconds(200)
        settings.retryInterval = .milliseconds(40)
        settings.unknownOutcomeTimeout = .milliseconds(250)
        settings.limits.trailingEntries = 0
        settings.limits.compactionStep = 1
        return settings
    }

    // MARK: Running

    /// Runs one command.
    ///
    /// - Returns: Its trace, each line indented by how deep it stands.
    func run(_ command: String) throws -> [String] {
        trace = []
        detail = .full
        depth = 1
        try execute(Words(command))
        try checker.checkLogMatching(nodes)
        return trace
    }

    func execute(_ words: Words) throws {
        var words = words
        let name = try words.next("a command")
        for table in Self.commandTables {
            if let command = table[name] {
                try command(self, &words)
                return try words.end()
            }
        }
        throw ClusterFailure("there is no command '\(name)'")
    }

    func note(_ line: String) {
        guard detail == .full else { return }
        trace.append(String(repeating: "    ", count: depth) + line)
    }

    /// What `body` notes stands below `line`.
    func noting(under line: String, _ body: () throws -> Void) rethrows {
        note(line)
        depth += 1
        defer { depth -= 1 }
        try body()
    }

    private func note(_ effects: Effects, of node: TestNode) {
        for line in lines(of: effects, isLost: { self.isCut($0) }) {
            if detail == .brief, Self.briefVerbs.contains(where: line.hasPrefix) { trace.append("    \(node.id): \(line)") }
            note("\(node.id): \(line)")
        }
    }

    private static let briefVerbs = ["is ", "apply ", "proposal ", "read ", "command ", "membership ", "halt ", "compact "]

    // MARK: Nodes

    func node(_ id: NodeID) throws -> TestNode {
        guard let node = nodes.first(where: { $0.id == id }) else { throw ClusterFailure("there is no node \(id)") }
        return node
    }

    func live(_ id: NodeID) throws -> TestNode {
        let node = try node(id)
        guard !down.contains(id) else { throw ClusterFailure("node \(id) is down") }
        return node
    }

    /// Those that run, in order of their numbers.
    var liveNodes: [TestNode] { nodes.filter { !down.contains($0.id) }.sorted { $0.id < $1.id } }

    func isStalled(_ part: Stall.Part, _ id: NodeID) -> Bool { stalled.contains(Stall(part: part, node: id)) }

    /// Every clock shows the same. Zero is kept for "never".
    var clock: Instant { Instant(nanoseconds: (1_000_000 + now) * 1_000_000) }

    func start(_ id: NodeID, founding: Membership) throws {
        guard !nodes.contains(where: { $0.id == id }) else { throw ClusterFailure("node \(id) exists") }
        let node = try TestNode(id: id, founding: founding, settings: settings, now: clock)
        #if CONCLAVE_MUTANTS
        node.plant(plantedFault)
        #endif
        nodes.append(node)
        try step(node, .tick)
    }

    // MARK: Steps

    func step(_ node: TestNode, _ input: Input) throws {
        let commit = node.core.commit
        let membership = node.core.membership
        var jitter = FixedJitter(milliseconds: self.jitter[node.id] ?? 10 * node.id.raw)
        let effects = node.step(input, now: clock, rng: &jitter)
        note(effects, of: node)
        try checker.check(node, commitBefore: commit, membershipBefore: membership, all: nodes)
        for outgoing in effects.messages where outgoing.after == nil { try transmit(outgoing.message) }
        try noteResults(effects)
        for action in effects.snapshots { try perform(action, at: node) }
        if effects.prefetch != nil { work.append((node.id, .input(.logFetched))) }
    }

    private func noteResults(_ effects: Effects) throws {
        try checker.note(effects.proposals)
        try checker.note(effects.reads)
        for result in effects.proposals { outcomes[result.ticket] = "\(result)" }
        for result in effects.commands { outcomes[result.ticket] = "\(result)" }
        for result in effects.reads {
            switch result {
            case .ready(let tickets, let index): for ticket in tickets { outcomes[ticket] = "\(ticket) ready at \(index)" }
            case .failed(let tickets, let failure): for ticket in tickets { outcomes[ticket] = "\(ticket) failed \(failure)" }
            }
        }
    }

    func newTicket(at node: TestNode) -> Ticket {
        lastTicket += 1
        ticketsOf[node.id, default: []].append(Ticket(lastTicket))
        return Ticket(lastTicket)
    }

    /// The clients of a process that is gone know nothing of what they asked.
    func forgetTickets(of id: NodeID) { checker.forget(ticketsOf.removeValue(forKey: id) ?? []) }

    // MARK: Network

    func isCut(_ message: Message) -> Bool { cutLinks.contains { $0.covers(from: message.from, to: message.to) } }
    func isHeld(_ message: Message) -> Bool { heldLinks.contains { $0.covers(from: message.from, to: message.to) } }

    func transmit(_ message: Message) throws {
        try checker.noteSent(message)
        if !isCut(message) { inFlight.append(message) }
    }

    func deliver(_ message: Message) throws {
        guard nodes.contains(where: { $0.id == message.to }), !down.contains(message.to) else {
            return note("\(message) finds nobody")
        }
        let node = try node(message.to)
        try noting(under: "\(message)") { try step(node, .message(message)) }
    }
}

/// The core asks for one random number per election timer; here it is always the same.
struct FixedJitter: RandomNumberGenerator {
    let milliseconds: UInt64

    mutating func next() -> UInt64 { milliseconds * 1_000_000 }
}
