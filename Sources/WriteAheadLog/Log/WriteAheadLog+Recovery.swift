import Raft

/// From what lies on the disk to a log that goes on (`reference/raft.md` §2.7). Doing it again after a crash inside it gives the same log.
extension WriteAheadLog {
    /// Behind the last whole write.
    struct Cut {
        var segment = 0
        var offset = SegmentHeader.byteCount
        var chain: UInt32
    }

    func recover() throws(LogProblem) -> RecoveredLog {
        let names = try files { () throws(FileFault) in try directory.names() }
        try takeSpare(names)
        let all = try readSegments(names)
        guard !all.isEmpty else {
            try writing { () throws(LogFault) in try beginSegment(behind: 0, end: 0) }
            return recovered(wasTorn: false)
        }
        let start = try oldestNeeded(of: all)
        let oldest = all[start]
        oldestNeeded = oldest.header.sequence
        let chained = try link(Array(all[start...]))
        state = oldest.header.state
        var cut = Cut(chain: firstChain(of: oldest))
        let end = try walk(chained, &cut)
        state.moveBase(to: state.base)
        let slots = all.compactMap(\.slot)
        slotCounter = slots.map(\.counter).max() ?? 0
        segments = chained[...cut.segment].map {
            Segment(sequence: $0.header.sequence, name: $0.name, nonce: $0.header.nonce, file: $0.file, lastBefore: $0.header.state.lastID.index)
        }
        // The newest first, so that a crash in between leaves no gap.
        let cutOff = Array(chained[(cut.segment + 1)...].map(\.name).reversed())
        // An earlier life was about to set them aside.
        let behindOlderDamage = Array(all[start...].filter { found in !chained.contains { $0.name == found.name } }.map(\.name).reversed())

        // A vote in damaged or torn records must not be given twice, and one before them not be taken back by an old slot. A vote that was on
        // its way and never answered for does no harm.
        for slot in slots where slot.hardState.isNewer(than: state.hardState) { state.hardState = slot.hardState }
        var damage: String?
        switch end {
        case .tail:
            if !cutOff.isEmpty { try forgetSuccessor(of: chained[cut.segment], syncedEnd: cut.offset) }
            // Without what follows it first: a segment with a successor must be whole to its end.
            try remove(cutOff)
            try secure(chained[cut.segment], through: cut.offset, erasesRest: true)
            chain = cut.chain
            bufferStart = cut.offset
            syncedEnd = cut.offset
            // Durably: the vote in it may have been read from a slot that never reached the disk.
            try writing { () throws(LogFault) in
                try writeSlot()
                try syncSegment()
            }
            try setAside(behindOlderDamage)
        case .missing:
            throw LogProblem(
                .missingSegment, "the newest segment of the log, the one after '\(chained[cut.segment].name)', is not there; \(Self.missingAdvice)")
        case .damage:
            try secure(chained[cut.segment], through: cut.offset, erasesRest: false)
            state.isDamaged = true
            let sequence = 1 + all[all.count - 1].header.sequence
            try writing { () throws(LogFault) in
                try beginSegment(behind: chained[cut.segment].header.sequence, end: cut.offset, sequence: sequence)
            }
            damage = Self.describe(chained[cut.segment].name, cut.offset, setAside: try setAside(cutOff + behindOlderDamage))
        }
        // An earlier life was about to drop them, and what says so is on disk by now.
        try remove(all[..<start].map(\.name))
        return recovered(wasTorn: end == .tail(isTorn: true), damage: damage)
    }

    private static var missingAdvice: String {
        "put the missing file back, or remove the node from the cluster and let it join again under a new id"
    }

    private static func describe(_ name: String, _ offset: Int, setAside names: [String]) -> String {
        let rest = names.isEmpty ? "" : "; the segments of that part are kept as " + names.map { "'\($0)'" }.joined(separator: ", ")
        return "the log is damaged behind byte \(offset) of '\(name)'" + rest + "; the node gets what is missing from the others"
    }

