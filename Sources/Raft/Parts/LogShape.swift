/// Where terms begin in the log: all the core needs to know of entries that it does not send.
///
/// Terms change rarely, so the whole log is a handful of runs, and comparing logs is a walk over them.
struct LogShape: Sendable, Equatable {
    /// The entry before the first one: compacted away, or the last one of a snapshot.
    private(set) var compactedThrough: EntryID
    private(set) var lastIndex: LogIndex
    private var runs: [TermRun]

    init(compactedThrough: EntryID, runs: [TermRun], lastIndex: LogIndex) {
        self.compactedThrough = compactedThrough
        self.runs = runs
        self.lastIndex = lastIndex
    }

    var firstIndex: LogIndex { compactedThrough.index.next }
    var isEmpty: Bool { lastIndex == compactedThrough.index }
    var last: EntryID { EntryID(term: runs.last?.term ?? compactedThrough.term, index: lastIndex) }

    /// The term of the entry at `index`; nil when it is compacted away or beyond the end.
    func term(at index: LogIndex) -> Term? {
        if index == compactedThrough.index { return compactedThrough.term }
        guard index > compactedThrough.index, index <= lastIndex else { return nil }
        return runs.last { $0.first <= index }?.term
    }

    func contains(_ id: EntryID) -> Bool { term(at: id.index) == id.term }

    /// The entry at `index`, which must be in the log or its boundary.
    func id(at index: LogIndex) -> EntryID {
        guard let term = term(at: index) else { preconditionFailure("the index is within the log") }
        return EntryID(term: term, index: index)
    }

    /// The last entry whose index and term are both not above those of `bound`: nothing after it can be shared with a log that holds
    /// `bound` (paper §5.3). Falls back to the boundary.
    func lastEntry(within bound: EntryID) -> EntryID {
        var end = min(bound.index, lastIndex)
        for run in runs.reversed() where run.first <= end {
            if run.term <= bound.term { return EntryID(term: run.term, index: end) }
            end = run.first.previous
        }
        return compactedThrough
    }

    mutating func append(term: Term) {
        precondition(term >= last.term, "terms never decrease along a log")
        lastIndex = lastIndex.next
        if last.term != term || runs.isEmpty { runs.append(TermRun(term: term, first: lastIndex)) }
    }

    /// Removes `index` and everything after it.
    mutating func truncate(from index: LogIndex) {
        precondition(index > compactedThrough.index, "what is compacted is committed and never truncated")
        guard index <= lastIndex else { return }
        lastIndex = index.previous
        while let run = runs.last, run.first > lastIndex { runs.removeLast() }
    }

    /// Forgets everything before `index`.
    mutating func compact(before index: LogIndex) {
        guard index > firstIndex else { return }
        let boundary = id(at: index.previous)
        compactedThrough = boundary
        while let run = runs.first, runs.count > 1, runs[1].first <= index { _ = run; runs.removeFirst() }
        if isEmpty {
            runs = []
        } else if let run = runs.first, run.first < index {
            runs[0] = TermRun(term: run.term, first: index)
        }
    }

    /// The log of a node that just took a snapshot.
    mutating func reset(to last: EntryID) { self = LogShape(compactedThrough: last, runs: [], lastIndex: last.index) }

    var isWellFormed: Bool {
        guard lastIndex >= compactedThrough.index, runs.isEmpty == isEmpty else { return false }
        if let run = runs.first, run.first != firstIndex || run.term < compactedThrough.term { return false }
        return zip(runs, runs.dropFirst()).allSatisfy { $0.first < $1.first && $0.term < $1.term }
            && (runs.last.map { $0.first <= lastIndex } ?? true)
    }

    func fold(into digest: inout StateDigest) {
        digest.fold(compactedThrough)
        digest.fold(lastIndex.raw)
        for run in runs {
            digest.fold(run.term.raw)
            digest.fold(run.first.raw)
        }
    }
}
