import Raft
import Testing

@testable import Simulation

/// Whole clusters, a little of each: longer runs are `conclave-sim`'s.
@Suite struct WorldTests {
    @Test("a cluster under faults recovers and converges", arguments: 0..<8)
    func recovers(part: UInt64) {
        let run = SeedRun(events: 800) { SilentObserver() }
        for seed in 1...96 where UInt64(seed) % 8 == part {
            let report = run.run(seed: UInt64(seed))
            if let finding = report.finding { Issue.record("seed \(seed): \(finding)") }
        }
    }

    @Test("the same seed gives the same run, byte for byte", arguments: [3, 8, 21, 34] as [UInt64])
    func sameSeedSameTrace(seed: UInt64) {
        #expect(trace(of: seed) == trace(of: seed))
    }

    @Test func differentSeedsGiveDifferentRuns() {
        #expect(trace(of: 3) != trace(of: 4))
    }

    @Test("rare things happen in a few seeds")
    func rareThingsHappen() {
        let run = SeedRun(events: 1_500) { SilentObserver() }
        var coverage = Coverage()
        for seed in 1...60 as ClosedRange<UInt64> { coverage.add(run.run(seed: seed).coverage) }
        let expected: [CoverageMark] = [
            .election, .leaderCrash, .crashBetweenEffects, .crashDuringAppend, .checkpointLost, .restart, .pausedLeader, .connectionReset,
            .uncommittedTruncated, .snapshotInstalled, .logCompacted, .membershipChanged, .writeAnswered, .writeRetried,
            .writeRepeated, .readAtLeader, .readAtFollower, .sessionOpened, .sessionGone, .windowPassed,
        ]
        for mark in expected where coverage[mark] == 0 { Issue.record("\(mark) never happened") }
    }

    private func trace(of seed: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        let run = SeedRun(events: 1_500) { SilentObserver() }
        _ = run.run(seed: seed) { line in
            bytes.append(contentsOf: line.utf8)
            bytes.append(10)
        }
        return bytes
    }
}

/// Checks nothing: what the world finds by itself is enough here.
final class SilentObserver: WorldObserver {}
