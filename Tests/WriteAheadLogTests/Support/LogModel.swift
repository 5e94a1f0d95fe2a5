import Raft

@testable import WriteAheadLog

/// What a log must hold after some writes: the simple thing that the real one is compared with.
struct LogModel: Equatable {
    var hardState = HardState(term: .zero, vote: nil)
    var base = EntryID.zero
    var entries: [Entry] = []
    var memberships: [MembershipRecord] = []
    var commit = LogIndex.zero
    var boundary: SnapshotMeta?
    /// What may have been compacted away.
    var compactable = LogIndex.zero

    var lastID: EntryID { entries.last?.id ?? base }

    mutating func perform(_ write: LogWrite) {
        if let hardState = write.hardState { self.hardState = hardState }
        if let meta = write.reset {
            base = meta.last
            entries = []
            memberships = [MembershipRecord(index: meta.membershipIndex, membership: meta.membership)]
            boundary = meta
            commit = max(commit, meta.last.index)
        }
        if let index = write.truncateFrom {
            entries.removeAll { $0.index >= index }
            memberships.removeAll { $0.index >= index }
        }
        for entry in write.entries {
            entries.append(entry)
            if let membership = entry.membership { memberships.append(MembershipRecord(index: entry.index, membership: membership)) }
        }
        commit = max(commit, write.commit)
    }

    func performing(_ writes: some Sequence<LogWrite>) -> LogModel {
        var model = self
        for write in writes { model.perform(write) }
        return model
    }

    /// Why an opened log is not this; nil if it is. What was compacted away is not compared.
    ///
    /// - Parameter later: Term and vote of writes that were under way: they may be there without the rest of their write.
    func difference(from log: WriteAheadLog<some LogDirectory>, _ recovered: RecoveredLog, later: [HardState] = []) -> String? {
        if recovered.isDamaged { return "damaged" }
        if recovered.hardState != hardState && !later.contains(recovered.hardState) { return "hard state \(recovered.hardState), not \(hardState)" }
        if recovered.lastIndex != lastID.index { return "last index \(recovered.lastIndex), not \(lastID.index)" }
        if recovered.commit != min(commit, lastID.index) { return "commit \(recovered.commit), not \(commit)" }
        if recovered.boundary != boundary { return "another snapshot boundary" }
        if recovered.compactedThrough.index > max(base.index, compactable) { return "compacted through \(recovered.compactedThrough), not \(compactable)" }
        return entryDifference(from: log, recovered) ?? membershipDifference(recovered)
    }

    private func membershipDifference(_ recovered: RecoveredLog) -> String? {
        let through = recovered.compactedThrough.index
        let kept = memberships.lastIndex { $0.index <= through }.map { Array(memberships[$0...]) } ?? memberships
        return recovered.memberships == kept ? nil : "memberships at \(recovered.memberships.map(\.index)), not \(kept.map(\.index))"
    }

    /// Compares the entries that the log still has, bodies included, and the terms it tells.
    func entryDifference(from log: WriteAheadLog<some LogDirectory>, _ recovered: RecoveredLog) -> String? {
        var term = recovered.compactedThrough.term
        for entry in entries where entry.index > recovered.compactedThrough.index && entry.index <= recovered.lastIndex {
            term = recovered.termRuns.last { $0.first <= entry.index }?.term ?? term
            if term != entry.term { return "term \(term) at \(entry.id)" }
            do throws(LogFault) {
                if log.entries(from: entry.index, through: entry.index, byteCountMax: .max) == nil { try log.prefetch(from: entry.index) }
            } catch {
                return "\(error)"
            }
            if log.entries(from: entry.index, through: entry.index, byteCountMax: .max) != [entry] { return "another entry at \(entry.id)" }
        }
        if let before = entries.first(where: { $0.index == recovered.compactedThrough.index }), before.id != recovered.compactedThrough {
            return "compacted through \(recovered.compactedThrough), not \(before.id)"
        }
        return nil
    }
}
