import Raft

/// From writes to records, and from records to segments.
extension WriteAheadLog {
    /// Where the next record goes.
    var position: Int { bufferStart + buffer.count }
    private var current: Segment { segments[segments.count - 1] }
    /// Of the last segment, in bytes: it may be from a life with other settings.
    var capacity: Int { current.file.byteCount }

    func recordNonce(_ nonce: UInt64) -> UInt64 { settings.isPlanted(.staleRecordAccepted) ? 0 : nonce }

    /// Refuses what can never be written, and gets the file of a further segment before anything is.
    func makeRoom(for writes: [LogWrite]) throws(LogFault) {
        var byteCount = 0
        for write in writes {
            byteCount += 8 * Record.headerByteCount + (write.reset == nil ? 0 : 4_096)
            for entry in write.entries {
                let payload = EntryCoding.payloadByteCount(of: entry)
                guard payload <= settings.payloadByteCountMax + EntryCoding.commandPrefixByteCount else { throw .entryTooLarge(byteCount: payload) }
                byteCount += Record.byteCount(payload: payload)
            }
        }
        if position + byteCount + Record.headerByteCount > capacity, spare == nil { try makeSpare() }
    }

    func encode(_ write: LogWrite) throws(LogFault) {
        if let hardState = write.hardState {
            if !settings.isPlanted(.hardStateNotWritten) {
                _ = try put(.hardState, EntryCoding.hardStateByteCount) { EntryCoding.append(hardState, to: &$0) }
            }
            state.hardState = hardState
        }
        if let meta = write.reset {
            if !settings.isPlanted(.resetNotWritten) {
                _ = try put(.reset, index: meta.last.index.raw, term: meta.last.term.raw, EntryCoding.byteCount(of: meta)) {
                    EntryCoding.append(meta, to: &$0)
                }
            }
            state.reset(to: meta)
            places.removeAll()
            tail.change { $0.removeAll() }
        }
        if let index = write.truncateFrom {
            let previous = entryID(before: index)
            if !settings.isPlanted(.truncationForgotten) { _ = try put(.truncate, index: index.raw, term: previous.term.raw) }
            truncate(from: index, previous: previous)
        }
        for entry in write.entries {
            precondition(entry.index == state.lastID.index.next, "the log has no holes")
            let count = EntryCoding.payloadByteCount(of: entry)
            let offset = try put(EntryCoding.kind(of: entry), index: entry.index.raw, term: entry.term.raw, count) { EntryCoding.append(entry, to: &$0) }
            place(entry, EntryPlace(term: entry.term, segment: current.sequence, offset: offset, byteCount: Record.byteCount(payload: count)))
        }
        if !write.entries.isEmpty { tail.change { $0.append(write.entries) } }
        if write.endsRecovery {
            _ = try put(.recoveryEnded)
            state.isDamaged = false
        }
        let commit = settings.isPlanted(.commitHintTooHigh) ? state.lastID.index : write.commit
        if commit > state.commit {
            _ = try put(.commit, index: commit.raw)
            state.commit = commit
        }
        sealRecord(endsWrite: true)
    }

    /// Appends a record to the buffer, or to the next segment when this one is full.
    ///
    /// - Returns: Where in the segment it lies.
    private func put(
        _ kind: Record.Kind, index: UInt64 = 0, term: UInt64 = 0, _ byteCount: Int = 0, _ payload: (inout PayloadWriter) -> Void = { _ in }
    ) throws(LogFault) -> Int {
        sealRecord(endsWrite: false)
        // A segment always has room for the record that seals it.
        if position + Record.byteCount(payload: byteCount) + Record.headerByteCount > capacity { try turnOver() }
        if buffer.count >= Self.flushByteCount { try flush() }
        let offset = position
        buffer.append(
            kind, index: index, term: term, nonce: recordNonce(current.nonce), syncedBefore: syncedEnd, payloadByteCount: byteCount, payload: payload)
        return offset
    }

    private func sealRecord(endsWrite: Bool) {
        chain = buffer.seal(endsWrite: endsWrite, after: chain, nonce: recordNonce(current.nonce))
    }

