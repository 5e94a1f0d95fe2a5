import SimulatedDisk
import Testing
import WriteAheadLog

/// One crash each, small enough to follow by hand.
struct CrashTests {
    /// A disk with one synced file of zeros.
    private func disk(byteCount: Int = 16_384) throws -> (SimulatedDisk, SimulatedDirectory, SimulatedFile) {
        let disk = SimulatedDisk()
        let directory = disk.open()
        let file = try directory.create("log", byteCount: byteCount)
        try file.sync()
        try directory.sync()
        return (disk, directory, file)
    }

    @Test("what was synced survives every crash", arguments: CrashMode.allCases)
    func syncedSurvives(mode: CrashMode) throws {
        var random = SplitMix(seed: 1)
        let (disk, _, file) = try disk()
        try file.write([UInt8](repeating: 7, count: 10_000), at: 100)
        try file.sync()
        #expect(disk.durableStamp == disk.lastStamp)
        let before = disk.image
        disk.crash(mode, rng: &random)
        #expect(disk.image == before && disk.visibleImage == before)
        #expect(try disk.open().open("log").read(at: 10_099, byteCount: 2) == [7, 0])
    }

    @Test("a later write may survive an earlier one that does not, and a write may survive in part")
    func reordering() throws {
        var outOfOrder = 0, torn = 0
        for seed in 0..<100 as Range<UInt64> {
            var random = SplitMix(seed: seed)
            let (disk, _, file) = try disk()
            try file.write([UInt8](repeating: 1, count: 1_024), at: 0)
            try file.write([UInt8](repeating: 2, count: 1_024), at: 4_096)
            disk.crash(.powerTearing512, rng: &random)
            let bytes = try #require(disk.image.bytes(of: "log"))
            let sectors = [0, 512, 4_096, 4_608].map { bytes[$0] }
            if sectors == [0, 0, 2, 2] { outOfOrder += 1 }
            if sectors[0] != sectors[1] { torn += 1 }
        }
        #expect(outOfOrder > 3 && torn > 3)
    }

    @Test("a sector that holds a later write holds the earlier ones in it too")
    func sectorsAreSnapshots() throws {
        for seed in 0..<100 as Range<UInt64> {
            var random = SplitMix(seed: seed)
            let (disk, _, file) = try disk()
            for position in 0..<8 { try file.write([1], at: position) }
            disk.crash(.powerTearing512, rng: &random)
            let bytes = try #require(disk.image.bytes(of: "log")).prefix(8)
            #expect(!zip(bytes, bytes.dropFirst()).contains { $0 < $1 })
        }
    }

    @Test("a rename does not make contents durable, and a sync of contents no name")
    func renameWithoutSync() throws {
        var random = SplitMix(seed: 1)
        let disk = SimulatedDisk()
        let directory = disk.open()
        let file = try directory.create("new", byteCount: 4)
        try file.write([1, 2, 3, 4], at: 0)
        try directory.rename("new", to: "current")
        try directory.sync()
        let other = try directory.create("unnamed", byteCount: 1)
        try other.sync()
        disk.crash(.powerLosingAll, rng: &random)
        #expect(disk.image == DiskImage(files: [DiskImage.File(name: "current", bytes: [])]))
    }

    @Test("a rename over a file that is undone leaves the file it had replaced")
    func renameUndone() throws {
        var random = SplitMix(seed: 1)
        let (disk, directory, _) = try disk(byteCount: 2)
        let next = try directory.create("next", byteCount: 2)
        try next.write([5, 5], at: 0)
        try next.sync()
        try directory.sync()
        try directory.rename("next", to: "log")
        #expect(try directory.open("log").read(at: 0, byteCount: 2) == [5, 5])
        disk.crash(.powerLosingAll, rng: &random)
        #expect(disk.image.bytes(of: "log") == [0, 0] && disk.image.bytes(of: "next") == [5, 5])
    }

    @Test("a write counts as durable once it, all before it, and their names are synced")
    func durableStamp() throws {
        let (disk, directory, file) = try disk()
        let synced = disk.lastStamp
        #expect(disk.durableStamp == synced)
        let next = try directory.create("next", byteCount: 1)
        try next.sync()
        #expect(disk.durableStamp == synced)
        try directory.sync()
        #expect(disk.durableStamp == disk.lastStamp)
        try file.write([1], at: 0)
        let first = disk.lastStamp
        try next.write([1], at: 0)
        try next.sync()
        #expect(disk.durableStamp < first)
        try file.sync()
        #expect(disk.durableStamp == disk.lastStamp)
        try directory.remove("next")
        #expect(disk.durableStamp == disk.lastStamp)
        try directory.rename("log", to: "gol")
        #expect(disk.durableStamp < disk.lastStamp)
    }

    @Test("a killed process leaves its writes to the next, not yet durable")
    func processCrash() throws {
        var random = SplitMix(seed: 1)
        let (disk, _, file) = try disk()
        try file.write([9], at: 3)
        disk.crash(.process, rng: &random)
        let next = try disk.open().open("log")
        let survived = try next.read(at: 3, byteCount: 1)
        #expect(try #require(disk.image.bytes(of: "log"))[3] == 0)
        try next.sync()
        disk.crash(.powerLosingAll, rng: &random)
        #expect(try disk.open().open("log").read(at: 3, byteCount: 1) == survived)
    }

    @Test("a copy of a disk goes its own way")
    func copy() throws {
        var random = SplitMix(seed: 1)
        let (disk, directory, file) = try disk()
        try file.write([9], at: 3)
        try directory.rename("log", to: "old")
        let copy = disk.copy()
        #expect(copy.image == disk.image && copy.visibleImage == disk.visibleImage)
        try copy.open().sync()
        disk.crash(.powerLosingAll, rng: &random)
        #expect(disk.image.files.map(\.name) == ["log"] && copy.image.files.map(\.name) == ["old"])
        #expect(copy.visibleImage.bytes(of: "old")?[3] == 9)
    }

    @Test("a dead process cannot touch the disk")
    func deadProcess() async {
        await #expect(processExitsWith: .failure) {
            let disk = SimulatedDisk()
            let file = try disk.open().create("log", byteCount: 1)
            _ = disk.open()
            try file.write([1], at: 0)
        }
    }
}
