#if CONCLAVE_MUTANTS
import Exploration
import Raft
import Testing

/// Wrong cores that a walk must see through, each in a scope that is just large enough.
@Suite struct PlantedFaultTests {
    struct Case: Sendable, CustomStringConvertible {
        let fault: PlantedFault
        /// The rule that breaks first, by its number.
        let rule: String
        let scope: ExplorationScope

        init(_ fault: PlantedFault, _ rule: String, _ change: (inout ExplorationScope) -> Void) {
            self.fault = fault
            self.rule = rule
            var scope = ExplorationScope()
            scope.campaigns = 0
            scope.statesMax = 20_000
            change(&scope)
            scope.plantedFault = fault
            self.scope = scope
        }

        var description: String { fault.rawValue }
    }

    static let cases = [
        Case(.voteNotPersisted, "V9") { $0.campaigns = 2; $0.crashes = 1 },
        Case(.voteRepliedBeforeSync, "V9") { $0.campaigns = 2; $0.crashes = 1 },
        Case(.voteRequestedBeforeSync, "V9") { $0.campaigns = 2; $0.crashes = 1 },
        Case(.voteResetInSameTerm, "V8") { $0.campaigns = 2; $0.delaysWrites = false },
        Case(.voteWithoutLogComparison, "V4") { $0.campaigns = 2; $0.delaysWrites = false },
        Case(.olderTermCommitted, "V6") { $0.start = .elected; $0.campaigns = 1; $0.proposals = 1 },
        Case(.quorumOffByOne, "V6") { $0.campaigns = 1 },
        Case(.ownWriteCountedBeforeSync, "V6") { $0.campaigns = 1 },
        Case(.appendAcknowledgedBeforeSync, "V6") { $0.campaigns = 1 },
        Case(.durabilityByIndex, "V6") { $0.start = .elected; $0.proposals = 2; $0.crashes = 1 },
        Case(.keepsConflictingEntries, "V6") { $0.campaigns = 2; $0.delaysWrites = false },
        Case(.truncatesMatchingEntries, "V6") { $0.start = .elected; $0.proposals = 2; $0.delaysWrites = false },
        Case(.finalBeforeJointCommitted, "V15") { $0.start = .elected; $0.change = .remove(NodeID(3)) },
        Case(.jointCommitsWithOldSetOnly, "V6") { $0.start = .elected; $0.change = .remove(NodeID(3)) },
    ]

    @Test(arguments: cases)
    func isFound(_ planted: Case) throws {
        let report = Exploration.run(scope: planted.scope)
        let violation = try #require(report.violation, "\(report)")
        #expect(violation.rule.prefix { $0 != " " } == planted.rule, "\(report)")
        #expect(!report.path.isEmpty)
        // Nothing but the fault is to blame.
        var right = planted.scope
        right.plantedFault = nil
        right.statesMax = report.states
        #expect(Exploration.run(scope: right).violation == nil)
    }
}
#endif
