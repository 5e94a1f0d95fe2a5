import SimulatedDisk
import Testing

/// Calls and crashes at random, against a model that lists everything a crash may leave.
struct GeneratedHistoryTests {
    @Test("reads, and what crashes leave, are as the model allows", arguments: 0..<60 as Range<UInt64>)
    func againstModel(seed: UInt64) throws {
        var history = RandomHistory(seed: seed)
        try history.run(lives: 8, callsPerLife: 25)
    }

    @Test("every fate of a write and of a name is met")
    func coverage() throws {
        var counts = DiskCounts()
        for seed in 100..<130 as Range<UInt64> {
            var history = RandomHistory(seed: seed)
            try history.run(lives: 8, callsPerLife: 25)
            counts.keptWrites += history.disk.counts.keptWrites
            counts.tornWrites += history.disk.counts.tornWrites
            counts.lostWrites += history.disk.counts.lostWrites
            counts.shortWrites += history.disk.counts.shortWrites
            counts.keptNames += history.disk.counts.keptNames
            counts.lostNames += history.disk.counts.lostNames
            counts.shortFiles += history.disk.counts.shortFiles
        }
        let met = [
            counts.keptWrites, counts.tornWrites, counts.lostWrites, counts.shortWrites, counts.keptNames, counts.lostNames, counts.shortFiles,
        ]
        #expect(met.allSatisfy { $0 > 5 }, "\(counts)")
    }

    @Test("a seed gives the same disk every time, and another seed another")
    func determinism() throws {
        func run(_ seed: UInt64) throws -> (DiskImage, DiskCounts) {
            var history = RandomHistory(seed: seed)
            try history.run(lives: 6, callsPerLife: 30)
            return (history.disk.visibleImage, history.disk.counts)
        }
        for seed in 0..<5 as Range<UInt64> {
            let first = try run(seed), again = try run(seed), other = try run(seed + 1_000)
            #expect(first == again)
            #expect(first.0 != other.0)
        }
    }
}
