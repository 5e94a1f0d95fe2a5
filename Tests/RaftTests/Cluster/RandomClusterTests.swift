import Raft
import Testing

/// Seeded clusters under faults. `RAFT_SEEDS=from..to` runs others than the default ones.
struct RandomClusterTests {
    static let seeds: Range<UInt64> = seedRange() ?? 0..<150

    @Test("promises hold and the cluster recovers", arguments: [0, 1, 2, 3])
    func promisesHold(part: UInt64) throws {
        for seed in Self.seeds where seed % 4 == part {
            do {
                var cluster = try RandomCluster(seed: seed)
                try cluster.run(events: 1_500)
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
    }

    @Test("one seed, one run", arguments: [3, 17, 40] as [UInt64])
    func sameSeedSameRun(seed: UInt64) throws {
        var first = try RandomCluster(seed: seed)
        var second = try RandomCluster(seed: seed)
        try first.run(events: 1_000)
        try second.run(events: 1_000)
        #expect(first.digest == second.digest)
    }

    /// Prints one run step by step: `RAFT_TRACE=17 swift test --filter tracesOneSeed`.
    @Test("one seed, step by step", .enabled(if: tracedSeed() != nil))
    func tracesOneSeed() throws {
        var cluster = try RandomCluster(seed: tracedSeed() ?? 0)
        cluster.trace = { print($0) }
        try cluster.run(events: 1_500)
    }
}
