/// What a leader knows about one other member.
struct Progress: Sendable {
    enum State: Equatable, Sendable {
        /// It is not known where the logs meet: one message at a time, the next one after an answer or a heartbeat answer.
        case probe(isPaused: Bool)
        /// Entries stream ahead of their acknowledgements, as far as the window allows (thesis §10.2.1).
        case replicate
        /// The entries it needs are compacted away; it fetches an image. No entries meanwhile.
        case snapshot(SnapshotSend)
    }

    let node: NodeID
    /// The highest entry known to be on the member's disk and equal to ours.
    private(set) var match = LogIndex.zero
    /// The next entry to send.
    private(set) var next: LogIndex
    private(set) var state = State.probe(isPaused: false)
    private(set) var inflights = Inflights()
    /// The highest commit index it was told.
    var toldCommit = LogIndex.zero
    var lastContact: Instant
    /// The newest read epoch that it acknowledged in this term.
    var ackedEpoch: UInt64 = 0
    /// The send time of the newest heartbeat that it answered in this term.
    var ackedSentAt: Instant?
    /// False while it repairs a damaged log.
    var isCounted = true
    var featureLevelMax: UInt16?
    /// A heartbeat answer came while entries are unacknowledged: ask with an empty append whether they arrived.
    var needsVerification = false
    /// The next entry to send is being loaded from disk.
    var awaitsLog = false

    init(node: NodeID, next: LogIndex, now: Instant) {
        self.node = node
        self.next = next
        self.lastContact = now
    }

    /// The match that counts for commitment.
    var countedMatch: LogIndex { isCounted ? match : .zero }

    /// What was under way may be lost: find out again where the logs meet. A fetch of a snapshot goes on.
    mutating func becomeProbe() {
        if case .snapshot = state { return }
        next = match.next
        state = .probe(isPaused: false)
        inflights.removeAll()
        awaitsLog = false
    }

    mutating func becomeSnapshot(_ send: SnapshotSend) {
        state = .snapshot(send)
        inflights.removeAll()
        awaitsLog = false
    }

    /// Gives up a fetch that the member no longer asks for.
    mutating func abandonSnapshot() {
        next = match.next
        state = .probe(isPaused: true)
    }

    /// Waits for the next heartbeat answer before another image is asked for.
    mutating func pauseSnapshot() {
        if case .snapshot(let send) = state, send.meta == nil { abandonSnapshot() }
    }

    mutating func pauseProbe() { if case .probe = state { state = .probe(isPaused: true) } }

    mutating func resumeProbe() { if case .probe = state { state = .probe(isPaused: false) } }

    /// Entries, or an empty probe, were just sent.
    mutating func didSend(through last: LogIndex, byteCount: Int) {
        switch state {
        case .probe: state = .probe(isPaused: true)
        case .replicate:
            guard last >= next else { return }
            inflights.add(through: last, byteCount: byteCount)
            next = last.next
        case .snapshot: preconditionFailure("nothing is appended while a snapshot is fetched")
        }
    }

    /// The member holds our entry at `index` on disk.
    mutating func didMatch(_ index: LogIndex, firstIndex: LogIndex) {
        match = max(match, index)
        next = max(next, match.next)
        inflights.free(through: index)
        switch state {
        case .probe:
            state = .replicate
            next = match.next
            inflights.removeAll()
        case .replicate: break
        // Whatever brought it here, log or snapshot: the log can go on (etcd PR 10308).
        case .snapshot where match.next >= firstIndex:
            state = .replicate
            next = match.next
        case .snapshot: break
        }
    }

    /// The member refused `rejected`; the logs can meet only at or before `meeting`.
    ///
    /// - Returns: False when the refusal is stale: it was overtaken by a match or by a newer probe.
    mutating func didMismatch(rejected: LogIndex, meeting: LogIndex) -> Bool {
        switch state {
        case .snapshot: return false
        case .replicate:
            guard rejected > match else { return false }
            state = .probe(isPaused: false)
            inflights.removeAll()
        case .probe:
            guard rejected == next.previous else { return false }
            state = .probe(isPaused: false)
        }
        next = max(match.next, min(rejected, meeting.next))
        awaitsLog = false
        return true
    }

    /// A member with a damaged log lost what it had acknowledged, and holds at most what stands before `next`.
    mutating func forgetMatch(next: LogIndex) {
        match = .zero
        self.next = max(next, LogIndex(1))
        state = .probe(isPaused: false)
        inflights.removeAll()
        awaitsLog = false
    }
}

/// The bytes and messages that are under way to one follower, in order.
struct Inflights: Sendable {
    private struct Item: Sendable {
        let through: LogIndex
        let byteCount: Int
    }

    private var items = Queue<Item>()
    private(set) var byteCount = 0

    var count: Int { items.count }

    func isFull(_ limits: Limits) -> Bool { count >= limits.inflightAppendsMax || byteCount >= limits.inflightBytesMax }

    mutating func add(through last: LogIndex, byteCount: Int) {
        items.append(Item(through: last, byteCount: byteCount))
        self.byteCount += byteCount
    }

    /// Everything through `index` arrived.
    mutating func free(through index: LogIndex) {
        while let first = items.first, first.through <= index {
            byteCount -= first.byteCount
            items.popFirst()
        }
    }

    mutating func removeAll() {
        items.removeAll()
        byteCount = 0
    }

    func fold(into digest: inout StateDigest) {
        for item in items.elements {
            digest.fold(item.through.raw)
            digest.fold(UInt64(item.byteCount))
        }
    }
}

/// One member's fetch of an image, as its leader sees it.
struct SnapshotSend: Equatable, Sendable {
    /// Nil until an image exists.
    var meta: SnapshotMeta?
    /// When the member was last told of the image or asked for a piece of it.
    var lastActivity: Instant
}
