import Raft

/// Entries as they are written anywhere. Each has a number for itself and everything before it, so that two logs that share an
/// entry can be compared to their beginnings by one number (V3).
struct LogLedger {
    private struct Link {
        let entry: Entry
        /// Over the ids of the entry and of all before it. Bodies are compared where they are met, so they need not be in it.
        let chain: UInt64
    }

    private var links: [EntryID: Link] = [:]

    /// - Parameter previous: What stands before the first of `entries` in that log.
    mutating func appended(_ entries: [Entry], after previous: EntryID) throws(BrokenRule) {
        var chain: UInt64 = 1
        if previous != .zero {
            // The last entry of a snapshot was once appended by a leader, so it is known, too.
            guard let link = links[previous] else { throw BrokenRule(rule: "V3 log matching", text: "\(previous) was never written, and is in a log") }
            chain = link.chain
        }
        for entry in entries {
            chain = Self.chain(after: chain, entry.id)
            guard let known = links[entry.id] else {
                links[entry.id] = Link(entry: entry, chain: chain)
                continue
            }
            if known.chain != chain { throw BrokenRule(rule: "V3 log matching", text: "\(entry) is in two logs that differ before it") }
            if known.entry != entry { throw BrokenRule(rule: "V3 log matching", text: "\(entry) has another body in another log") }
        }
    }

    /// V21: a log that a new process found has only entries that were written, each behind the one that it was written behind.
    ///
    /// - Parameter base: What stands before the first of `ids`.
    func recovered(_ ids: [EntryID], after base: EntryID) throws(BrokenRule) {
        guard var chain = base == .zero ? 1 : links[base]?.chain else { throw BrokenRule(rule: "V21 recovery", text: "\(base) was never written, and begins a log") }
        for id in ids {
            chain = Self.chain(after: chain, id)
            guard let known = links[id] else { throw BrokenRule(rule: "V21 recovery", text: "\(id) was never written, and is recovered") }
            if known.chain != chain { throw BrokenRule(rule: "V21 recovery", text: "\(id) is recovered behind other entries than it was written behind") }
        }
    }

    private static func chain(after chain: UInt64, _ id: EntryID) -> UInt64 {
        var digest = StateDigest()
        digest.fold(chain)
        digest.fold(id)
        return digest.value
    }
}
