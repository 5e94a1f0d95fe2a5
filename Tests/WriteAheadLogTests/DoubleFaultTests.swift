@testable import Raft
import SimulatedDisk
import Testing

@testable import WriteAheadLog

@Suite("What the log does where two things go wrong")
struct DoubleFaultTests {
    private let disk = SimulatedDisk()
    private var settings = LogSettings()
    private var random = SplitMix(seed: 1)

    init() { settings.segmentByteCount = 20_480 }

    private mutating func open() throws -> (log: WriteAheadLog<SimulatedDirectory>, recovered: RecoveredLog) {
        var nonces = SplitMix(seed: random.next())
        return try WriteAheadLog.open(disk.open(), identity: LogIdentity(cluster: 1, node: 2), settings: settings, nonces: { nonces.next() })
    }

    private func write(_ sequence: UInt64, _ indices: [UInt64] = [], payload: Int = 500, hardState: HardState? = nil) -> LogWrite {
        LogWrite(
            sequence: WriteSequence(sequence), hardState: hardState, reset: nil, truncateFrom: nil,
            entries: indices.map { index in
                Entry(id: EntryID(term: Term(1), index: LogIndex(index)), body: .command(Command([UInt8](repeating: UInt8(index % 251), count: payload))))
            }, commit: .zero, endsRecovery: false)
    }

    @Test mutating func `a segment that is used again under a name that was not synced takes no entry away`() throws {
        var (log, _) = try open()
        for i in 1...6 as ClosedRange<UInt64> {
            try log.append([write(i, [i], payload: 3_000, hardState: i == 1 ? HardState(term: Term(1), vote: NodeID(1)) : nil)])
            _ = try log.sync()
        }
        // Killed between the renaming of the dropped segment and the sync of the directory.
        let before = log.segments.count
        #expect(before >= 3)
        disk.fail(.syncDirectory)
        #expect(throws: LogFault.self) { try log.compact(before: LogIndex(3)) }
        disk.crash(.process, rng: &random)
        var recovered: RecoveredLog
        (log, recovered) = try open()
        #expect(recovered.lastIndex == LogIndex(6))
        // The next segment is made of the recycled file; its header is synced, then the power goes.
        disk.fail(.rename)
        #expect(throws: LogFault.self) {
            for i in 7...12 as ClosedRange<UInt64> {
                try log.append([write(i, [i], payload: 3_000)])
                _ = try log.sync()
            }
        }
        disk.crash(.powerLosingAll, rng: &random)
        (log, recovered) = try open()
        #expect(recovered.compactedThrough.index < LogIndex(3))
        #expect(recovered.lastIndex >= LogIndex(6))
        #expect(log.segments.count >= 2)
    }

    @Test mutating func `a vote that was synced survives damage to its record`() throws {
        let (log, _) = try open()
        try log.append([write(1, [1], hardState: HardState(term: Term(1), vote: nil))])
        _ = try log.sync()
        try log.mark()
        let place = log.bufferStart
        try log.append([write(2, [], hardState: HardState(term: Term(5), vote: NodeID(2)))])
        _ = try log.sync()
        let name = log.segments[log.segments.count - 1].name
        disk.crash(.powerLosingAll, rng: &random)
        disk.flipBit(0, of: name, at: place + Record.headerByteCount)
        let (_, recovered) = try open()
        #expect(recovered.isDamaged || recovered.hardState == HardState(term: Term(5), vote: NodeID(2)), "\(recovered.hardState)")
    }

    @Test mutating func `a vote that is read from a mark is on the disk before anybody hears of it`() throws {
        let (log, _) = try open()
        try log.append([write(1, [1], hardState: HardState(term: Term(1), vote: nil))])
        _ = try log.sync()
        disk.fail(.syncFile)
        try log.append([write(2, [], hardState: HardState(term: Term(2), vote: NodeID(2)))])
        #expect(throws: LogFault.self) { try log.sync() }
        disk.crash(.process, rng: &random)
        let heard = try open().recovered.hardState
        disk.crash(.powerLosingAll, rng: &random)
        #expect(try open().recovered.hardState == heard)
    }

    @Test mutating func `no room for a spare does not kill a log that has room`() throws {
        disk.byteCountMax = 20_480
        let (log, _) = try open()
        try log.append([write(1, [1], payload: 5_000, hardState: HardState(term: Term(1), vote: nil))])
        _ = try log.sync()
        #expect(!log.hasRoom)
        // As LogThread.perform does.
        try? log.prepare()
        #expect(throws: Never.self) { try log.append([write(2, [2], payload: 100)]) }
    }

    @Test mutating func `the longest command fits`() throws {
        let (log, _) = try open()
        #expect(throws: Never.self) {
            try log.append([write(1, [1], payload: settings.payloadByteCountMax, hardState: HardState(term: Term(1), vote: nil))])
        }
    }
}
