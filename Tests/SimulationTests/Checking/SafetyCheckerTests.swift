import Simulation
import Testing

/// The checker over whole runs: right clusters pass, and mistakes are found by name.
@Suite struct SafetyCheckerTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func rightClustersPass(seed: UInt64) {
        let report = SeedRun(events: 4_000) { SafetyChecker() }.run(seed: seed)
        #expect(report.finding == nil, "\(report.finding.map(\.description) ?? "")")
        #expect(report.coverage[.election] > 0 && report.operations > 0)
    }

    #if CONCLAVE_MUTANTS
    @Test(arguments: ["ownWriteCountedBeforeSync", "appendAcknowledgedBeforeSync", "messagesBeforeDurable", "voteRepliedBeforeSync", "quorumOffByOne"])
    func mistakesAreFound(name: String) throws {
        let mutant = try #require(Mutant(named: name))
        let report = SeedRun(events: 4_000) { SafetyChecker() }.seedThatCatches(mutant, among: 1...20)
        #expect(report != nil)
    }
    #endif
}