    private func recovered(wasTorn: Bool, damage: String? = nil) -> RecoveredLog {
        var recovered = RecoveredLog()
        recovered.hardState = state.hardState
        recovered.compactedThrough = state.base
        recovered.lastIndex = state.lastID.index
        var index = state.base.index
        for position in 0..<places.count {
            let place = places[position]
            index = index.next
            if recovered.termRuns.last?.term != place.term { recovered.termRuns.append(TermRun(term: place.term, first: index)) }
        }
        recovered.memberships = state.memberships
        recovered.commit = min(state.commit, state.lastID.index)
        recovered.boundary = state.boundary
        recovered.isDamaged = state.isDamaged
        recovered.wasTorn = wasTorn
        recovered.damage = damage
        return recovered
    }

    // MARK: Files

    /// The file of a next segment that an earlier life left, if it has the right size.
    private func takeSpare(_ names: [String]) throws(LogProblem) {
        guard names.contains(Self.spareName) else { return }
        try files { () throws(FileFault) in
            let file = try directory.open(Self.spareName)
            if file.byteCount == settings.segmentByteCount { spare = file } else { try directory.remove(Self.spareName) }
        }
    }

    /// Every segment, oldest first.
    private func readSegments(_ names: [String]) throws(LogProblem) -> [FoundSegment<Directory.File>] {
        var found: [FoundSegment<Directory.File>] = []
        for name in names.filter({ SegmentHeader.sequence(inName: $0) != nil }).sorted() {
            let (file, bytes) = try files { () throws(FileFault) in
                let file = try directory.open(name)
                return (file, try file.read(at: 0, byteCount: SegmentHeader.byteCount))
            }
            switch bytes.withUnsafeBytes({ SegmentHeader.read($0) }) {
            case .header(let header):
                guard header.sequence == SegmentHeader.sequence(inName: name) else {
                    throw LogProblem(.unreadableBeginning, "the log segment '\(name)' holds another segment; remove the node from the cluster and let it "
                        + "join again under a new id")
                }
                guard header.identity == identity else {
                    throw LogProblem(.foreign, "the log in '\(name)' belongs to node \(header.identity.node) of cluster \(header.identity.cluster), "
                        + "not to node \(identity.node) of cluster \(identity.cluster); start the node with its own data directory")
                }
                let slot = bytes.withUnsafeBytes { StatusSlot.newest(in: $0, nonce: header.nonce) }
                found.append(FoundSegment(name: name, file: file, header: header, slot: slot))
            case .unknownFormat(let version):
                throw LogProblem(.unknownFormat, "the log in '\(name)' has format \(version), which this version of the program does not know")
            case .unreadable:
                throw LogProblem(
                    .unreadableBeginning, "the beginning of the log segment '\(name)' is damaged, and with it the node's votes may be lost; remove "
                        + "the node from the cluster and let it join again under a new id")
            }
        }
        return found
    }

    /// Where in `all` the oldest segment is that the log needs, by the word of all segments. Those before it were about to be dropped.
    private func oldestNeeded(of all: [FoundSegment<Directory.File>]) throws(LogProblem) -> Int {
        let needed = all.reduce(0) { max($0, $1.header.oldest, $1.slot?.oldest ?? 0) }
        guard let start = all.firstIndex(where: { $0.header.sequence == needed }) else {
            throw LogProblem(.missingSegment, "the oldest segment of the log, number \(needed), is not there; \(Self.missingAdvice)")
        }
        return start
    }

    /// The segments that follow each other. Where two claim the same place, the newer was begun because the older was damaged.
    ///
    /// - Parameter all: Beginning with the oldest that is needed.
    private func link(_ all: [FoundSegment<Directory.File>]) throws(LogProblem) -> [FoundSegment<Directory.File>] {
        var chained = [all[0]]
        var last = all[0].header.sequence
        while let next = all.last(where: { $0.header.previousSequence == last && $0.header.sequence > last }) {
            chained.append(next)
            last = next.header.sequence
        }
        if let stranger = all.first(where: { $0.header.sequence > last }) {
            throw LogProblem(.missingSegment, "the log has segment '\(stranger.name)' but not the one before it; \(Self.missingAdvice)")
        }
        return chained
    }

