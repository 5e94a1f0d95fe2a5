@testable import Raft
import SimulatedDisk
import Testing

@testable import WriteAheadLog

@Suite("What opening a log makes sure of")
struct RecoveryTests {
    private let disk = SimulatedDisk()
    private var settings = LogSettings()
    private var random = SplitMix(seed: 1)

    init() { settings.segmentByteCount = 20_480 }

    private mutating func open(segmentByteCount: Int = 20_480) throws -> (log: WriteAheadLog<SimulatedDirectory>, recovered: RecoveredLog) {
        settings.segmentByteCount = segmentByteCount
        var nonces = SplitMix(seed: random.next())
        return try WriteAheadLog.open(disk.open(), identity: LogIdentity(cluster: 1, node: 2), settings: settings, nonces: { nonces.next() })
    }

    private func write(
        _ sequence: UInt64, _ indices: [UInt64] = [], payload: Int = 500, hardState: HardState? = nil, commit: UInt64 = 0
    ) -> LogWrite {
        LogWrite(
            sequence: WriteSequence(sequence), hardState: hardState, reset: nil, truncateFrom: nil,
            entries: indices.map { index in
                Entry(id: EntryID(term: Term(1), index: LogIndex(index)), body: .command(Command([UInt8](repeating: UInt8(index % 251), count: payload))))
            }, commit: LogIndex(commit), endsRecovery: false)
    }

    @Test mutating func `a removal that a killed process did not sync does not come back into the log`() throws {
        var (log, recovered) = try open()
        try log.append([write(1, [1], payload: 3_000)])
        _ = try log.sync()
        try log.append([write(2, [2, 3], payload: 3_000)])
        disk.crash(.powerLosingAll, rng: &random)
        // Killed between the removal of the half write's second segment and the sync of the directory.
        disk.fail(.syncDirectory)
        #expect(throws: LogProblem.self) { _ = try open() }
        disk.crash(.process, rng: &random)
        (log, recovered) = try open()
        #expect(recovered.lastIndex == LogIndex(1))
        try log.append([write(1, [2], payload: 1_000)])
        try log.append([write(2, [3], payload: 100)])
        #expect(try log.sync() == WriteSequence(2))
        disk.crash(.powerLosingAll, rng: &random)
        (log, recovered) = try open()
        #expect(recovered.lastIndex == LogIndex(3) && !recovered.isDamaged)
    }

    @Test mutating func `the segment begun behind damage is on disk before anything in it counts`() throws {
        var (log, recovered) = try open()
        try log.append([write(1, [1, 2])])
        _ = try log.sync()
        let damaged = log.position
        try log.append([write(2, [3])])
        _ = try log.sync()
        try log.append([write(3, [4])])
        _ = try log.sync()
        disk.crash(.powerKeepingAll, rng: &random)
        disk.flipBit(0, of: log.segments[0].name, at: damaged + Record.headerByteCount)
        // Killed between the naming of the new segment and the sync of the directory.
        disk.fail(.syncDirectory)
        #expect(throws: LogProblem.self) { _ = try open() }
        disk.crash(.process, rng: &random)
        (log, recovered) = try open()
        #expect(recovered.isDamaged && recovered.lastIndex == LogIndex(2))
        try log.append([write(1, [3], hardState: HardState(term: Term(9), vote: NodeID(1)))])
        #expect(try log.sync() == WriteSequence(1))
        disk.crash(.powerLosingAll, rng: &random)
        (log, recovered) = try open()
        #expect(recovered.lastIndex == LogIndex(3) && recovered.hardState.term == Term(9))
    }

    @Test mutating func `the log does not begin at an entry that was truncated`() throws {
        var (log, recovered) = try open()
        try log.append([write(1, [1, 2, 3], payload: 1_000, commit: 1)])
        // Sealed by an entry that does not fit; its segment's header says that the log ends at 3.
        try log.append([write(2, [4], payload: 6_000)])
        _ = try log.sync()
        #expect(log.segments.count == 2)
        let start = log.position
        var other = write(3)
        other.truncateFrom = LogIndex(3)
        other.entries = [Entry(id: EntryID(term: Term(2), index: LogIndex(3)), body: .noop)]
        other.commit = LogIndex(3)
        try log.append([other])
        _ = try log.sync()
        try log.mark()
        try log.compact(before: LogIndex(3))
        // So the one before it stays, although nothing in it is needed.
        #expect(log.segments.count == 2)
        disk.crash(.powerKeepingAll, rng: &random)
        disk.flipBit(0, of: log.segments[1].name, at: start + 8)
        (log, recovered) = try open()
        #expect(recovered.isDamaged)
        // 2 was compacted away. 3 of term 1 was never committed.
        #expect(recovered.compactedThrough.index <= LogIndex(2))
    }

