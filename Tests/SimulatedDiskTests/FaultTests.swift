@testable import SimulatedDisk
import Testing
import WriteAheadLog

/// Calls that fail, and damage that nobody reports.
struct FaultTests {
    private func disk() throws -> (SimulatedDisk, SimulatedDirectory, SimulatedFile) {
        let disk = SimulatedDisk()
        let directory = disk.open()
        let file = try directory.create("log", byteCount: 8_192)
        try file.write([UInt8](repeating: 1, count: 8_192), at: 0)
        try file.sync()
        try directory.sync()
        return (disk, directory, file)
    }

    /// Calls one operation of each kind.
    private func call(_ operation: DiskOperation, _ directory: SimulatedDirectory, _ file: SimulatedFile) throws(FileFault) {
        switch operation {
        case .list: _ = try directory.names()
        case .create: _ = try directory.create("more", byteCount: 1)
        case .open: _ = try directory.open("log")
        case .rename: try directory.rename("log", to: "gol")
        case .remove: try directory.remove("log")
        case .syncDirectory: try directory.sync()
        case .read: _ = try file.read(at: 0, byteCount: 1)
        case .write: try file.write([2], at: 0)
        case .syncFile: try file.sync()
        }
    }

    @Test("the call that was chosen fails, once, and no other", arguments: DiskOperation.allCases)
    func plannedFailure(operation: DiskOperation) throws {
        let (disk, directory, file) = try disk()
        let before = try directory.names()
        disk.fail(operation, with: .io(errno: 5))
        for other in [DiskOperation.list, .read, .syncFile, .write] where other != operation { try call(other, directory, file) }
        #expect(throws: FileFault.io(errno: 5)) { try call(operation, directory, file) }
        #expect(try directory.names() == before)
        #expect(throws: Never.self) { try call(operation, directory, file) }
        #expect(disk.counts.failures == 1)
    }

    @Test("a call of any kind can be chosen by its number", arguments: 0..<4)
    func nthCall(skips: Int) throws {
        let (disk, directory, file) = try disk()
        disk.fail(nil, skipping: skips)
        var results: [Bool] = []
        for operation in [DiskOperation.read, .write, .syncFile, .list] {
            do { try call(operation, directory, file); results.append(true) } catch { results.append(false) }
        }
        #expect(results == (0..<4).map { $0 != skips })
    }

    @Test("a full disk takes no new file and still all writes to old ones")
    func full() throws {
        let (disk, directory, file) = try disk()
        disk.byteCountMax = 10_000
        #expect(throws: FileFault.noSpace) { try directory.create("more", byteCount: 1_809) }
        _ = try directory.create("more", byteCount: 1_808)
        try directory.remove("more")
        disk.byteCountMax = 0
        try file.write([3], at: 8_191)
        #expect(throws: FileFault.noSpace) { try directory.create("more", byteCount: 1) }
    }

    @Test("misuse is answered as a file system answers it")
    func misuse() throws {
        let (_, directory, file) = try disk()
        #expect(throws: FileFault.exists) { try directory.create("log", byteCount: 1) }
        #expect(throws: FileFault.missing) { try directory.open("nothing") }
        #expect(throws: FileFault.missing) { try directory.rename("nothing", to: "log") }
        #expect(throws: FileFault.missing) { try directory.remove("nothing") }
        #expect(throws: FileFault.beyondEnd) { try file.read(at: 8_191, byteCount: 2) }
        #expect(throws: FileFault.beyondEnd) { try file.write([1, 2], at: 8_191) }
    }

    @Test("after a failed sync, data can be read, and no later sync saves it")
    func failedSync() throws {
        var random = SplitMix(seed: 1)
        let (disk, _, file) = try disk()
        try file.write([2], at: 0)
        disk.fail(.syncFile)
        #expect(throws: FileFault.io(errno: 5)) { try file.sync() }
        try file.write([3], at: 4_096)
        try file.sync()
        #expect(try file.read(at: 0, byteCount: 1) == [2])
        #expect(disk.durableStamp < disk.lastStamp)
        disk.crash(.powerLosingAll, rng: &random)
        let bytes = try #require(disk.image.bytes(of: "log"))
        #expect(bytes[0] == 1 && bytes[4_096] == 3)
    }

    @Test("a page that is written again after a failed sync is synced whole")
    func rewrittenPage() throws {
        let (disk, _, file) = try disk()
        try file.write([2], at: 0)
        disk.fail(.syncFile)
        #expect(throws: FileFault.self) { try file.sync() }
        try file.write([3], at: 100)
        try file.sync()
        #expect(disk.durableStamp == disk.lastStamp)
        #expect(disk.image.bytes(of: "log")?[0] == 2)
    }

