import Foundation
@testable import Raft
import SimulatedDisk
import Testing

@testable import WriteAheadLog

/// A node's log over many lives on one simulated disk, beside a model of what it must hold.
struct LogLives {
    static let identity = LogIdentity(cluster: 7, node: 3)
    static let segmentByteCount = 20_480

    let disk = SimulatedDisk()
    var settings = LogSettings()
    var random: SplitMix
    var maker = WriteMaker()
    /// What is surely on the disk, and the writes after it that may be.
    var synced = LogModel()
    var unsynced: [LogWrite] = []
    var log: WriteAheadLog<SimulatedDirectory>

    struct Failure: Error, CustomStringConvertible { let description: String }

    init(seed: UInt64, _ change: (inout LogSettings) -> Void = { _ in }) throws {
        random = SplitMix(seed: seed)
        settings.segmentByteCount = Self.segmentByteCount
        settings.cacheByteCount = 2_000
        change(&settings)
        (log, _) = try Self.open(disk, settings, &random)
    }

    static func open(
        _ disk: SimulatedDisk, _ settings: LogSettings, _ random: inout SplitMix
    ) throws -> (log: WriteAheadLog<SimulatedDirectory>, recovered: RecoveredLog) {
        var nonces = SplitMix(seed: random.next())
        return try WriteAheadLog.open(disk.open(), identity: identity, settings: settings, nonces: { nonces.next() })
    }

    var newest: LogModel { synced.performing(unsynced) }

    /// Some writes, syncs and compactions, until one of them meets a planned failure or it is time to crash.
    mutating func work() throws {
        do throws(LogFault) {
            for _ in 0..<(1 + random.below(12)) {
                var writes: [LogWrite] = []
                for _ in 0...random.below(3) { writes.append(maker.write(for: newest.performing(writes), &random)) }
                let before = newest
                do throws(LogFault) {
                    try log.append(writes)
                } catch {
                    // How far it came nobody knows.
                    unsynced += writes
                    throw error
                }
                unsynced += writes
                if random.chance(60) {
                    let sequence = try log.sync()
                    guard sequence == unsynced.last?.sequence else { throw LogFault.unreadable(index: 0) }
                    synced = newest
                    unsynced = []
                    if random.chance(30) { try log.mark() }
                }
                if random.chance(20), before.commit > .zero {
                    let index = before.commit.previous + random.below(2)
                    synced.compactable = max(synced.compactable, index.previous)
                    try log.compact(before: index)
                }
            }
        } catch .io {
            return
        }
    }

    /// Dies and is opened again: everything synced must be there, and of the rest a beginning.
    mutating func dieAndReturn(_ mode: CrashMode) throws {
        disk.crash(mode, rng: &random)
        let (log, recovered) = try Self.open(disk, settings, &random)
        self.log = log
        var model = synced
        var differences: [String] = []
        for kept in 0...unsynced.count {
            let later = unsynced[kept...].compactMap(\.hardState)
            guard let difference = model.difference(from: log, recovered, later: later) else {
                unsynced = []
                model.hardState = recovered.hardState
                synced = model
                return
            }
            differences.append(difference)
            if kept < unsynced.count { model.perform(unsynced[kept]) }
        }
        throw Failure(description: "after \(mode): " + differences.joined(separator: "; "))
    }

    mutating func run(lives: Int) throws {
        for _ in 0..<lives {
            if random.chance(30) {
                let operation = DiskOperation.allCases[random.below(DiskOperation.allCases.count)]
                disk.fail(operation, with: .io(errno: 5), skipping: random.below(8))
            }
            try work()
            let modes = CrashMode.allCases
            do {
                try dieAndReturn(modes[random.below(modes.count)])
            } catch let problem as LogProblem where problem.kind == .io(.io(errno: 5)) {
                // A planned failure met the opening: die again.
                try dieAndReturn(.process)
            }
        }
    }
}