    #if CONCLAVE_MUTANTS
    @Test(arguments: [nil, PlantedLogFault.chainNotChecked])
    mutating func `a record that a misdirected write put in the place of another is not taken`(_ fault: PlantedLogFault?) throws {
        settings.plantedFault = fault
        var (log, recovered) = try open()
        var places: [Int] = []
        for term in 1...4 as ClosedRange<UInt64> {
            places.append(log.position)
            try log.append([write(term, hardState: HardState(term: Term(term), vote: nil))])
            _ = try log.sync()
        }
        let name = log.segments[0].name
        disk.crash(.powerKeepingAll, rng: &random)
        let file = try disk.open().open(name)
        try file.write(try file.read(at: places[0], byteCount: places[1] - places[0]), at: places[2])
        try file.sync()
        (log, recovered) = try open()
        #expect(recovered.isDamaged == (fault == nil))
        if fault == nil { #expect(recovered.hardState.term == Term(4)) }
    }
    #endif

    @Test mutating func `a newest segment that is gone is missed`() throws {
        let log = try open().log
        for index in 1...2 as ClosedRange<UInt64> { try log.append([write(index, [index], payload: 7_000, hardState: HardState(term: Term(index), vote: nil))]) }
        _ = try log.sync()
        try log.mark()
        #expect(log.segments.count == 2)
        let name = log.segments[1].name
        disk.crash(.powerKeepingAll, rng: &random)
        let directory = disk.open()
        try directory.remove(name)
        try directory.sync()
        disk.crash(.process, rng: &random)
        #expect(throws: LogProblem.self) { _ = try open() }
    }

    @Test mutating func `what was cut off does not come back when the same entry is written in its place`() throws {
        var (log, recovered) = try open()
        try log.append([write(1, [1])])
        _ = try log.sync()
        let start = log.position
        try log.append([write(2, [2])])
        try log.append([write(3, [3])])
        disk.crash(.powerKeepingAll, rng: &random)
        // As if the medium had lost the first of the two writes.
        disk.flipBit(0, of: log.segments[0].name, at: start + Record.headerByteCount)
        (log, recovered) = try open()
        #expect(recovered.lastIndex == LogIndex(1) && recovered.wasTorn && !recovered.isDamaged)
        try log.append([write(1, [2])])
        _ = try log.sync()
        disk.crash(.powerLosingAll, rng: &random)
        (log, recovered) = try open()
        #expect(recovered.lastIndex == LogIndex(2) && !recovered.isDamaged)
    }

    @Test mutating func `half a write over two segments is cut off, and the segment before goes on`() throws {
        var (log, recovered) = try open()
        try log.append([write(1, [1], payload: 3_000)])
        _ = try log.sync()
        try log.append([write(2, [2, 3], payload: 3_000)])
        #expect(log.segments.count == 2)
        disk.crash(.powerLosingAll, rng: &random)
        for life in 0..<3 {
            (log, recovered) = try open()
            #expect(recovered.lastIndex == LogIndex(1) && !recovered.isDamaged && recovered.wasTorn == (life == 0))
            #expect(log.segments.count == 1)
            disk.crash(.powerLosingAll, rng: &random)
        }
        (log, recovered) = try open()
        try log.append([write(1, [2, 3], payload: 3_000)])
        _ = try log.sync()
        disk.crash(.powerLosingAll, rng: &random)
        (log, recovered) = try open()
        #expect(recovered.lastIndex == LogIndex(3) && !recovered.isDamaged)
    }

    @Test mutating func `a vote before the damage is not taken back by an older mark`() throws {
        var (log, recovered) = try open()
        try log.append([write(1, hardState: HardState(term: Term(5), vote: nil))])
        _ = try log.sync()
        let vote = HardState(term: Term(5), vote: NodeID(2))
        try log.append([write(2, hardState: vote)])
        _ = try log.sync()
        let damaged = log.position
        try log.append([write(3, [1])])
        _ = try log.sync()
        _ = try log.append([write(4, [2])])
        _ = try log.sync()
        disk.crash(.powerKeepingAll, rng: &random)
        let name = log.segments[0].name
        // Both marks that tell of the vote go, and a mark from before it is put back.
        let slot = StatusSlot(counter: 2, syncedEnd: damaged + 8, oldest: 1, hardState: HardState(term: Term(5), vote: nil))
        let file = try disk.open().open(name)
        for offset in StatusSlot.offsets { try file.write([UInt8](repeating: 0, count: 64), at: offset) }
        try file.write(slot.encode(nonce: log.segments[0].nonce), at: slot.offset)
        try file.sync()
        disk.flipBit(0, of: name, at: damaged + Record.headerByteCount)
        (log, recovered) = try open()
        #expect(recovered.isDamaged && recovered.lastIndex == .zero)
        #expect(recovered.hardState == vote)
    }

    @Test(arguments: [16_384, 20_480, 65_536])
    mutating func `the size of segments may change between two lives`(_ newSize: Int) throws {
        var (log, recovered) = try open(segmentByteCount: 20_480)
        for index in 1...20 as ClosedRange<UInt64> { try log.append([write(index, [index])]) }
        _ = try log.sync()
        (log, recovered) = try open(segmentByteCount: newSize)
        #expect(recovered.lastIndex == LogIndex(20))
        for index in 21...200 as ClosedRange<UInt64> {
            try log.append([write(index, [index])])
            _ = try log.sync()
            try log.compact(before: LogIndex(index - 4))
        }
        #expect(log.segments.allSatisfy { $0.file.byteCount == newSize })
        (log, recovered) = try open(segmentByteCount: newSize)
        #expect(recovered.lastIndex == LogIndex(200) && !recovered.isDamaged)
    }
}
