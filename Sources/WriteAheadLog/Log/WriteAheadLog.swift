package import Raft

/// The Raft log of one node on disk, with term and vote.
///
/// A chain of segments of one size, each full of checksummed records (see ``Record``), written at the end only and made durable by one sync
/// for everything that was appended since the last. A write is there after a crash as a whole or not at all. Segments that hold nothing the
/// node needs are used again. Recovery tells a write that a crash tore from damage to something that was durable: see `LogRecovery`.
/// Layout and rules: `reference/raft.md` §2.7, contracts C1 and C2.
///
/// Belongs to one thread at a time. After a ``LogFault`` the log is dead: every later call throws the same fault.
package final class WriteAheadLog<Directory: LogDirectory>: LogView {
    struct Segment {
        let sequence: UInt64
        let name: String
        let nonce: UInt64
        let file: Directory.File
        /// The last entry when it was begun.
        let lastBefore: LogIndex
    }

    /// The file that the next segment is made of.
    static var spareName: String { "spare.tmp" }

    let directory: Directory
    let identity: LogIdentity
    let settings: LogSettings
    let nonces: () -> UInt64

    var state = LogState()
    /// Of every entry after `state.base`, in order.
    var places = SlidingArray<EntryPlace>()
    /// The newest entries, which other threads may read.
    package let tail: LogTail
    /// Oldest first; records go to the last.
    var segments: [Segment] = []
    var spare: Directory.File?
    private(set) var fault: LogFault?

    /// Records that are encoded and not handed to the file system, and where in the segment they go.
    var buffer = RecordBuffer()
    var bufferStart = 0
    var chain: UInt32 = 0
    /// Everything of the last segment before that byte is on disk.
    var syncedEnd = 0
    var slotCounter: UInt64 = 0
    /// Sequence of the oldest segment that must be there, as every mark and every new segment's header says. A log whose oldest segment is
    /// gone would otherwise look like one that was compacted.
    var oldestNeeded: UInt64 = 1
    /// The newest write that waits for a sync.
    private var appended: WriteSequence?

    init(_ directory: Directory, identity: LogIdentity, settings: LogSettings, nonces: @escaping () -> UInt64) {
        self.directory = directory
        self.identity = identity
        self.settings = settings
        self.nonces = nonces
        tail = LogTail(byteCountMax: settings.cacheByteCount)
    }

    /// Opens the log of a directory, or begins one in an empty directory.
    ///
    /// - Parameter nonces: Random numbers: each makes one segment's records unlike those of every other.
    /// - Throws: ``LogProblem`` when a person has to decide. Nothing that could be of use is changed then.
    package static func open(
        _ directory: Directory, identity: LogIdentity, settings: LogSettings, nonces: @escaping () -> UInt64
    ) throws(LogProblem) -> (log: WriteAheadLog, recovered: RecoveredLog) {
        guard settings.segmentByteCount % 4_096 == 0, settings.payloadByteCountMax > 0 else {
            throw LogProblem(.settings, "the segment size must be a multiple of 4096 bytes and at least 16 KiB")
        }
        let log = WriteAheadLog(directory, identity: identity, settings: settings, nonces: nonces)
        return (log, try log.recover())
    }

    // MARK: Writing

    /// Hands writes, in the order of their sequences, to the file system. They are durable after the next ``sync()``.
    ///
    /// Compiled once more for the real file system: code for any directory would look up types and copy segments for every record.
    @specialized(where Directory == PosixLogDirectory)
    package func append(_ writes: [LogWrite]) throws(LogFault) {
        if let fault { throw fault }
        // What is refused here has not been begun: the log lives on.
        try makeRoom(for: writes)
        try living { () throws(LogFault) in
            for write in writes { try encode(write) }
            try flush()
            if writes.contains(where: { $0.hardState != nil }) { try writeSlot() }
        }
        if let last = writes.last { appended = last.sequence }
    }

    /// Makes everything appended durable.
    ///
    /// - Returns: Every write through this one is on disk. Nil when none was appended since the last time.
    package func sync() throws(LogFault) -> WriteSequence? {
        guard let appended else {
            if let fault { throw fault }
            return nil
        }
        try living { () throws(LogFault) in try syncSegment() }
        self.appended = nil
        return appended
    }

    /// Writes down, durably, how far the log is synced, so that damage to the last write is told from a write that a crash tore. For idle
    /// moments: under load each write proves that what lies before the ones it was synced with had been synced.
    package func mark() throws(LogFault) {
        try living { () throws(LogFault) in
            try writeSlot()
            try syncSegment()
        }
    }

    /// Whether another segment's worth of entries fits before more space is needed.
    package var hasRoom: Bool { spare != nil || position < capacity / 2 }

    /// Makes the next segment's file ahead of time, if there is room for it. For idle moments: it writes a whole segment of zeros.
    package func prepare() throws(LogFault) {
        if let fault { throw fault }
        guard spare == nil else { return }
        do throws(LogFault) {
            try makeSpare()
        } catch .noSpace {
            return // there is room in the last segment still, and perhaps space by the time it is full
        }
    }

    // MARK: Reading

    package func entries(from first: LogIndex, through last: LogIndex, byteCountMax: Int) -> [Entry]? {
        tail.entries(from: first, through: last, byteCountMax: byteCountMax)
    }

    /// Reads entries from `index` on back into memory, in place of those that were read back before.
    package func prefetch(from index: LogIndex) throws(LogFault) {
        if let fault { throw fault }
        guard index > state.base.index, index <= state.lastID.index else { return }
        try living { () throws(LogFault) in
            var entries: [Entry] = []
            var byteCount = 0
            var index = index
            while index <= state.lastID.index, byteCount < settings.prefetchByteCount {
                let entry = try read(index)
                byteCount += entry.byteCount
                entries.append(entry)
                index = index.next
            }
            tail.change { $0.keepFetched(entries) }
        }
    }

    private func read(_ index: LogIndex) throws(LogFault) -> Entry {
        let place = places[Int(index.distance(from: state.base.index)) - 1]
        guard let segment = segments.first(where: { $0.sequence == place.segment }) else {
            preconditionFailure("a segment stays as long as an entry of it is kept")
        }
        let bytes = try io { () throws(FileFault) in try segment.file.read(at: place.offset, byteCount: place.byteCount) }
        let entry: Entry? = bytes.withUnsafeBytes { bytes in
            guard let record = Record.read(at: 0, in: bytes, nonce: recordNonce(segment.nonce), startingAt: place.offset, settings) else { return nil }
            return EntryCoding.entry(record, record.payload(at: 0, in: bytes))
        }
        guard let entry, entry.index == index, entry.term == place.term else { throw .unreadable(index: index.raw) }
        return entry
    }

    // MARK: Compaction

    /// Drops whole segments whose entries all lie before `index`. The last segment stays.
    package func compact(before index: LogIndex) throws(LogFault) {
        if let fault { throw fault }
        let index = settings.isPlanted(.compactsOneTooFar) ? index.next : index
        // Of an entry at or behind the end nothing is known but that it comes into the last segment or a later one.
        let offset = index > state.base.index ? Int(index.distance(from: state.base.index)) - 1 : 0
        let needed = offset < places.count ? places[offset].segment : segments[segments.count - 1].sequence
        var count = segments.prefix { $0.sequence < needed }.count
        // The header of the segment that becomes the oldest must not end with an entry that was truncated afterwards.
        while count > 0, segments[count].lastBefore > lastIndex(before: segments[count]) { count -= 1 }
        let dropped = segments.prefix(count)
        guard !dropped.isEmpty else { return }
        try living { () throws(LogFault) in
            // First the word that they may be missing. The sync is also for the header of the new oldest segment, which stands for what
            // was before it: it must not tell of writes that a crash could still take.
            oldestNeeded = segments[dropped.count].sequence
            if !settings.isPlanted(.oldestNotMarked) { try writeSlot() }
            try syncSegment()
            try io { () throws(FileFault) in
                for segment in dropped {
                    if spare == nil, segment.file.byteCount == settings.segmentByteCount {
                        try directory.rename(segment.name, to: Self.spareName)
                        spare = segment.file
                    } else {
                        try directory.remove(segment.name)
                    }
                }
                try directory.sync()
            }
            // Into the other slot as well, so that damage to one does not make the log look as if segments were missing.
            if !settings.isPlanted(.oldestNotMarked) { try writeSlot() }
            segments.removeFirst(dropped.count)
            let first = segments[0].sequence
            let gone = places.prefixCount { $0.segment < first }
            let base = gone == 0 ? state.base : EntryID(term: places[gone - 1].term, index: state.base.index + gone)
            places.removeFirst(gone)
            state.moveBase(to: base)
            tail.change { $0.dropThrough(base.index) }
        }
    }

    /// The last entry that is kept in a segment before this one.
    private func lastIndex(before segment: Segment) -> LogIndex {
        state.base.index + places.prefixCount { $0.segment < segment.sequence }
    }

    // MARK: The end of it

    /// Runs `body` unless the log is dead; whatever it throws is the log's death.
    func living(_ body: () throws(LogFault) -> Void) throws(LogFault) {
        if let fault { throw fault }
        do throws(LogFault) {
            try body()
        } catch {
            fault = error
            throw error
        }
    }

    func io<Result>(_ body: () throws(FileFault) -> Result) throws(LogFault) -> Result {
        do throws(FileFault) {
            return try body()
        } catch {
            throw error == .noSpace ? .noSpace : .io(error)
        }
    }
}