    @Test("what a failed sync left is read, forgotten or saved after the process is killed")
    func failedSyncAndKill() throws {
        var outcomes: Set<[UInt8]> = []
        for seed in 0..<50 as Range<UInt64> {
            var random = SplitMix(seed: seed)
            let (disk, _, file) = try disk()
            try file.write([2], at: 0)
            disk.fail(.syncFile)
            #expect(throws: FileFault.self) { try file.sync() }
            disk.crash(.process, rng: &random)
            let read = try disk.open().open("log").read(at: 0, byteCount: 1)
            outcomes.insert([read[0], disk.image.bytes(of: "log")?[0] ?? 0])
        }
        #expect(outcomes == [[2, 1], [1, 1], [2, 2]])
    }

    @Test("a failed write leaves open whether it was done")
    func failedWrite() throws {
        var outcomes: Set<UInt8> = []
        for seed in 0..<50 as Range<UInt64> {
            var random = SplitMix(seed: seed)
            let (disk, _, file) = try disk()
            disk.fail(.write)
            #expect(throws: FileFault.self) { try file.write([2], at: 0) }
            disk.crash(.powerTearing4096, rng: &random)
            outcomes.insert(disk.image.bytes(of: "log")?[0] ?? 0)
        }
        #expect(outcomes == [1, 2])
    }

    @Test("a sync that lies saves nothing")
    func lyingSync() throws {
        var random = SplitMix(seed: 1)
        let (disk, directory, file) = try disk()
        disk.syncsLie = true
        try file.write([2], at: 0)
        try file.sync()
        try directory.rename("log", to: "gol")
        try directory.sync()
        disk.crash(.powerLosingAll, rng: &random)
        #expect(disk.image.bytes(of: "log")?[0] == 1)
    }

    // MARK: The medium

    @Test("a flipped bit, a zeroed and a stale sector hit their place and nothing else")
    func damage() throws {
        let (disk, directory, file) = try disk()
        let old = disk.image
        try file.write([UInt8](repeating: 2, count: 8_192), at: 0)
        try file.sync()
        disk.flipBit(7, of: "log", at: 5)
        disk.zeroSector(1, of: "log")
        disk.revertSector(1, sectorByteCount: 4_096, of: "log", to: old)
        var expected = [UInt8](repeating: 2, count: 8_192)
        expected[5] = 130
        expected.replaceSubrange(512..<1_024, with: repeatElement(0, count: 512))
        expected.replaceSubrange(4_096..<8_192, with: repeatElement(1, count: 4_096))
        #expect(try directory.open("log").read(at: 0, byteCount: 8_192) == expected)
        #expect(
            disk.damages == [
                Damage(kind: .flipped, file: "log", range: 5..<6), Damage(kind: .zeroed, file: "log", range: 512..<1_024),
                Damage(kind: .stale, file: "log", range: 4_096..<8_192),
            ])
    }

    @Test("a truncated file ends early")
    func truncated() throws {
        let (disk, directory, file) = try disk()
        try file.write([2], at: 8_000)
        disk.truncate("log", to: 5_000)
        #expect(try directory.open("log").byteCount == 5_000)
        #expect(throws: FileFault.beyondEnd) { try file.read(at: 0, byteCount: 5_001) }
        try file.sync()
        #expect(disk.image.bytes(of: "log") == [UInt8](repeating: 1, count: 5_000))
    }

    @Test("a misdirected write lands elsewhere, a dropped one nowhere", arguments: [1_000, -1_000, 100_000])
    func twisted(distance: Int) throws {
        let (disk, _, file) = try disk()
        disk.twistNextWrite(.misdirected(by: distance))
        try file.write([2, 2], at: 500)
        #expect(try file.read(at: 500, byteCount: 2) == [2, 2])
        disk.twistNextWrite(.dropped)
        try file.write([3], at: 10)
        try file.write([4], at: 20)
        try file.sync()
        let place = try #require(disk.damages.first { $0.kind == .misdirected }).range
        var expected = [UInt8](repeating: 1, count: 8_192)
        expected.replaceSubrange(place, with: [2, 2])
        expected[20] = 4
        #expect(disk.image.bytes(of: "log") == expected && !place.contains(500))
        #expect(disk.counts.misdirectedWrites == 1 && disk.counts.droppedWrites == 1)
    }

    @Test("a disk can be emptied, and put back to an older image")
    func wipeAndRestore() throws {
        let (disk, _, file) = try disk()
        let old = disk.image
        try file.write([2], at: 0)
        try file.sync()
        disk.wipe()
        #expect(try disk.open().names().isEmpty)
        disk.restore(old)
        #expect(disk.image == old && disk.visibleImage == old)
        #expect(try disk.open().open("log").read(at: 0, byteCount: 1) == [1])
    }
}
