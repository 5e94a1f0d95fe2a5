#if CONCLAVE_MUTANTS
import Raft
import Testing

/// A small wrong change anywhere in the core must not pass the random cluster's checks.
struct PlantedFaultTests {
    /// Runs until some seed fails.
    static func seedThatCatches(_ fault: PlantedFault, within seeds: Range<UInt64>) -> (seed: UInt64, failure: String)? {
        for seed in seeds {
            do {
                var cluster = try RandomCluster(seed: seed, fault: fault)
                try cluster.run(events: 1_500)
            } catch {
                return (seed, "\(error)")
            }
        }
        return nil
    }

    /// `RAFT_MUTANTS=from..to` runs it; it takes minutes, and the random cluster alone does not notice every fault yet.
    @Test("every planted fault is noticed", .enabled(if: mutantSeeds() != nil), arguments: chosenFaults())
    func isNoticed(fault: PlantedFault) {
        let caught = Self.seedThatCatches(fault, within: mutantSeeds() ?? 0..<0)
        #expect(caught != nil, "\(fault.rawValue) survived")
    }
}
#endif
