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
    private var tail: ArraySlice<Entry> = []
    private var tailByteCount = 0
    private var fetched: [Entry] = []

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    mutating func append(_ entries: [Entry]) {
        tail.append(contentsOf: entries)
        for entry in entries { tailByteCount += entry.byteCount }
        while tailByteCount > byteCountMax, tail.count > 1, let oldest = tail.popFirst() { tailByteCount -= oldest.byteCount }
    }

    mutating func truncate(from index: LogIndex) {
        while let last = tail.last, last.index >= index {
            tail.removeLast()
            tailByteCount -= last.byteCount
        }
        while let last = fetched.last, last.index >= index { fetched.removeLast() }
    }

    mutating func removeAll() {
        tail = []
        tailByteCount = 0
        fetched = []
    }

    mutating func dropThrough(_ index: LogIndex) {
        while let first = tail.first, first.index <= index {
            tail.removeFirst()
            tailByteCount -= first.byteCount
        }
        if let first = fetched.first, first.index <= index { fetched.removeAll { $0.index <= index } }
    }

    /// Takes the place of what was fetched before.
    mutating func keepFetched(_ entries: [Entry]) { fetched = entries }

    func entries(from first: LogIndex, through last: LogIndex, byteCountMax: Int) -> [Entry]? {
        Self.part(of: tail, from: first, through: last, byteCountMax) ?? Self.part(of: fetched[...], from: first, through: last, byteCountMax)
    }

    private static func part(of entries: ArraySlice<Entry>, from first: LogIndex, through last: LogIndex, _ byteCountMax: Int) -> [Entry]? {
        guard let oldest = entries.first, let newest = entries.last, first >= oldest.index, first <= newest.index, first <= last else { return nil }
        var part: [Entry] = []
        var byteCount = 0
        var position = entries.startIndex + Int(first.distance(from: oldest.index))
        while position < entries.endIndex, entries[position].index <= last, byteCount < byteCountMax {
            part.append(entries[position])
            byteCount += entries[position].byteCount
            position += 1
        }
        return part
    }
}
