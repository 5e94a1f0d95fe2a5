/// The entries at the end of the log that are not known to be durable, each with the write that put it there.
///
/// An entry becomes durable only when *its* write completes. A late completion of an older write for the same index, or even for the same
/// term and index, marks nothing (`reference/raft.md` C2).
struct UnstableTail: Sendable {
    struct Item: Sendable {
        let entry: Entry
        let sequence: WriteSequence
    }

    private var items = Queue<Item>()

    var isEmpty: Bool { items.isEmpty }
    var firstIndex: LogIndex? { items.first?.entry.index }
    var count: Int { items.count }

    mutating func append(_ entry: Entry, writtenBy sequence: WriteSequence) {
        if let last = items.last { precondition(last.entry.index.next == entry.index, "the tail has no holes") }
        items.append(Item(entry: entry, sequence: sequence))
    }

    mutating func truncate(from index: LogIndex) {
        guard let first = firstIndex else { return }
        let kept = Int(min(index.distance(from: first), UInt64(items.count)))
        items.removeLast(items.count - kept)
    }

    mutating func removeAll() { items.removeAll() }

    /// Drops what `sequence` and the writes before it made durable. Sequences never decrease along the tail.
    mutating func markDurable(upTo sequence: WriteSequence) {
        var count = 0
        while count < items.count, items[count].sequence <= sequence { count += 1 }
        items.removeFirst(count)
    }

    /// A planted fault: a completion names the position that was written, not the write.
    mutating func markDurable(throughIndex index: LogIndex) {
        while let first = firstIndex, first <= index { items.popFirst() }
    }

    /// Entries from `first` on, which must be in the tail; stops after the one that reaches `byteCountMax`.
    func entries(from first: LogIndex, byteCountMax: Int) -> [Entry] {
        guard let start = firstIndex, first >= start else { preconditionFailure("the entry is in the tail") }
        var found: [Entry] = []
        var byteCount = 0
        var position = Int(first.distance(from: start))
        while position < items.count, byteCount < byteCountMax {
            let entry = items[position].entry
            found.append(entry)
            byteCount += entry.byteCount
            position += 1
        }
        return found
    }

    func fold(into digest: inout StateDigest) {
        digest.fold(UInt64(items.count))
        for item in items.elements {
            digest.fold(item.sequence)
            digest.fold(item.entry)
        }
    }
}
