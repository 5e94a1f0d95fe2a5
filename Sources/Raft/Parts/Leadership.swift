/// Everything that exists only while a node leads. Gone with the leadership, so nothing of it can outlive a term.
struct Leadership: Sendable {
    /// One for every other member, and for members that leave until their removal is committed; sorted by node.
    var progress: [Progress]
    /// The no-op that opened this term. Once it is committed the leader knows what is committed (thesis §6.4).
    let ownTermStart: LogIndex
    var nextHeartbeat: Instant
    var reads = ReadRounds()
    var transfer: Transfer?
    var change: PendingChange?
    /// Own proposals that are not committed, for ``Limits/uncommittedBytesMax``.
    var uncommitted = Queue<UncommittedEntry>()
    var uncommittedBytes = 0
    /// Which forwarded batches were taken.
    var forwardOrigins: [ForwardOrigin] = []
    /// A TimeoutNow left: its receiver may be elected although followers hear this leader, however late, so no lease can be trusted in this term any more.
    var leasesAreVoid = false
    /// Since when the leader gives up for its stalled disk.
    var stalledSince: Instant?
    var isMakingSnapshot = false
    /// Images that exist here, oldest first; all but the newest only while a member fetches them.
    var images: [SnapshotMeta] = []

    struct UncommittedEntry: Sendable {
        let index: LogIndex
        let byteCount: Int
    }

    struct ForwardOrigin: Sendable, Equatable {
        let node: NodeID
        let incarnation: Incarnation
        var number: UInt64
    }

    /// A leadership transfer under way (thesis §3.10).
    struct Transfer: Sendable, Equatable {
        let target: NodeID
        let ticket: Ticket?
        let deadline: Instant
        /// The leader is leaving the cluster or its disk is stalled: it steps down even if the target does not take over.
        let stepsDown: Bool
        var didSendTimeoutNow = false
    }

    struct PendingChange: Sendable, Equatable {
        let ticket: Ticket
        /// Done when a membership with this generation is committed.
        let generation: UInt64
    }

    func position(of node: NodeID) -> Int? { progress.firstIndex { $0.node == node } }

    /// What is known of `node`. Only asked for members.
    func progress(of node: NodeID) -> Progress? { progress.first { $0.node == node } }
}

/// A campaign, before or for real.
struct Ballot: Sendable, Equatable {
    enum Kind: Sendable, Equatable { case pre, real(isTransfer: Bool) }

    let kind: Kind
    let campaign: Term
    /// The node's own vote counts when this write is durable; a pre-vote promises nothing and counts at once.
    let ownVote: WriteSequence?
    private(set) var votes: [Vote] = []

    struct Vote: Sendable, Equatable {
        let node: NodeID
        let isGranted: Bool
    }

    init(kind: Kind, campaign: Term, ownVote: WriteSequence?) {
        self.kind = kind
        self.campaign = campaign
        self.ownVote = ownVote
    }

    /// The first answer of a node counts; later ones change nothing.
    mutating func record(_ node: NodeID, isGranted: Bool) {
        guard !votes.contains(where: { $0.node == node }) else { return }
        votes.append(Vote(node: node, isGranted: isGranted))
        votes.sort { $0.node < $1.node }
    }

    func vote(of node: NodeID) -> Bool? { votes.first { $0.node == node }?.isGranted }
}

/// The reads that wait at a leader: one round at a time confirms all that waited when it began (thesis §6.4).
struct ReadRounds: Sendable {
    enum Origin: Sendable, Equatable {
        case local(Ticket)
        case remote(NodeID, ReadRequestID)
    }

    struct Round: Sendable {
        let epoch: UInt64
        let index: EntryID
        let origins: [Origin]
    }

    /// Reads that came after the current round began; their leader must be confirmed after they came.
    var waiting: [Origin] = []
    var current: Round?

    var count: Int { waiting.count + (current?.origins.count ?? 0) }
}

/// A follower's reads: one question to the leader at a time.
struct FollowerReads: Sendable {
    struct Question: Sendable {
        var request: ReadRequestID
        let tickets: [Ticket]
        var retryAt: Instant
        let deadline: Instant
    }

    var waiting: [Ticket] = []
    var asked: Question?

    var count: Int { waiting.count + (asked?.tickets.count ?? 0) }
}

/// Proposals of this node whose end is not known.
struct PendingProposals: Sendable {
    /// In this node's or a leader's log.
    struct Appended: Sendable {
        let ticket: Ticket
        let id: EntryID
        /// When it is given up; nil while the leader that took it leads.
        var deadline: Instant?

        func isExpired(at now: Instant) -> Bool { deadline.map { $0 <= now } ?? false }
    }

    /// Handed to a leader that has not answered.
    struct Forwarded: Sendable {
        let ticket: Ticket
        let term: Term
        let deadline: Instant
    }

    /// By index.
    var appended = Queue<Appended>()
    var forwarded: [Forwarded] = []

    var count: Int { appended.count + forwarded.count }

    mutating func insert(_ item: Appended) {
        var position = appended.count
        while position > 0, appended[position - 1].id.index > item.id.index { position -= 1 }
        appended.insert(item, at: position)
    }

    /// Not after the next moment at which something expires. Kept apart from the queue, which is asked after every step.
    var nextDeadline: Instant? {
        let next = forwarded.first?.deadline
        guard let appendedDeadline else { return next }
        return next.map { min($0, appendedDeadline) } ?? appendedDeadline
    }
    private var appendedDeadline: Instant?

    /// Gives those that have no deadline this one.
    mutating func setDeadline(_ deadline: Instant) {
        for position in 0..<appended.count where appended[position].deadline == nil {
            appended[position].deadline = deadline
            appendedDeadline = min(appendedDeadline ?? deadline, deadline)
        }
    }

    /// Takes out what has expired.
    mutating func expire(at now: Instant) -> [Ticket] {
        guard let next = nextDeadline, now >= next else { return [] }
        var tickets = forwarded.filter { $0.deadline <= now }.map(\.ticket)
        forwarded.removeAll { $0.deadline <= now }
        tickets += appended.elements.filter { $0.isExpired(at: now) }.map(\.ticket)
        appended.removeAll { $0.isExpired(at: now) }
        appendedDeadline = appended.elements.compactMap(\.deadline).min()
        return tickets
    }
}
