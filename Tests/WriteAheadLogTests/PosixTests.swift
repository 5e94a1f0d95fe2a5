import Foundation
@testable import Raft
import Synchronization
import Testing

@testable import WriteAheadLog

@Suite("The log on a real file system", .timeLimit(.minutes(1)))
struct PosixTests {
    private let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("wal-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    private func open(segmentByteCount: Int = 65_536) throws -> (log: WriteAheadLog<PosixLogDirectory>, recovered: RecoveredLog) {
        var settings = LogSettings()
        settings.segmentByteCount = segmentByteCount
        return try WriteAheadLog.open(
            PosixLogDirectory(path: path), identity: LogIdentity(cluster: 1, node: 2), settings: settings, nonces: { .random(in: 0 ... .max) })
    }

    private func write(_ index: UInt64) -> LogWrite {
        LogWrite(
            sequence: WriteSequence(index), hardState: index == 1 ? HardState(term: Term(1), vote: NodeID(2)) : nil, reset: nil, truncateFrom: nil,
            entries: [Entry(id: EntryID(term: Term(1), index: LogIndex(index)), body: .command(Command([UInt8](repeating: 7, count: 500))))],
            commit: LogIndex(index - 1), endsRecovery: false)
    }

    @Test func `a log is there when it is opened again`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        for life in 0..<4 as Range<UInt64> {
            let (log, recovered) = try open()
            #expect(recovered.lastIndex == LogIndex(life * 300))
            if life > 0 { #expect(recovered.hardState == HardState(term: Term(1), vote: NodeID(2))) }
            for index in life * 300 + 1...(life + 1) * 300 { try log.append([write(index)]) }
            #expect(try log.sync() == WriteSequence((life + 1) * 300))
            try log.compact(before: LogIndex(life * 300))
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            let attributes = try FileManager.default.attributesOfItem(atPath: path + "/" + name)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(attributes[.size] as? Int == 65_536)
        }
    }

    /// It goes to the file system in several pieces.
    @Test func `a write of many entries of all lengths is there as a whole`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let entries = (1...3_000 as ClosedRange<UInt64>).map { index in
            let payload = (0..<Int(index * 7 % 1_000)).map { UInt8(truncatingIfNeeded: Int(index) &+ $0) }
            return Entry(id: EntryID(term: Term(1), index: LogIndex(index)), body: .command(Command(payload)))
        }
        do {
            let log = try open(segmentByteCount: 1 << 20).log
            try log.append([
                LogWrite(sequence: WriteSequence(1), hardState: nil, reset: nil, truncateFrom: nil, entries: entries, commit: .zero, endsRecovery: false),
            ])
            #expect(try log.sync() == WriteSequence(1))
            #expect(log.segments.count == 2)
        }
        let (log, recovered) = try open(segmentByteCount: 1 << 20)
        #expect(recovered.lastIndex == LogIndex(3_000) && !recovered.isDamaged && !recovered.wasTorn)
        #expect(log.entries(from: LogIndex(1), through: LogIndex(3_000), byteCountMax: .max) == entries)
    }

    @Test func `a directory belongs to one log`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = try open()
        #expect(throws: FileFault.self) { try open() }
        withExtendedLifetime(first) {}
    }

    @Test func `the thread writes in groups, tells what is durable in order, and finishes what it has`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let durable = Mutex<[UInt64]>([])
        do {
            let thread = LogThread(try open().log) { event in
                if case .durable(let sequence) = event { durable.withLock { $0.append(sequence.raw) } }
            }
            for index in 1...2_000 as ClosedRange<UInt64> { #expect(thread.submit(write(index))) }
            thread.close()
            #expect(!thread.submit(write(2_001)))
            #expect(thread.tail.entries(from: LogIndex(2_000), through: LogIndex(2_000), byteCountMax: 1)?.count == 1)
        }
        let told = durable.withLock { $0 }
        #expect(told.last == 2_000 && told == told.sorted() && told.count < 2_000)
        #expect(try open().recovered.lastIndex == LogIndex(2_000))
    }

    @Test func `the thread refuses more than it may hold, and tells when the log dies`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let faults = Mutex<[LogFault]>([])
        let thread = LogThread(try open().log, byteCountMax: 10_000) { event in
            if case .failed(let fault) = event { faults.withLock { $0.append(fault) } }
        }
        let tooLarge = LogWrite(
            sequence: WriteSequence(1), hardState: nil, reset: nil, truncateFrom: nil,
            entries: [Entry(id: EntryID(term: Term(1), index: LogIndex(1)), body: .command(Command([UInt8](repeating: 7, count: 100_000))))],
            commit: .zero, endsRecovery: false)
        #expect(thread.submit(tooLarge))
        var refused = false
        for index in 2...1_000 as ClosedRange<UInt64> where !thread.submit(write(index)) { refused = true }
        thread.close()
        #expect(refused)
        #expect(faults.withLock { $0 } == [.entryTooLarge(byteCount: 100_016)])
    }
}
