import Exploration
import Foundation
import Raft

/// A scope with a name for test reports.
struct NamedScope: Sendable, CustomStringConvertible {
    let description: String
    let scope: ExplorationScope
    /// How many different states it has at least.
    let statesMin: Int

    init(_ description: String, statesMin: Int, _ change: (inout ExplorationScope) -> Void) {
        self.description = description
        self.statesMin = statesMin
        var scope = ExplorationScope()
        scope.campaigns = 0
        change(&scope)
        self.scope = scope
    }

    static let wantsLarge = ProcessInfo.processInfo.environment["CONCLAVE_EXPLORE"] != nil

    static let small = [
        NamedScope("one campaign", statesMin: 200) { $0.campaigns = 1 },
        NamedScope("one campaign, one crash", statesMin: 1_500) {
            $0.campaigns = 1
            $0.crashes = 1
        },
        NamedScope("a proposal and a crash", statesMin: 200) {
            $0.start = .elected
            $0.proposals = 1
            $0.crashes = 1
        },
        NamedScope("a new leader", statesMin: 400) {
            $0.start = .elected
            $0.campaigns = 1
        },
        NamedScope("a new leader after a proposal", statesMin: 5_000) {
            $0.start = .elected
            $0.campaigns = 1
            $0.proposals = 1
            $0.delaysWrites = false
        },
        NamedScope("a voter is removed", statesMin: 400) {
            $0.start = .elected
            $0.change = .remove(NodeID(3))
        },
        NamedScope("a voter is removed under two leaders", statesMin: 8_000) {
            $0.start = .elected
            $0.campaigns = 1
            $0.change = .remove(NodeID(3))
            $0.delaysWrites = false
        },
        NamedScope("a read", statesMin: 30) {
            $0.start = .elected
            $0.reads = 1
            $0.carriesHeartbeats = true
        },
    ]

    static let large = [
        NamedScope("two campaigns", statesMin: 40_000) {
            $0.campaigns = 2
            $0.delaysWrites = false
        },
        NamedScope("two campaigns and a crash", statesMin: 200_000) {
            $0.campaigns = 2
            $0.crashes = 1
            $0.statesMax = 200_000
        },
        NamedScope("two campaigns, a proposal, a read", statesMin: 200_000) {
            $0.start = .elected
            $0.campaigns = 1
            $0.proposals = 1
            $0.reads = 1
            $0.carriesHeartbeats = true
            $0.statesMax = 200_000
        },
    ]
}
