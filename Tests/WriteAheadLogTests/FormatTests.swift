@testable import Raft
import SimulatedDisk
import Testing

@testable import WriteAheadLog

@Suite("The log's format")
struct FormatTests {
    @Test func `the checksum is the Castagnoli CRC`() {
        func crc(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { CRC32C.of($0) } }
        // RFC 3720, B.4, and the usual check value.
        #expect(crc(Array("123456789".utf8)) == 0xE306_9283)
        #expect(crc([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(crc([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(crc(Array(0..<32)) == 0x46DD_794E)
        // Through the lengths at which the instruction takes in several stretches at a time.
        for count in Array(0..<100) + Array(stride(from: 100, to: 3_000, by: 37)) + [767, 768, 769, 1_536] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 8) }
            #expect(bytes.withUnsafeBytes { ~CRC32C.byTables(~0, $0) } == crc(bytes))
            var copy = [UInt8](repeating: 0, count: count)
            var copying = CRC32C()
            bytes.withUnsafeBytes { bytes in copy.withUnsafeMutableBytes { copying.update(bytes, copyingTo: $0) } }
            #expect(copying.value == crc(bytes) && copy == bytes)
        }
        for split in 0...9 {
            var parts = CRC32C()
            Array("123456789".utf8.prefix(split)).withUnsafeBytes { parts.update($0) }
            Array("123456789".utf8.dropFirst(split)).withUnsafeBytes { parts.update($0) }
            #expect(parts.value == 0xE306_9283)
        }
    }

    private static func written(_ writes: [LogWrite]) throws -> (bytes: [UInt8], name: String, end: Int) {
        let disk = SimulatedDisk()
        var settings = LogSettings()
        settings.segmentByteCount = 20_480
        var nonce: UInt64 = 0x0102_0304_0506_0708
        let (log, _) = try WriteAheadLog.open(disk.open(), identity: LogIdentity(cluster: 1, node: 2), settings: settings) {
            nonce += 1
            return nonce
        }
        try log.append(writes)
        _ = try log.sync()
        let segment = try #require(log.segments.last)
        return (try segment.file.read(at: 0, byteCount: 20_480), segment.name, log.bufferStart)
    }

    /// A change of the format must change ``SegmentHeader``'s version, and this value.
    @Test func `the bytes of a log do not change by accident`() throws {
        let membership = Membership(voters: [NodeID(1), NodeID(2)], outgoing: [NodeID(3)], learners: [NodeID(4)], generation: 5, featureLevel: 1)
        let meta = SnapshotMeta(
            image: SnapshotImage(last: EntryID(term: Term(1), index: LogIndex(4)), fingerprint: 9), membership: membership,
            membershipIndex: LogIndex(3), byteCount: 100, contentHash: [1, 2, 3])
        let writes = [
            LogWrite(
                sequence: WriteSequence(1), hardState: HardState(term: Term(2), vote: NodeID(1)), reset: meta, truncateFrom: nil,
                entries: [
                    Entry(id: EntryID(term: Term(2), index: LogIndex(5)), body: .noop),
                    Entry(id: EntryID(term: Term(2), index: LogIndex(6)), body: .command(Command([1, 2, 3], onlyIfTerm: Term(2), featureLevel: 1))),
                    Entry(id: EntryID(term: Term(2), index: LogIndex(7)), body: .membership(membership)),
                ], commit: LogIndex(5), endsRecovery: true),
            LogWrite(
                sequence: WriteSequence(2), hardState: nil, reset: nil, truncateFrom: LogIndex(7), entries: [], commit: LogIndex(6),
                endsRecovery: false),
        ]
        let (bytes, name, end) = try Self.written(writes)
        #expect(name == "0000000000000001-0000000000000001.wal")
        #expect(end == 12_872)
        #expect(bytes.withUnsafeBytes { CRC32C.of($0) } == 3_496_746_851)
    }

    @Test func `a header is read back as it was written, and not at all with one bit changed`() throws {
        var state = LogState()
        state.hardState = HardState(term: Term(3), vote: nil)
        state.lastID = EntryID(term: Term(2), index: LogIndex(9))
        state.base = state.lastID
        state.memberships = [MembershipRecord(index: LogIndex(1), membership: Membership(voters: [NodeID(1)]))]
        let header = SegmentHeader(
            identity: LogIdentity(cluster: 1, node: 2), sequence: 4, nonce: 5, oldest: 2, previousSequence: 3, previousEnd: 9_000, state: state)
        var bytes = header.encode()
        #expect(bytes.count == SegmentHeader.byteCount)
        #expect(bytes.withUnsafeBytes { SegmentHeader.read($0) } == .header(header))
        let length = Int(bytes[12]) + 4
        for place in 0..<length {
            bytes[place] ^= 0x10
            #expect(bytes.withUnsafeBytes { SegmentHeader.read($0) } != .header(header), "byte \(place)")
            bytes[place] ^= 0x10
        }
    }
}

@Suite("Logs that are not opened, and logs that die")
struct RefusalTests {
    private var settings: LogSettings {
        var settings = LogSettings()
        settings.segmentByteCount = 20_480
        return settings
    }

