import Raft

/// What the log says besides its entries, at one point of its records.
struct LogState: Equatable {
    var hardState = HardState(term: .zero, vote: nil)
    /// The entry before the first one that is kept.
    var base = EntryID.zero
    /// The last entry; `base` when there is none.
    var lastID = EntryID.zero
    /// Ascending: the newest at or before `base`, if there ever was one, and those of later entries.
    var memberships: [MembershipRecord] = []
    var commit = LogIndex.zero
    var boundary: SnapshotMeta?
    var isDamaged = false

    mutating func add(_ entries: ArraySlice<Entry>) {
        // By position, for a copy of an entry costs more than all that is done with it here.
        for position in entries.indices {
            let id = entries[position].id
            precondition(id.index == lastID.index.next, "the log has no holes")
            lastID = id
            if case .membership(let membership) = entries[position].body {
                memberships.append(MembershipRecord(index: id.index, membership: membership))
            }
        }
    }

    /// - Parameter previous: The entry before `index`.
    mutating func truncate(from index: LogIndex, previous: EntryID) {
        if base.index >= index { base = previous }
        lastID = previous
        memberships.removeAll { $0.index >= index }
    }

    mutating func reset(to meta: SnapshotMeta) {
        base = meta.last
        lastID = meta.last
        memberships = [MembershipRecord(index: meta.membershipIndex, membership: meta.membership)]
        boundary = meta
        commit = max(commit, meta.last.index)
    }

    mutating func moveBase(to id: EntryID) {
        base = id
        guard let newest = memberships.lastIndex(where: { $0.index <= id.index }) else { return }
        memberships.removeFirst(newest)
    }

    // MARK: In a segment's header

    /// Memberships written into a header: one is in force, at most one more is not committed, and one stands before them.
    private static let membershipsMax = 4

    func append(to bytes: inout [UInt8]) {
        EntryCoding.append(hardState, to: &bytes)
        EntryCoding.append(lastID, to: &bytes)
        bytes.put(commit.raw)
        bytes.put(UInt8(isDamaged ? 1 : 0))
        let kept = memberships.suffix(Self.membershipsMax)
        bytes.put(UInt8(kept.count))
        for record in kept {
            bytes.put(record.index.raw)
            EntryCoding.append(record.membership, to: &bytes)
        }
        bytes.put(UInt8(boundary == nil ? 0 : 1))
        if let boundary { EntryCoding.append(boundary, to: &bytes) }
    }

    /// As the oldest segment's header tells it: nothing before that segment is kept.
    init?(_ source: inout ByteSource) {
        guard let hardState = EntryCoding.hardState(&source), let last = EntryCoding.entryID(&source), let commit = source.number(UInt64.self),
            let damaged = source.number(UInt8.self), damaged <= 1, let count = source.number(UInt8.self)
        else { return nil }
        self.hardState = hardState
        base = last
        lastID = last
        self.commit = LogIndex(commit)
        isDamaged = damaged == 1
        for _ in 0..<count {
            guard let index = source.number(UInt64.self), let membership = EntryCoding.membership(&source) else { return nil }
            memberships.append(MembershipRecord(index: LogIndex(index), membership: membership))
        }
        switch source.number(UInt8.self) {
        case 0: break
        case 1:
            guard let boundary = EntryCoding.snapshot(&source) else { return nil }
            self.boundary = boundary
        default: return nil
        }
    }

    init() {}
}

/// Where one entry lies.
struct EntryPlace: Equatable {
    var term: Term
    /// Sequence of its segment.
    var segment: UInt64
    var offset: Int
    /// Of its record.
    var byteCount: Int
}
