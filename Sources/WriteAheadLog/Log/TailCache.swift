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

/// The newest entries of the log in memory, and a stretch of older ones that was asked for. Bounded by bytes.
struct TailCache {
    private let byteCountMax: Int
    /// Consecutive; the last is the log's last, unless the log is empty.
    private var tail = SlidingArray<Entry>()
    private var tailByteCount = 0
    private var fetched: [Entry] = []

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    mutating func append(_ entries: [Entry]) {
        for entry in entries {
            tail.append(entry)
            tailByteCount += entry.byteCount
        }
        while tailByteCount > byteCountMax, tail.count > 1 { dropOldest() }
    }

    mutating func truncate(from index: LogIndex) {
        while let last = tail.last, last.index >= index {
            tail.removeLast()
            tailByteCount -= last.byteCount
        }
        while let last = fetched.last, last.index >= index { fetched.removeLast() }
    }

    mutating func removeAll() {
        tail.removeAll()
        tailByteCount = 0
        fetched = []
    }

    mutating func dropThrough(_ index: LogIndex) {
        while let first = tail.first, first.index <= index { dropOldest() }
        if let first = fetched.first, first.index <= index { fetched.removeAll { $0.index <= index } }
    }

    private mutating func dropOldest() {
        tailByteCount -= tail[0].byteCount
        tail.removeFirst()
    }

    /// Takes the place of what was fetched before.
    mutating func keepFetched(_ entries: [Entry]) { fetched = entries }

    func entries(from first: LogIndex, through last: LogIndex, byteCountMax: Int) -> [Entry]? {
        func part(count: Int, _ entry: (Int) -> Entry) -> [Entry]? {
            guard count > 0, first >= entry(0).index, first <= entry(count - 1).index, first <= last else { return nil }
            var part: [Entry] = []
            var byteCount = 0
            var position = Int(first.distance(from: entry(0).index))
            while position < count, entry(position).index <= last, byteCount < byteCountMax {
                part.append(entry(position))
                byteCount += entry(position).byteCount
                position += 1
            }
            return part
        }
        return part(count: tail.count) { tail[$0] } ?? part(count: fetched.count) { fetched[$0] }
    }
}