    private func open(_ disk: SimulatedDisk, node: UInt64 = 2) throws -> WriteAheadLog<SimulatedDirectory> {
        try WriteAheadLog.open(disk.open(), identity: LogIdentity(cluster: 1, node: node), settings: settings, nonces: { 7 }).log
    }

    private func entry(_ index: UInt64, _ byteCount: Int = 4_000) -> LogWrite {
        LogWrite(
            sequence: WriteSequence(index), hardState: nil, reset: nil, truncateFrom: nil,
            entries: [Entry(id: EntryID(term: .zero, index: LogIndex(index)), body: .command(Command([UInt8](repeating: 1, count: byteCount))))],
            commit: .zero, endsRecovery: false)
    }

    private func kind(_ body: () throws -> Void) -> LogProblem.Kind? {
        do {
            try body()
            return nil
        } catch {
            return (error as? LogProblem)?.kind
        }
    }

    @Test func `another node's log is refused`() throws {
        let disk = SimulatedDisk()
        _ = try open(disk)
        #expect(kind { _ = try open(disk, node: 3) } == .foreign)
        _ = try open(disk)
    }

    @Test(arguments: 0..<4)
    func `a missing segment is refused, and found again when it comes back`(_ number: Int) throws {
        let disk = SimulatedDisk()
        let log = try open(disk)
        for index in 1...10 as ClosedRange<UInt64> { try log.append([entry(index)]) }
        _ = try log.sync()
        #expect(log.segments.count > 4)
        let names = log.segments.map(\.name)
        let directory = disk.open()
        try directory.rename(names[number], to: "elsewhere")
        #expect(kind { _ = try open(disk) } == .missingSegment)
        try disk.open().rename("elsewhere", to: names[number])
        let again = try open(disk)
        #expect(again.state.lastID.index == LogIndex(10))
    }

    @Test func `a damaged beginning is refused, because the votes may be gone`() throws {
        let disk = SimulatedDisk()
        let name = try #require(open(disk).segments.last?.name)
        disk.flipBit(3, of: name, at: 30)
        #expect(kind { _ = try open(disk) } == .unreadableBeginning)
    }

    @Test func `a failure is the end: every later call tells the same`() throws {
        let disk = SimulatedDisk()
        let log = try open(disk)
        disk.fail(.syncFile, with: .io(errno: 5))
        try log.append([entry(1)])
        let fault = LogFault.io(.io(errno: 5))
        #expect(throws: fault) { try log.sync() }
        #expect(throws: fault) { try log.sync() }
        #expect(throws: fault) { try log.append([entry(2)]) }
        #expect(throws: fault) { try log.compact(before: LogIndex(1)) }
        #expect(throws: fault) { try log.prefetch(from: LogIndex(1)) }
    }

    @Test func `a full disk refuses before anything of a write is done`() throws {
        let disk = SimulatedDisk()
        let log = try open(disk)
        disk.byteCountMax = 20_480
        try log.append([entry(1)])
        _ = try log.sync()
        #expect(throws: LogFault.noSpace) { try log.append([entry(2), entry(3)]) }
        let again = try open(disk)
        #expect(again.state.lastID.index == LogIndex(1))
    }

    @Test func `an entry that fits no segment is refused`() throws {
        let log = try open(SimulatedDisk())
        let most = settings.payloadByteCountMax
        try log.append([entry(1, most)])
        #expect(throws: LogFault.entryTooLarge(byteCount: most + 1 + EntryCoding.commandPrefixByteCount)) { try log.append([entry(2, most + 1)]) }
    }

    @Test func `segments are used again, so a log that is compacted takes no more space`() throws {
        let disk = SimulatedDisk()
        let log = try open(disk)
        for index in 1...200 as ClosedRange<UInt64> {
            try log.append([entry(index)])
            _ = try log.sync()
            if index > 5 { try log.compact(before: LogIndex(index - 5)) }
        }
        #expect(log.segments.count <= 4)
        #expect(try disk.open().names().count <= 5)
        let again = try open(disk)
        #expect(again.state.lastID.index == LogIndex(200) && again.state.base.index >= LogIndex(190))
    }

    @Test func `older entries are read back, and the newest are in memory`() throws {
        var settings = settings
        settings.cacheByteCount = 10_000
        let (log, _) = try WriteAheadLog.open(SimulatedDisk().open(), identity: LogIdentity(cluster: 1, node: 2), settings: settings, nonces: { 7 })
        for index in 1...20 as ClosedRange<UInt64> { try log.append([entry(index)]) }
        func has(_ index: UInt64) -> Bool { log.entries(from: LogIndex(index), through: LogIndex(20), byteCountMax: 1)?.first?.index == LogIndex(index) }
        #expect(has(20) && has(19) && !has(5))
        try log.prefetch(from: LogIndex(5))
        #expect(has(5) && has(20))
        #expect(log.entries(from: LogIndex(5), through: LogIndex(7), byteCountMax: .max)?.map(\.index.raw) == [5, 6, 7])
        #expect(log.entries(from: LogIndex(21), through: LogIndex(30), byteCountMax: .max) == nil)
    }
}