@Suite("The log, over crashes")
struct CrashTests {
    /// `WAL_SEEDS=N` hunts through N seeds.
    private static let seeds = 0..<(ProcessInfo.processInfo.environment["WAL_SEEDS"].flatMap { UInt64($0) } ?? 60)

    @Test(arguments: seeds)
    func `what was synced is there after any crash, and a write is there as a whole or not at all`(_ seed: UInt64) throws {
        var lives = try LogLives(seed: seed)
        try lives.run(lives: 25)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `opening twice finds the same`(_ seed: UInt64) throws {
        var lives = try LogLives(seed: seed)
        for _ in 0..<10 {
            try lives.work()
            lives.disk.crash(.powerTearing512, rng: &lives.random)
            let first = try LogLives.open(lives.disk, lives.settings, &lives.random).recovered
            lives.disk.crash(.powerTearing4096, rng: &lives.random)
            let second = try LogLives.open(lives.disk, lives.settings, &lives.random).recovered
            #expect(first.lastIndex == second.lastIndex && first.hardState == second.hardState && first.termRuns == second.termRuns)
            #expect(first.commit == second.commit && first.memberships == second.memberships && first.boundary == second.boundary)
            #expect(!second.wasTorn || first.wasTorn)
            try lives.dieAndReturn(.process)
        }
    }

    /// A record of a lost write lies, whole, right behind one that took the place of the record before it.
    private static func leaveRecordBehind(_ lives: inout LogLives) throws {
        func write(_ sequence: UInt64, byte: UInt8) -> LogWrite {
            let id = EntryID(term: Term(1_000), index: lives.newest.lastID.index.next)
            return LogWrite(
                sequence: WriteSequence(1_000_000 + sequence), hardState: sequence == 1 ? HardState(term: Term(1_000), vote: nil) : nil, reset: nil,
                truncateFrom: nil, entries: [Entry(id: id, body: .command(Command([byte, byte])))], commit: .zero, endsRecovery: false)
        }
        lives.disk.cancelPlannedFaults()
        lives.unsynced.append(write(1, byte: 1))
        try lives.log.append(lives.unsynced)
        _ = try lives.log.sync()
        lives.synced = lives.newest
        lives.unsynced = []
        let segments = lives.log.segments.count
        let start = lives.log.bufferStart
        let lost = [write(2, byte: 2), write(3, byte: 3)].enumerated().map { number, write in
            var write = write
            write.entries = [Entry(id: EntryID(term: Term(1_000), index: lives.newest.lastID.index + (1 + number)), body: write.entries[0].body)]
            return write
        }
        try lives.log.append(lost)
        guard lives.log.segments.count == segments else { return }
        let name = lives.log.segments[segments - 1].name
        lives.disk.crash(.powerKeepingAll, rng: &lives.random)
        lives.disk.flipBit(0, of: name, at: start + 1)
        (lives.log, _) = try LogLives.open(lives.disk, lives.settings, &lives.random)
        lives.unsynced = [write(4, byte: 4)]
        try lives.log.append(lives.unsynced)
        _ = try lives.log.sync()
        lives.synced = lives.newest
        lives.unsynced = []
        try lives.dieAndReturn(.powerLosingAll)
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `what a lost write left behind does not follow what came in its place`(_ seed: UInt64) throws {
        var lives = try LogLives(seed: seed)
        try Self.leaveRecordBehind(&lives)
    }

    /// But for the chain: only a write that the medium put in another place shows that it is not checked, see ``RecoveryTests``.
    @Test(arguments: PlantedLogFault.allCases.filter { $0 != .chainNotChecked })
    func `every planted fault is noticed`(_ fault: PlantedLogFault) throws {
        for seed in 0..<400 as Range<UInt64> {
            do {
                var lives = try LogLives(seed: seed) { $0.plantedFault = fault }
                try lives.run(lives: 25)
                if fault == .corruptionTreatedAsTornTail { try DamageTests.damage(&lives) }
            } catch {
                return
            }
        }
        Issue.record("\(fault) was not noticed")
    }
}
