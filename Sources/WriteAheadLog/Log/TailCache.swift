package import Raft
internal import Synchronization

/// The newest entries of a log, for the thread that drives the core while another writes the log. Safe from any thread.
package final class LogTail: LogView, Sendable {
    private let cache: Mutex<TailCache>

    init(byteCountMax: Int) { cache = Mutex(TailCache(byteCountMax: byteCountMax)) }

    package func entries(from first: LogIndex, through last: LogIndex, byteCountMax: Int) -> [Entry]? {
        cache.withLock { $0.entries(from: first, through: last, byteCountMax: byteCountMax) }
    }

    func change(_ body: (inout TailCache) -> Void) { cache.withLock { body(&$0) } }
}

/// The newest entries of the log in memory, and a stretch of older ones that was asked for. Bounded by bytes, but for the newest write.
struct TailCache {
    /// Entries of one write, never none: they share the write's memory.
    private struct Run {
        let entries: ArraySlice<Entry>
        let byteCount: Int

        var first: LogIndex { entries[entries.startIndex].index }
        var last: LogIndex { entries[entries.endIndex - 1].index }
    }

    private let byteCountMax: Int
    /// Consecutive; the last entry is the log's last, unless the log is empty.
    private var runs = SlidingArray<Run>()
    private var byteCount = 0
    private var fetched: ArraySlice<Entry> = []

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// - Parameter byteCount: Of all of them, known to the caller, who has just looked at each.
    mutating func append(_ entries: [Entry], byteCount: Int) {
        runs.append(Run(entries: entries[...], byteCount: byteCount))
        self.byteCount += byteCount
        while self.byteCount > byteCountMax, runs.count > 1 { replace(0, with: []) }
    }

    mutating func truncate(from index: LogIndex) {
        while let run = runs.last, run.last >= index { replace(runs.count - 1, with: run.entries.prefix { $0.index < index }) }
        fetched = fetched.prefix { $0.index < index }
    }

    mutating func removeAll() {
        runs.removeAll()
        byteCount = 0
        fetched = []
    }

    mutating func dropThrough(_ index: LogIndex) {
        while let run = runs.first, run.first <= index { replace(0, with: run.entries.drop { $0.index <= index }) }
        fetched = fetched.drop { $0.index <= index }
    }

    /// Takes the place of what was fetched before.
    mutating func keepFetched(_ entries: [Entry]) { fetched = entries[...] }

    /// - Parameter position: Of the first run or the last.
    private mutating func replace(_ position: Int, with entries: ArraySlice<Entry>) {
        byteCount -= runs[position].byteCount
        if !entries.isEmpty {
            runs[position] = Run(entries: entries, byteCount: entries.reduce(0) { $0 + $1.byteCount })
            byteCount += runs[position].byteCount
        } else if position == 0 {
            runs.removeFirst()
        } else {
            runs.removeLast()
        }
    }

    func entries(from first: LogIndex, through last: LogIndex, byteCountMax: Int) -> [Entry]? {
        var part: [Entry] = []
        var byteCount = 0
        /// Whether more is wanted.
        func add(_ entries: ArraySlice<Entry>) -> Bool {
            for entry in entries.dropFirst(Int(first.distance(from: entries[entries.startIndex].index))) {
                guard entry.index <= last, byteCount < byteCountMax else { return false }
                part.append(entry)
                byteCount += entry.byteCount
            }
            return true
        }
        var position = runs.prefixCount { $0.last < first }
        if position < runs.count, runs[position].first <= first {
            while position < runs.count, add(runs[position].entries) { position += 1 }
        } else if let start = fetched.first?.index, start <= first {
            _ = add(fetched)
        }
        return part.isEmpty ? nil : part
    }
}
