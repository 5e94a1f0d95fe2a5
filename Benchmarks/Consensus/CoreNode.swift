import Raft

/// One core with a log in memory.
final class CoreNode {
    private(set) var core: RaftCore
    private var log = MemoryLog()
    private var effects = Effects()
    var inbox: [Message] = []
    private var outbox: [Message] = []
    /// Messages that wait for a write.
    private var held: [OutgoingMessage] = []
    private var issued = WriteSequence.zero
    private var finished = WriteSequence.zero
    private var applied: LogIndex?
    var checkpoint = LogIndex.zero

    var steps = 0
    var committed = 0
    var allocations: UInt64 = 0

    init(id: NodeID, membership: Membership) throws {
        core = try RaftCore(
            id: id, incarnation: Incarnation(id.raw), settings: Settings(), recovered: .founding(membership), now: .zero)
    }

    func step(_ input: Input, now: Instant, rng: inout some RandomNumberGenerator) {
        steps += 1
        let before = MallocCounter.current ?? 0
        core.step(input, now: now, log: log, rng: &rng, into: &effects)
        allocations += (MallocCounter.current ?? 0) - before
        if let write = effects.write {
            log.perform(write)
            issued = write.sequence
        }
        for message in effects.messages {
            if let after = message.after, after > finished { held.append(message) } else { outbox.append(message.message) }
        }
        if let range = effects.apply { applied = range.upperBound }
        for result in effects.proposals {
            guard case .committed = result.outcome else { preconditionFailure("nothing stands in the way of a proposal: \(result)") }
            committed += 1
        }
        if let index = effects.compactBefore { log.compact(before: index) }
        if let reason = effects.halt { preconditionFailure("\(reason)") }
    }

    func takeInbox() -> [Message] {
        defer { inbox = [] }
        return inbox
    }

    func takeOutbox() -> [Message] {
        defer { outbox.removeAll(keepingCapacity: true) }
        return outbox
    }

    func takeApplied() -> LogIndex? {
        defer { applied = nil }
        return applied
    }

    /// The disk is done with all it was given.
    func finishWrites() -> WriteSequence? {
        guard issued > finished else { return nil }
        finished = issued
        outbox += held.map(\.message)
        held.removeAll(keepingCapacity: true)
        return finished
    }
}

/// The entries that a node may still be asked for.
private struct MemoryLog: LogView {
    private var entries: [Entry] = []
    private var firstIndex = LogIndex(1)

    private func position(of index: LogIndex) -> Int { Int(index.raw - firstIndex.raw) }

    func entries(from first: LogIndex, through last: LogIndex, byteCountMax: Int) -> [Entry]? {
        guard first >= firstIndex, first <= last else { return nil }
        let start = position(of: first)
        var end = start
        var byteCount = 0
        while end <= position(of: last), byteCount < byteCountMax {
            byteCount += entries[end].byteCount
            end += 1
        }
        return Array(entries[start..<end])
    }

    mutating func perform(_ write: LogWrite) {
        if let index = write.truncateFrom { entries.removeLast(entries.count - position(of: index)) }
        entries += write.entries
    }

    mutating func compact(before index: LogIndex) {
        entries.removeFirst(position(of: index))
        firstIndex = index
    }
}
