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
        guard let oldest = all.first else {
            try writing { () throws(LogFault) in try beginSegment(behind: 0, end: 0) }
            return recovered(wasTorn: false)
        }
        let chained = try link(all, from: oldest)
        state = oldest.header.state
        var cut = Cut(chain: firstChain(of: oldest))
        let end = walk(chained, &cut)
        state.moveBase(to: state.base)
        let slots = all.compactMap(\.slot)
        slotCounter = slots.map(\.counter).max() ?? 0
        let kept = chained[...cut.segment]
        segments = kept.map { Segment(sequence: $0.header.sequence, name: $0.name, nonce: $0.header.nonce, file: $0.file) }
        // The newest first, so that a crash in between leaves no gap.
        let givenUp = all.filter { found in !kept.contains { $0.name == found.name } }.map(\.name).reversed()

        try secure(chained[cut.segment], through: cut.offset)
        switch end {
        case .tail:
            try remove(Array(givenUp))
            chain = cut.chain
            bufferStart = cut.offset
            syncedEnd = cut.offset
            try writing { () throws(LogFault) in try writeSlot() }
        case .damage:
            state.isDamaged = true
            // A vote behind the damage must not be given twice; the slots remember the newest.
            if let newest = slots.max(by: { $0.counter < $1.counter })?.hardState, newest.term >= state.hardState.term { state.hardState = newest }
            let sequence = 1 + all[all.count - 1].header.sequence
            try writing { () throws(LogFault) in
                try beginSegment(behind: chained[cut.segment].header.sequence, end: cut.offset, sequence: sequence)
            }
            try remove(Array(givenUp))
        }
        return recovered(wasTorn: end == .tail(isTorn: true))
    }

    private func recovered(wasTorn: Bool) -> RecoveredLog {
        var recovered = RecoveredLog()
        recovered.hardState = state.hardState
        recovered.compactedThrough = state.base
        recovered.lastIndex = state.lastID.index
        var index = state.base.index
        for place in places {
            index = index.next
            if recovered.termRuns.last?.term != place.term { recovered.termRuns.append(TermRun(term: place.term, first: index)) }
        }
        recovered.memberships = state.memberships
        recovered.commit = min(state.commit, state.lastID.index)
        recovered.boundary = state.boundary
        recovered.isDamaged = state.isDamaged
        recovered.wasTorn = wasTorn
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
                return (file, try file.read(at: 0, byteCount: file.byteCount))
            }
            switch bytes.withUnsafeBytes({ SegmentHeader.read($0) }) {
            case .header(let header):
                guard header.identity == identity else {
                    throw LogProblem(.foreign, "the log in '\(name)' belongs to node \(header.identity.node) of cluster \(header.identity.cluster), "
                        + "not to node \(identity.node) of cluster \(identity.cluster); start the node with its own data directory")
                }
                found.append(FoundSegment(name: name, file: file, header: header, bytes: bytes))
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

    /// The segments that follow each other. Where two claim the same place, the newer was begun because the older was damaged.
    private func link(
        _ all: [FoundSegment<Directory.File>], from oldest: FoundSegment<Directory.File>
    ) throws(LogProblem) -> [FoundSegment<Directory.File>] {
        var chained = [oldest]
        while let next = all.last(where: { $0.header.previousSequence == chained[chained.count - 1].header.sequence && $0.header.sequence > chained[chained.count - 1].header.sequence }) {
            chained.append(next)
        }
        let last = chained[chained.count - 1].header.sequence
        if let stranger = all.first(where: { $0.header.sequence > last }) {
            throw LogProblem(
                .missingSegment, "the log has segment '\(stranger.name)' but not the one before it; put the missing file back, or remove the node from "
                    + "the cluster and let it join again under a new id")
        }
        return chained
    }

    /// Puts what was read on disk. After the death of the process alone it may be in the page cache and nowhere else; and if that process
    /// died of a failed sync, in pages that the kernel takes for clean. So it is written once more, from the last mark on.
    private func secure(_ segment: FoundSegment<Directory.File>, through end: Int) throws(LogProblem) {
        let start = segment.slot?.syncedEnd ?? SegmentHeader.byteCount
        try files { () throws(FileFault) in
            if start < end { try segment.file.write(Array(segment.bytes[start..<end]), at: start) }
            try segment.file.sync()
        }
    }

    private func remove(_ names: [String]) throws(LogProblem) {
        guard !names.isEmpty else { return }
        try files { () throws(FileFault) in
            for name in names { try directory.remove(name) }
            try directory.sync()
        }
    }

    private func files<Result>(_ body: () throws(FileFault) -> Result) throws(LogProblem) -> Result {
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
            throw LogProblem(error == .noSpace ? .noSpace : .io(errno: 5))
        }
    }
}

/// A segment as it was found.
struct FoundSegment<File: LogFile> {
    let name: String
    let file: File
    let header: SegmentHeader
    let bytes: [UInt8]

    var slot: StatusSlot? { bytes.withUnsafeBytes { StatusSlot.newest(in: $0, nonce: header.nonce) } }
}
