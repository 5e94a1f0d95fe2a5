import Raft

/// The one history of the cluster: what any node called committed, and what applying it gave (V4, V5, V19, V26, V29).
struct CommitLedger {
    private var committed: [EntryID] = [.zero]
    /// The term of the node that first called it committed. A leader of an earlier term may lack it: elected late, by votes under way.
    private var committedIn: [Term] = [.zero]
    /// What was applied, from index 1.
    private var bodies: [Entry] = []
    private var hashes: [LogIndex: UInt64] = [:]

    var last: EntryID { committed[committed.count - 1] }
    /// How far any node has applied.
    var appliedThrough: LogIndex { LogIndex(UInt64(bodies.count)) }

    mutating func commits(_ range: ClosedRange<LogIndex>, in current: Term, term: (LogIndex) -> Term?) throws(BrokenRule) {
        var index = range.lowerBound
        while index <= range.upperBound {
            defer { index = index.next }
            // Nil below a snapshot, whose entries others have committed.
            guard let term = term(index) else { continue }
            let id = EntryID(term: term, index: index)
            let place = Int(index.raw)
            if place == committed.count {
                committed.append(id)
                committedIn.append(current)
            } else if place < committed.count, committed[place] != id {
                throw BrokenRule(rule: "V5 state machine safety", text: "commits \(id) where \(committed[place]) is committed")
            }
        }
    }

    /// A follower commits no further than its log is known to be its leader's (paper §5.3, figure 2).
    ///
    /// - Parameters:
    ///   - commit: After the message.
    ///   - term: Of the entry that stands at an index of the follower's log.
    static func follows(_ message: Message, to commit: LogIndex, term: (LogIndex) -> Term?) throws(BrokenRule) {
        let isShared: Bool
        switch message.payload {
        case .append(let append): isShared = commit <= append.previous.index + append.entries.count
        case .heartbeat(let heartbeat): isShared = commit == heartbeat.commit.index && term(commit) == heartbeat.commit.term
        case .commit(let id), .readIndexReply(_, .some(let id)): isShared = commit == id.index && term(commit) == id.term
        default: return
        }
        if !isShared { throw BrokenRule(rule: "V5 state machine safety", text: "\(message) moves the commit index to \(commit), beyond what is known to be the leader's") }
    }

    /// V4. Equal entries have equal beginnings (V3), so the newest that was committed before the leader's term stands for all.
    func elected(_ term: Term, firstIndex: LogIndex, termAt: (LogIndex) -> Term?) throws(BrokenRule) {
        guard let place = committedIn.lastIndex(where: { $0 < term }), case let id = committed[place], id.index >= firstIndex, termAt(id.index) != id.term else { return }
        throw BrokenRule(rule: "V4 leader completeness", text: "the leader of term \(term) lacks the committed entry \(id)")
    }

    private func isCommitted(_ id: EntryID) -> Bool { id.index.raw < UInt64(committed.count) && committed[Int(id.index.raw)] == id }

    /// - Returns: Whether this is the first time that any node applies the entry.
    mutating func applied(_ entry: Entry, level: UInt16) throws(BrokenRule) -> Bool {
        guard isCommitted(entry.id) else { throw BrokenRule(rule: "V5 state machine safety", text: "applies \(entry), which is not committed") }
        if case .command(let command) = entry.body {
            if let only = command.onlyIfTerm, only != entry.term { throw BrokenRule(rule: "V26 only in its term", text: "applies \(entry), meant for term \(only)") }
            if command.featureLevel > level { throw BrokenRule(rule: "V29 feature gate", text: "\(entry) needs level \(command.featureLevel), the cluster has \(level)") }
        }
        let place = Int(entry.index.raw) - 1
        if place == bodies.count {
            bodies.append(entry)
            return true
        }
        if place > bodies.count { throw BrokenRule(rule: "V5 state machine safety", text: "applies \(entry), and nobody applied what is before it") }
        if bodies[place] != entry { throw BrokenRule(rule: "V5 state machine safety", text: "applies another \(entry) than others did") }
        return false
    }

    /// V18 and V19, after an entry as after a snapshot.
    mutating func state(_ hash: UInt64, at index: LogIndex) throws(BrokenRule) {
        if let known = hashes.updateValue(hash, forKey: index), known != hash {
            throw BrokenRule(rule: "V19 equal states", text: "another state at \(index) than others had")
        }
    }
}
