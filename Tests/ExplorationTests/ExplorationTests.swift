import Exploration
import Raft
import Testing

/// Walks that see every state of their scope, and none that breaks a rule. With CONCLAVE_EXPLORE=1 in the environment, larger ones as well.
@Suite struct ExplorationTests {
    @Test(arguments: NamedScope.small)
    func walksCompletely(_ scope: NamedScope) {
        let report = Exploration.run(scope: scope.scope)
        print("\(scope): \(report)")
        #expect(report.isComplete && report.violation == nil, "\(report)")
        // A walk that an oversight cuts short would pass as well.
        #expect(report.states >= scope.statesMin)
    }

    @Test(.enabled(if: NamedScope.wantsLarge), arguments: NamedScope.large)
    func walksFar(_ scope: NamedScope) {
        let report = Exploration.run(scope: scope.scope)
        print("\(scope): \(report)")
        #expect(report.violation == nil, "\(report)")
        #expect(report.states >= scope.statesMin)
    }

    @Test func walksAreRepeatable() {
        let scope = NamedScope.small[0].scope
        let first = Exploration.run(scope: scope)
        let second = Exploration.run(scope: scope)
        #expect(first.description == second.description)
    }

    @Test func budgetStopsAWalk() {
        var scope = NamedScope.small[0].scope
        scope.statesMax = 100
        var levels = 0
        let report = Exploration.run(scope: scope) { _ in levels += 1 }
        #expect(!report.isComplete && report.violation == nil && report.states >= 100)
        #expect(levels == report.depth)
    }
}
