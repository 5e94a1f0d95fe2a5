@testable import Raft
import SimulatedDisk
import Testing

@testable import WriteAheadLog

@Suite("A log of which a part is gone")
struct LostPartsTests {
    private let disk = SimulatedDisk()
    private var settings = LogSettings()
    private var random = SplitMix(seed: 1)

    init() { settings.segmentByteCount = 20_480 }

    private mutating func open() throws -> (log: WriteAheadLog<SimulatedDirectory>, recovered: RecoveredLog) {
        var nonces = SplitMix(seed: random.next())
        return try WriteAheadLog.open(disk.open(), identity: LogIdentity(cluster: 1, node: 2), settings: settings, nonces: { nonces.next() })
    }

    /// A log with one large entry in each of its segments, and the mark that all of it is synced.
    private mutating func fill(_ indices: ClosedRange<UInt64>) throws -> WriteAheadLog<SimulatedDirectory> {
        let log = try open().log
        for index in indices {
            let entry = Entry(id: EntryID(term: Term(1), index: LogIndex(index)), body: .command(Command([UInt8](repeating: 1, count: 6_000))))
            try log.append([
                LogWrite(
                    sequence: WriteSequence(index), hardState: index == 1 ? HardState(term: Term(1), vote: NodeID(1)) : nil, reset: nil,
                    truncateFrom: nil, entries: [entry], commit: LogIndex(index - 1), endsRecovery: false),
            ])
        }
        _ = try log.sync()
        try log.mark()
        return log
    }

    private func names() throws -> [String] { try disk.open().names().sorted() }

    // MARK: The oldest segment

    private mutating func compactedLog() throws -> WriteAheadLog<SimulatedDirectory> {
        let log = try fill(1...6)
        try log.compact(before: LogIndex(4))
        #expect(log.segments.first?.sequence == 4)
        return log
    }

    @Test mutating func `the oldest segment is missed after a compaction too`() throws {
        let name = try compactedLog().segments[0].name
        disk.crash(.powerLosingAll, rng: &random)
        #expect(try open().recovered.compactedThrough.index == LogIndex(3))
        let directory = disk.open()
        try directory.remove(name)
        try directory.sync()
        var problem: LogProblem?
        do { _ = try open() } catch let thrown as LogProblem { problem = thrown }
        #expect(problem?.kind == .missingSegment)
    }

    @Test(arguments: [DiskOperation.rename, .remove, .syncDirectory], CrashMode.allCases)
    mutating func `segments that a compaction was about to drop are dropped by the next opening`(_ operation: DiskOperation, _ mode: CrashMode) throws {
        let log = try fill(1...6)
        disk.fail(operation)
        #expect(throws: LogFault.self) { try log.compact(before: LogIndex(4)) }
        disk.crash(mode, rng: &random)
        for _ in 0..<2 {
            let (log, recovered) = try open()
            #expect(recovered.compactedThrough.index == LogIndex(3) && recovered.lastIndex == LogIndex(6) && !recovered.isDamaged)
            #expect(log.segments.map(\.sequence) == [4, 5, 6])
            #expect(disk.visibleImage.files.filter { SegmentHeader.sequence(inName: $0.name) != nil }.count == 3)
            disk.crash(.powerLosingAll, rng: &random)
        }
    }

    @Test(arguments: StatusSlot.offsets)
    mutating func `a compacted log is whole without one of its marks`(_ offset: Int) throws {
        let log = try compactedLog()
        try log.mark()
        let name = try #require(log.segments.last?.name)
        disk.crash(.powerLosingAll, rng: &random)
        disk.zeroSector(offset / 4_096, sectorByteCount: 4_096, of: name)
        #expect(try open().recovered.compactedThrough.index == LogIndex(3))
    }

    // MARK: What lies behind damage

    /// Damages the record of an entry.
    private mutating func damage(_ log: WriteAheadLog<SimulatedDirectory>, segment: Int) {
        let name = log.segments[segment].name
        disk.crash(.powerKeepingAll, rng: &random)
        disk.flipBit(0, of: name, at: SegmentHeader.byteCount + Record.headerByteCount + 100)
    }

    @Test mutating func `segments behind damage are kept aside as they are, and the problem says where`() throws {
        let log = try fill(1...4)
        // The first record of the second one is damaged, so nothing of it is left either.
        let behind = log.segments[1...3].map(\.name)
        damage(log, segment: 1)
        let before = disk.image
        let recovered = try open().recovered
        #expect(recovered.isDamaged && recovered.lastIndex == LogIndex(1))
        for name in behind {
            #expect(disk.image.bytes(of: name) == nil)
            #expect(disk.image.bytes(of: name + ".damaged") == before.bytes(of: name))
            #expect(try #require(recovered.damage).contains("'\(name).damaged'"))
        }
        // Told once; the mark of damage stays.
        disk.crash(.powerLosingAll, rng: &random)
        let again = try open().recovered
        #expect(again.isDamaged && again.damage == nil && again.lastIndex == LogIndex(1))
        let kept = try names().filter { $0.hasSuffix(".damaged") }
        #expect(kept == behind.map { $0 + ".damaged" })
    }

    @Test(arguments: [DiskOperation.rename, .syncDirectory], 0..<3)
    mutating func `they are kept aside although the opening is killed on its way`(_ operation: DiskOperation, _ skips: Int) throws {
        let log = try fill(1...4)
        let behind = log.segments[1...3].map(\.name)
        damage(log, segment: 1)
        let before = disk.image
        disk.fail(operation, skipping: skips)
        do { _ = try open() } catch is LogProblem {}
        for mode in [CrashMode.process, .powerTearing4096] {
            disk.crash(mode, rng: &random)
            let recovered = try open().recovered
            #expect(recovered.isDamaged && recovered.lastIndex == LogIndex(1))
            for name in behind { #expect(disk.image.bytes(of: name + ".damaged") == before.bytes(of: name)) }
        }
    }

    @Test mutating func `not more is kept aside than was set`() throws {
        var last: UInt64 = 0
        for _ in 0..<4 {
            let log = try fill(last + 1...last + 4)
            damage(log, segment: log.segments.count - 3)
            let recovered = try open().recovered
            #expect(recovered.isDamaged && recovered.lastIndex > LogIndex(last))
            last = recovered.lastIndex.raw
            #expect(try names().filter { $0.hasSuffix(".damaged") }.count <= settings.setAsideMax)
        }
        #expect(try names().filter { $0.hasSuffix(".damaged") }.count == settings.setAsideMax)
    }

    // MARK: Marks

    @Test(arguments: StatusSlot.offsets, [512, 4_096])
    mutating func `a disk that loses a sector while it writes a mark takes neither the vote nor the beginning`(_ offset: Int, _ sector: Int) throws {
        let log = try fill(1...1)
        let vote = HardState(term: Term(5), vote: NodeID(2))
        let place = log.position
        try log.append([
            LogWrite(sequence: WriteSequence(2), hardState: vote, reset: nil, truncateFrom: nil, entries: [], commit: .zero, endsRecovery: false),
        ])
        _ = try log.sync()
        try log.mark()
        let name = log.segments[0].name
        disk.crash(.powerLosingAll, rng: &random)
        disk.zeroSector(offset / sector, sectorByteCount: sector, of: name)
        // And the record of the vote, so that only the other mark tells of it.
        disk.flipBit(0, of: name, at: place + Record.headerByteCount)
        #expect(try open().recovered.hardState == vote)
    }
}
