import Raft

/// What is certainly on one node's medium: written, synced, and not replaced since.
struct DiskLedger {
    private(set) var hardState = HardState(term: .zero, vote: nil)
    private(set) var sequence = WriteSequence.zero
    /// Everything up to here is in the state or in a snapshot.
    private var base = EntryID.zero
    private var terms: [Term] = []
    private var isCertain = true
    /// Terms and votes that this life handed to its log, synced or not.
    private var issued: [HardState] = []

    var last: EntryID { EntryID(term: terms.last ?? base.term, index: base.index + terms.count) }

    /// Whether the entry is in the log itself, not behind its beginning.
    func logHolds(_ id: EntryID) -> Bool { id.index > base.index && holds(id) }

    func holds(_ id: EntryID) -> Bool {
        if id.index <= base.index { return true }
        let place = Int(id.index.raw - base.index.raw) - 1
        return place < terms.count && terms[place] == id.term
    }

    /// A core hands out a write. An image takes the place of a log only if that lacks the image's last entry (camunda#6092).
    mutating func issues(_ write: LogWrite) throws(BrokenRule) {
        if let state = write.hardState { issued.append(state) }
        guard let meta = write.reset, logHolds(meta.last) else { return }
        throw BrokenRule(rule: "V18 snapshots", text: "the image of \(meta.last) takes the place of a log that holds this entry")
    }

    /// The process is gone. What becomes of what it had not synced is known when the next one has recovered.
    mutating func crashed() { isCertain = false }

    /// An image becomes the state only when the log begins behind it: a crash in between would leave a log that does not reach back to its state.
    func installs(_ meta: SnapshotMeta) throws(BrokenRule) {
        guard isCertain, meta.last.index > base.index else { return }
        throw BrokenRule(rule: "V18 snapshots", text: "the image of \(meta.last) is installed, and the log begins behind \(base)")
    }

    mutating func durable(_ write: LogWrite) {
        sequence = write.sequence
        if let state = write.hardState { hardState = state }
        if let meta = write.reset {
            base = meta.last
            terms = []
        }
        if let index = write.truncateFrom { terms.removeLast(min(terms.count, Int(last.index.next.distance(from: index)))) }
        for entry in write.entries { terms.append(entry.term) }
    }

    /// A new process found this on the medium.
    mutating func recovered(_ hardState: HardState, base: EntryID, terms: [Term]) {
        self.hardState = hardState
        self.base = base
        self.terms = terms
        sequence = .zero
        isCertain = true
        issued = []
    }

    /// V7 and V21: what was synced is still there, or was replaced by what a later term wrote.
    func check(recovered state: HardState, last: EntryID, term: (LogIndex) -> Term?) throws(BrokenRule) {
        if state.term < hardState.term { throw BrokenRule(rule: "V7 monotone", text: "term \(hardState.term) was synced, \(state.term) is recovered") }
        if state.term == hardState.term, let vote = hardState.vote, state.vote != vote {
            throw BrokenRule(rule: "V7 monotone", text: "the vote for \(vote) in term \(state.term) was synced and is lost")
        }
        if state != hardState, !issued.contains(state) { throw BrokenRule(rule: "V7 monotone", text: "\(state) is recovered and was never written") }
        let mine = self.last
        if term(mine.index) != mine.term, last.term <= mine.term {
            throw BrokenRule(rule: "V21 only torn tails are cut", text: "\(mine) was synced, and the log ends with \(last)")
        }
    }

    /// V10: what a message promises is on the medium.
    func check(_ message: Message) throws(BrokenRule) {
        switch message.payload {
        case .voteReply(let reply) where reply.isGranted:
            guard hardState.term > reply.campaign || hardState == HardState(term: reply.campaign, vote: message.to) else {
                throw BrokenRule(rule: "V10 promises are durable", text: "\(message) leaves before its vote is synced")
            }
        case .vote(let request):
            guard hardState.term > request.campaign || hardState == HardState(term: request.campaign, vote: message.from) else {
                throw BrokenRule(rule: "V10 promises are durable", text: "\(message) leaves before the vote for itself is synced")
            }
        case .appendReply(let reply):
            // A later term may have replaced the entry in the same sync.
            guard case .matched(let id) = reply.result, hardState.term <= message.term, !holds(id) else { return }
            throw BrokenRule(rule: "V10 promises are durable", text: "\(message) leaves before the entry is synced")
        default: break
        }
    }
}
