#if CONCLAVE_MUTANTS
import Raft
import Sessions
import Testing
import WriteAheadLog

@testable import Simulation

/// Mistakes that are planted must be found, and a failing run must fail again in the same way.
@Suite struct MutantTests {
    /// Those that a handful of short runs finds.
    private static let quick: [Mutant] = [
        .driver(.messagesBeforeDurable), .raft(.quorumOffByOne), .raft(.commitBeyondMatch), .sessions(.repeatAppliedAgain), .sessions(.evictsNewest),
    ]

    private static let run = SeedRun(events: 2_000) { SafetyChecker() }

    @Test("a planted mistake is noticed, and its replay is the same", arguments: quick)
    func isNoticed(mutant: Mutant) throws {
        let report = try #require(Self.run.seedThatCatches(mutant, among: 1...40), "\(mutant) survived")
        let replay = Self.run.run(seed: report.seed, mutant: mutant)
        #expect(replay.finding == report.finding)
        #expect(replay.events == report.events)
    }

    /// Rules that are checked at the step that breaks them: the first runs show it, and under the rule's own name.
    @Test("a broken rule is noticed at once, and named", arguments: [
        (Mutant.raft(.preVoteSkipped), "thesis 9.6 pre-vote"),
        (.raft(.staleTimerAccepted), "V28 timer hygiene"),
        (.raft(.finalBeforeJointCommitted), "V15 membership safety"),
        (.raft(.readWithoutQuorum), "V14 fresh reads"),
        (.raft(.readEpochReused), "V14 fresh reads"),
        (.raft(.onlyIfTermIgnored), "V26 only in its term"),
        (.raft(.retiresOnOldMembership), "V17 identity"),
        (.driver(.incarnationReused), "V17 identity"),
        (.log(.segmentNotSyncedBeforeRename), "V20 recovery"),
        (.log(.partOfWriteAccepted), "V20 recovery"),
    ])
    func isNamed(mutant: Mutant, rule: String) throws {
        let report = try #require(Self.run.seedThatCatches(mutant, among: 1...40), "\(mutant) survived")
        #expect(report.finding?.rule == rule)
    }

    @Test func everyMutantIsFoundByItsName() {
        for mutant in Mutant.allCases { #expect(Mutant(named: mutant.description) == mutant) }
        #expect(Mutant(named: "nonsense") == nil)
    }

    @Test func thereAreAtLeastThirtyMutants() {
        #expect(Mutant.allCases.count >= 30)
    }
}
#endif
