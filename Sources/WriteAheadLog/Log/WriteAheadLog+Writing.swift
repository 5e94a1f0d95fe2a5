import Raft

/// From writes to records, and from records to segments.
extension WriteAheadLog {
    /// Where the next record goes.
    var position: Int { bufferStart + buffer.count }
    private var current: Segment { segments[segments.count - 1] }
    /// Of the last segment, in bytes: it may be from a life with other settings.
    var capacity: Int { current.file.byteCount }
    private var segmentEnd: SegmentEnd {
        let current = current
        return SegmentEnd(
            sequence: current.sequence, seed: Record.seed(nonce: recordNonce(current.nonce)), capacity: current.file.byteCount,
            bufferStart: bufferStart, syncedEnd: syncedEnd)
    }

    func recordNonce(_ nonce: UInt64) -> UInt64 { settings.isPlanted(.staleRecordAccepted) ? 0 : nonce }

    /// Refuses what can never be written, and gets the file of a further segment before anything is.
    func makeRoom(for writes: [LogWrite]) throws(LogFault) {
        var byteCount = 0
        for write in writes {
            byteCount += 8 * Record.headerByteCount + (write.reset == nil ? 0 : 4_096)
            for position in write.entries.indices {
                let payload = EntryCoding.payloadByteCount(of: write.entries[position].body)
                guard payload <= settings.payloadByteCountMax + EntryCoding.commandPrefixByteCount else { throw .entryTooLarge(byteCount: payload) }
                byteCount += Record.byteCount(payload: payload)
            }
        }
        if position + byteCount + Record.headerByteCount > capacity, spare == nil { try makeSpare() }
    }

    func encode(_ write: LogWrite) throws(LogFault) {
        if let hardState = write.hardState {
            if !settings.isPlanted(.hardStateNotWritten) {
                try put(.hardState, EntryCoding.hardStateByteCount) { EntryCoding.append(hardState, to: &$0) }
            }
            state.hardState = hardState
        }
        if let meta = write.reset {
            if !settings.isPlanted(.resetNotWritten) {
                try put(.reset, index: meta.last.index.raw, term: meta.last.term.raw, EntryCoding.byteCount(of: meta)) {
                    EntryCoding.append(meta, to: &$0)
                }
            }
            state.reset(to: meta)
            places.removeAll()
            tail.change { $0.removeAll() }
        }
        if let index = write.truncateFrom {
            let previous = entryID(before: index)
            if !settings.isPlanted(.truncationForgotten) { try put(.truncate, index: index.raw, term: previous.term.raw) }
            truncate(from: index, previous: previous)
        }
        if !write.entries.isEmpty { try put(write.entries) }
        if write.endsRecovery {
            try put(.recoveryEnded)
            state.isDamaged = false
        }
        let commit = settings.isPlanted(.commitHintTooHigh) ? state.lastID.index : write.commit
        if commit > state.commit {
            try put(.commit, index: commit.raw)
            state.commit = commit
        }
        sealRecord(endsWrite: true)
    }

    /// Appends a record to the buffer, or to the next segment when this one is full.
    private func put(
        _ kind: Record.Kind, index: UInt64 = 0, term: UInt64 = 0, _ byteCount: Int = 0, _ payload: (inout PayloadWriter) -> Void = { _ in }
    ) throws(LogFault) {
        sealRecord(endsWrite: false)
        if !segmentEnd.hasRoom(for: Record.byteCount(payload: byteCount), at: position) { try turnOver() }
        if buffer.count >= Self.flushByteCount { try flush() }
        var writer = buffer.begin(kind, index: index, term: term, payloadByteCount: byteCount, in: segmentEnd)
        payload(&writer)
        buffer.finish(writer)
    }

    private func put(_ entries: [Entry]) throws(LogFault) {
        var rest = entries[...]
        while true {
            let count = buffer.append(rest, in: segmentEnd, after: &chain, byteCountMax: Self.flushByteCount, places: &places)
            state.add(rest.prefix(count))
            rest = rest.dropFirst(count)
            guard !rest.isEmpty else { break }
            sealRecord(endsWrite: false)
            if buffer.count >= Self.flushByteCount { try flush() } else { try turnOver() }
        }
        let byteCount = (places.count - entries.count..<places.count).reduce(0) { $0 + places[$1].byteCount }
        tail.change { $0.append(entries, byteCount: byteCount) }
    }

    private func sealRecord(endsWrite: Bool) { buffer.seal(endsWrite: endsWrite, after: &chain, segmentEnd.seed) }

    /// So much goes to the file system at once: it copies out of the processor's cache then what was just encoded.
    private static var flushByteCount: Int { 256 << 10 }

    // MARK: What the records mean

    func add(_ entry: Entry, _ place: EntryPlace) {
        places.append(place)
        state.add([entry])
        tail.change { $0.append([entry], byteCount: place.byteCount) }
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
        sealRecord(endsWrite: false)
        buffer.finish(buffer.begin(.seal, index: 0, term: 0, payloadByteCount: 0, in: segmentEnd))
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
        if settings.isPlanted(.hardStateNotCarriedOver) { state.hardState = HardState(term: .zero, vote: nil) }
        let header = SegmentHeader(
            identity: identity, sequence: sequence ?? previous + 1, nonce: nonces(), oldest: oldestNeeded, previousSequence: previous, previousEnd: end,
            state: state)
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
