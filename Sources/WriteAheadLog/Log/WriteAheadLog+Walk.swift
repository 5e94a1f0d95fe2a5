import Raft

/// Reading the records of a log that is being opened, in order, write by write.
extension WriteAheadLog {
    /// How the walk ended.
    enum WalkEnd: Equatable {
        /// Behind the last whole write; torn if more of one is there.
        case tail(isTorn: Bool)
        /// At something that had been durable.
        case damage
        /// At the end of a segment that had a successor, which is not there.
        case missing
    }

    /// One record, understood.
    private enum Operation {
        case entry(Entry, EntryPlace)
        case hardState(HardState)
        case commit(LogIndex)
        case reset(SnapshotMeta)
        case truncate(LogIndex, previous: EntryID)
        case recoveryEnded
        case seal
    }

    /// What is read and not yet a whole write, and where the log would end with it.
    private struct Pending {
        var operations: [Operation] = []
        var last: LogIndex
    }

    func firstChain(of segment: FoundSegment<Directory.File>) -> UInt32 {
        settings.isPlanted(.staleRecordAccepted) ? 0 : segment.header.chain
    }

    /// Applies every whole write of `found` to the state, and moves `cut` behind the last one.
    func walk(_ found: [FoundSegment<Directory.File>], _ cut: inout Cut) throws(LogProblem) -> WalkEnd {
        var pending = Pending(last: state.lastID.index)
        for (number, segment) in found.enumerated() {
            let limit = number + 1 < found.count ? found[number + 1].header.previousEnd : nil
            let nonce = recordNonce(segment.header.nonce)
            var (offset, chain, isSealed) = (SegmentHeader.byteCount, firstChain(of: segment), false)
            let file = segment.file
            let bytes = try files { () throws(FileFault) in try file.read(at: 0, byteCount: file.byteCount) }
            let end: WalkEnd? = bytes.withUnsafeBytes { bytes in
                while offset != limit {
                    guard let record = Record.read(at: offset, in: bytes, nonce: nonce, settings),
                        settings.isPlanted(.chainNotChecked) || record.follows(chain, at: offset, in: bytes, nonce: nonce),
                        offset + record.byteCount <= limit ?? bytes.count,
                        let operation = operation(record, at: offset, in: bytes, segment.header.sequence, &pending)
                    else { return badRecord(at: offset, of: segment, in: bytes, hasSuccessor: limit != nil, &pending) }
                    offset += record.byteCount
                    chain = record.chain
                    if case .seal = operation {
                        isSealed = true
                        // Sealed, and the next segment never got its name: the end. Unless it is known that it did.
                        if limit == nil { return segment.isFollowed ? .missing : .tail(isTorn: !pending.operations.isEmpty) }
                        continue
                    }
                    pending.operations.append(operation)
                    guard record.endsWrite else { continue }
                    apply(&pending)
                    cut = Cut(segment: number, offset: offset, chain: chain)
                }
                return nil
            }
            if let end { return end }
            guard !isSealed, number + 1 < found.count else { continue }
            // The next segment was begun because this one was damaged here; its header has what was decided then.
            let decided = found[number + 1].header.state
            state.hardState = decided.hardState
            state.isDamaged = decided.isDamaged
            pending = Pending(last: state.lastID.index)
            cut = Cut(segment: number + 1, chain: firstChain(of: found[number + 1]))
        }
        return .tail(isTorn: !pending.operations.isEmpty)
    }

    private func badRecord(
        at offset: Int, of segment: FoundSegment<Directory.File>, in bytes: UnsafeRawBufferPointer, hasSuccessor: Bool, _ pending: inout Pending
    ) -> WalkEnd {
        let later = wholeRecords(from: offset + 8, in: bytes, nonce: segment.header.nonce)
        let syncedEnd = max(segment.slot?.syncedEnd ?? 0, later.syncedEnd)
        if hasSuccessor || offset < syncedEnd, !settings.isPlanted(.corruptionTreatedAsTornTail) { return .damage }
        let isTorn = !pending.operations.isEmpty || later.count > 0
        if settings.isPlanted(.partOfWriteAccepted) { apply(&pending) }
        return .tail(isTorn: isTorn)
    }

    /// Whole records from some place on, wherever they hang, the furthest place that one of them knows to have been synced, and where
    /// the last one ends.
    ///
    /// - Parameter start: Where in its segment `bytes` begins.
    func wholeRecords(
        from offset: Int, in bytes: UnsafeRawBufferPointer, nonce: UInt64, startingAt start: Int = 0
    ) -> (count: Int, syncedEnd: Int, end: Int) {
        var (count, syncedEnd, end, place) = (0, 0, 0, offset)
        while place + Record.headerByteCount <= bytes.count {
            // Most of what lies here is zero.
            if bytes[place + 4] != 0, let record = Record.read(at: place, in: bytes, nonce: recordNonce(nonce), startingAt: start, settings) {
                count += 1
                syncedEnd = max(syncedEnd, record.syncedBefore)
                place += record.byteCount
                end = place
            } else {
                place += 8
            }
        }
        return (count, syncedEnd, end)
    }

    /// What a record says; nil if it says nothing that can follow what came before it.
    private func operation(
        _ record: Record, at offset: Int, in bytes: UnsafeRawBufferPointer, _ sequence: UInt64, _ pending: inout Pending
    ) -> Operation? {
        let payload = record.payload(at: offset, in: bytes)
        var source = ByteSource(payload)
        let index = LogIndex(record.index)
        switch record.kind {
        case .noop, .command, .membership:
            guard index == pending.last.next, let entry = EntryCoding.entry(record, payload) else { return nil }
            pending.last = index
            return .entry(entry, EntryPlace(term: entry.term, segment: sequence, offset: offset, byteCount: record.byteCount))
        case .hardState: return EntryCoding.hardState(&source).map { .hardState($0) }
        case .commit: return .commit(index)
        case .reset:
            guard let meta = EntryCoding.snapshot(&source) else { return nil }
            pending.last = meta.last.index
            return .reset(meta)
        case .truncate:
            guard index > .zero, index <= pending.last.next else { return nil }
            pending.last = index.previous
            return .truncate(index, previous: EntryID(term: Term(record.term), index: index.previous))
        case .recoveryEnded: return .recoveryEnded
        case .seal: return .seal
        }
    }

    private func apply(_ pending: inout Pending) {
        for operation in pending.operations {
            switch operation {
            case .entry(let entry, let place): add(entry, place)
            case .hardState(let hardState): state.hardState = hardState
            case .commit(let index): state.commit = index
            case .reset(let meta):
                state.reset(to: meta)
                places.removeAll()
                tail.change { $0.removeAll() }
            case .truncate(let index, let previous): truncate(from: index, previous: previous)
            case .recoveryEnded: state.isDamaged = false
            case .seal: break
            }
        }
        pending.operations.removeAll(keepingCapacity: true)
    }
}