    /// Puts what was read on disk. After the death of the process alone it may be in the page cache and nowhere else; and if that process
    /// died of a failed sync, in pages that the kernel takes for clean. So it is written once more, from the last mark on.
    ///
    /// - Parameter erasesRest: What was cut off is overwritten. Or it would hang in the chain again as soon as the same bytes as before
    ///   are written in place of the record that tore.
    private func secure(_ segment: FoundSegment<Directory.File>, through end: Int, erasesRest: Bool) throws(LogProblem) {
        let start = min(segment.slot?.syncedEnd ?? SegmentHeader.byteCount, end)
        try files { () throws(FileFault) in
            var bytes = try segment.file.read(at: start, byteCount: segment.file.byteCount - start)
            let rest = bytes.withUnsafeBytes { wholeRecords(from: end - start, in: $0, nonce: segment.header.nonce, startingAt: start).end }
            bytes.removeLast(bytes.count - (end - start))
            if erasesRest { bytes.append(contentsOf: repeatElement(0, count: max(0, rest - (end - start)))) }
            if !bytes.isEmpty { try segment.file.write(bytes, at: start) }
            try segment.file.sync()
        }
    }

    /// The segment's own word that there is another behind it would make the log look as if one were missing.
    private func forgetSuccessor(of segment: FoundSegment<Directory.File>, syncedEnd: Int) throws(LogProblem) {
        self.syncedEnd = min(segment.slot?.syncedEnd ?? SegmentHeader.byteCount, syncedEnd)
        try writing { () throws(LogFault) in try writeSlot() }
        try files { () throws(FileFault) in try segment.file.sync() }
    }

    /// Also puts on disk what an earlier life named and did not come to sync.
    private func remove(_ names: [String]) throws(LogProblem) {
        try files { () throws(FileFault) in
            for name in names { try directory.remove(name) }
            try directory.sync()
        }
    }

    /// Keeps what lay behind damage under names that no opening reads: it was durable once, and may be whole. The newest stay.
    ///
    /// - Parameter names: The newest first.
    /// - Returns: The new names of those that stay, oldest first.
    @discardableResult
    private func setAside(_ names: [String]) throws(LogProblem) -> [String] {
        guard !names.isEmpty else { return [] }
        let suffix = SegmentHeader.setAsideSuffix
        let kept = try files { () throws(FileFault) in
            for name in names { try directory.rename(name, to: name + suffix) }
            try directory.sync()
            let all = try directory.names().filter { $0.hasSuffix(suffix) }.sorted()
            for name in all.dropLast(settings.setAsideMax) { try directory.remove(name) }
            return all.suffix(settings.setAsideMax)
        }
        return kept.filter { names.contains(String($0.dropLast(suffix.count))) }
    }

    func files<Result>(_ body: () throws(FileFault) -> Result) throws(LogProblem) -> Result {
        do throws(FileFault) {
            return try body()
        } catch {
            throw LogProblem(error)
        }
    }

    private func writing(_ body: () throws(LogFault) -> Void) throws(LogProblem) {
        do throws(LogFault) {
            try body()
        } catch {
            // Opening writes no entry and reads none back, so nothing else can be thrown.
            if case .io(let fault) = error { throw LogProblem(fault) }
            throw LogProblem(.noSpace)
        }
    }
}

/// A segment as it was found.
struct FoundSegment<File: LogFile> {
    let name: String
    let file: File
    let header: SegmentHeader
    /// The newest that is whole.
    let slot: StatusSlot?
    /// Whether it was known, when the slot was written, that another segment has its name behind this one.
    var isFollowed: Bool { slot.map { $0.syncedEnd == file.byteCount } ?? false }
}

extension HardState {
    /// Whether it came after `other` in the life of one node: a vote is given once in a term.
    func isNewer(than other: HardState) -> Bool { term > other.term || (term == other.term && other.vote == nil && vote != nil) }
}
