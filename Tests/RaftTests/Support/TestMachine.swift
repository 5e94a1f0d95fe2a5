import Raft

/// A state machine that remembers everything it was told as one hash: two that agree on it agree on all of it.
struct TestMachine: Hashable {
    private(set) var applied = EntryID.zero
    private(set) var hash: UInt64 = 1
    private(set) var membership = MembershipRecord(index: .zero, membership: .none)

    init(membership: Membership) { self.membership = MembershipRecord(index: .zero, membership: membership) }

    mutating func apply(_ entry: Entry) {
        precondition(entry.index == applied.index.next, "entries are applied in order")
        var digest = StateDigest()
        digest.fold(hash)
        digest.fold(entry)
        hash = digest.value
        applied = entry.id
        if let membership = entry.membership { self.membership = .init(index: entry.index, membership: membership) }
    }

    /// An image of the state; `maker` makes images of the same state differ between nodes, as real ones do.
    func image(maker: NodeID, byteCount: UInt64) -> SnapshotMeta {
        SnapshotMeta(
            image: SnapshotImage(last: applied, fingerprint: hash &+ maker.raw), membership: membership.membership,
            membershipIndex: membership.index, byteCount: byteCount)
    }
}
