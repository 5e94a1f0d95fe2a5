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
    private let byteCountMax: Int
    /// The entries of one write each, never none: they share the write's memory. Consecutive; the last is the log's last.
    private var runs = SlidingArray<ArraySlice<Entry>>()
    private var byteCount = 0
    private var fetched: ArraySlice<Entry> = []

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    mutating func append(_ entries: [Entry]) {
        runs.append(entries[...])
        byteCount += Self.byteCount(of: entries[...])
        while byteCount > byteCountMax, runs.count > 1 { replace(0, with: []) }
    }

    mutating func truncate(from index: LogIndex) {
        while let run = runs.last, run[run.endIndex - 1].index >= index { replace(runs.count - 1, with: run.prefix { $0.index < index }) }
        fetched = fetched.prefix { $0.index < index }
    }

    mutating func removeAll() {
        runs.removeAll()
        byteCount = 0
        fetched = []
    }

    mutating func dropThrough(_ index: LogIndex) {
        while let run = runs.first, run[run.startIndex].index <= index { replace(0, with: run.drop { $0.index <= index }) }
        fetched = fetched.drop { $0.index <= index }
    }

    /// Takes the place of what was fetched before.
    mutating func keepFetched(_ entries: [Entry]) { fetched = entries[...] }

    /// - Parameter position: Of the first run or the last.
    private mutating func replace(_ position: Int, with part: ArraySlice<Entry>) {
        byteCount -= Self.byteCount(of: runs[position]) - Self.byteCount(of: part)
        if !part.isEmpty {
            runs[position] = part
        } else if position == 0 {
            runs.removeFirst()
        } else {
            runs.removeLast()
        }
    }

    private static func byteCount(of entries: ArraySlice<Entry>) -> Int { entries.reduce(0) { $0 + $1.byteCount } }

    func entries(from first: LogIndex, through last: LogIndex, byteCountMax: Int) -> [Entry]? {
        var part: [Entry] = []
        var byteCount = 0
        /// Whether more is wanted.
        func add(_ run: ArraySlice<Entry>) -> Bool {
            for entry in run.dropFirst(Int(first.distance(from: run[run.startIndex].index))) {
                guard entry.index <= last, byteCount < byteCountMax else { return false }
                part.append(entry)
                byteCount += entry.byteCount
            }
            return true
        }
        var position = runs.prefixCount { $0[$0.endIndex - 1].index < first }
        if position < runs.count, runs[position][runs[position].startIndex].index <= first {
            while position < runs.count, add(runs[position]) { position += 1 }
        } else if let start = fetched.first?.index, start <= first {
            _ = add(fetched)
        }
        return part.isEmpty ? nil : part
    }
}