    /// So much goes to the file system at once: it copies out of the processor's cache then what was just encoded.
    private static var flushByteCount: Int { 256 << 10 }

    // MARK: What the records mean

    func add(_ entry: Entry, _ place: EntryPlace) {
        self.place(entry, place)
        tail.change { $0.append([entry]) }
    }

    private func place(_ entry: Entry, _ place: EntryPlace) {
        places.append(place)
        state.add(entry.id, entry.membership)
    }

    func entryID(before index: LogIndex) -> EntryID {
        let previous = index.previous
        guard previous > state.base.index else { return state.base }
        return EntryID(term: places[Int(previous.distance(from: state.base.index)) - 1].term, index: previous)
    }

    func truncate(from index: LogIndex, previous: EntryID) {
        let kept = Int(index.distance(from: state.base.index.next))
        if kept < places.count { places.removeLast(places.count - kept) }
        tail.change { $0.truncate(from: index) }
        state.truncate(from: index, previous: previous)
    }

    // MARK: Segments

    func flush() throws(LogFault) {
        guard buffer.count > 0 else { return }
        let file = current.file
        try io { () throws(FileFault) in try file.write(buffer.bytes, at: bufferStart) }
        bufferStart += buffer.count
        buffer.removeAll()
    }

    func syncSegment() throws(LogFault) {
        if !settings.isPlanted(.syncSkipped) {
            let file = current.file
            try io { () throws(FileFault) in try file.sync() }
        }
        syncedEnd = bufferStart
    }

    /// Durable with the next sync.
    func writeSlot() throws(LogFault) { try writeSlot(of: current, syncedEnd: syncedEnd) }

    /// - Parameter syncedEnd: The whole file says, of a sealed segment, that another one follows.
    private func writeSlot(of segment: Segment, syncedEnd: Int) throws(LogFault) {
        slotCounter += 1
        let slot = StatusSlot(counter: slotCounter, syncedEnd: syncedEnd, oldest: oldestNeeded, hardState: state.hardState)
        try io { () throws(FileFault) in try segment.file.write(slot.encode(nonce: segment.nonce), at: slot.offset) }
    }

    /// Ends the last segment and begins another. What the last one holds is on disk before the next one has a name.
    private func turnOver() throws(LogFault) {
        buffer.append(.seal, index: 0, term: 0, nonce: recordNonce(current.nonce), syncedBefore: syncedEnd, payloadByteCount: 0) { _ in }
        sealRecord(endsWrite: false)
        try flush()
        try syncSegment()
        let full = current
        try beginSegment(behind: full.sequence, end: bufferStart)
        try writeSlot(of: full, syncedEnd: full.file.byteCount)
    }

    /// - Parameters:
    ///   - previous: Sequence of the segment before; 0 if this is the first.
    ///   - end: Where that one's records end.
    func beginSegment(behind previous: UInt64, end: Int, sequence: UInt64? = nil) throws(LogFault) {
        if spare == nil { try makeSpare() }
        guard let file = spare.take() else { preconditionFailure("a spare was made a line above") }
        var carried = state
        if settings.isPlanted(.hardStateNotCarriedOver) { carried.hardState = HardState(term: .zero, vote: nil) }
        let header = SegmentHeader(
            identity: identity, sequence: sequence ?? previous + 1, nonce: nonces(), oldest: oldestNeeded, previousSequence: previous, previousEnd: end,
            state: carried)
        try io { () throws(FileFault) in
            try file.write(header.encode(), at: 0)
            if !settings.isPlanted(.segmentNotSyncedBeforeRename) { try file.sync() }
            try directory.rename(Self.spareName, to: header.name)
            if !settings.isPlanted(.directoryNotSynced) { try directory.sync() }
        }
        segments.append(Segment(sequence: header.sequence, name: header.name, nonce: header.nonce, file: file, lastBefore: state.lastID.index))
        chain = settings.isPlanted(.staleRecordAccepted) ? 0 : header.chain
        bufferStart = SegmentHeader.byteCount
        syncedEnd = bufferStart
    }

    func makeSpare() throws(LogFault) {
        spare = try io { () throws(FileFault) in try directory.create(Self.spareName, byteCount: settings.segmentByteCount) }
    }
}
