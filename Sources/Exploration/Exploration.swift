/// Walks through every order in which a small cluster's events can happen (`reference/raft.md` §3.4, exhaustive small scope).
///
/// Breadth first, so that the path to a violation is a shortest one. States are told apart by a 64-bit digest: with a million states the
/// chance that two share one is about one in thirty million.
///
/// What is left out, and why nothing is lost by it:
/// - *Loss of messages.* One that is never delivered is lost, and its staying in flight only adds paths.
/// - *Deliveries without effect.* A delivery that changes nothing and says nothing leads to a state with fewer possibilities than the one it came from.
/// - *Equal messages in flight.* They are one. So a message arrives once for each time that it is sent after its last arrival.
/// - *Pre-votes and leader stickiness.* They only prevent campaigns, and no safety rule rests on them without leases. So a node may campaign
///   at any time, in the way that TimeoutNow makes it.
/// - *When entries are applied.* They are, as soon as the core hands them over. The state machine is kept in memory and replayed after a crash.
/// - *Which writes a crash leaves.* Those that the walk had completed. A write that survived without the process having heard of it is
///   one that was completed right before the crash.
/// - *Who campaigns first in a new cluster.* Node 1: until then all are equal.
package enum Exploration {
    /// - Parameter progress: Told after each level of the walk.
    package static func run(scope: ExplorationScope, progress: (ExplorationReport) -> Void = { _ in }) -> ExplorationReport {
        var walk = Walk(scope: scope)
        walk.run(progress)
        return walk.report
    }
}

private struct Walk {
    let scope: ExplorationScope
    var report = ExplorationReport()
    private var visited: Set<UInt64> = []
    /// For each state, the one that it was first reached from, and the position of the action there.
    private var parents: [Int32] = []
    private var ordinals: [UInt16] = []

    init(scope: ExplorationScope) { self.scope = scope }

    mutating func run(_ progress: (ExplorationReport) -> Void) {
        var frontier: [(number: Int32, state: ModelState)] = []
        do throws(ModelViolation) {
            let root = try ModelState(scope)
            visited.insert(root.digest)
            frontier.append((number: remember(parent: 0, ordinal: 0), state: root))
        } catch {
            report.violation = error
            return
        }
        while !frontier.isEmpty {
            var next: [(number: Int32, state: ModelState)] = []
            for (number, state) in frontier {
                guard report.states < scope.statesMax else { return }
                guard expand(number, state, into: &next) else { return }
            }
            frontier = next
            if !next.isEmpty { report.depth += 1 }
            progress(report)
        }
        report.isComplete = true
    }

    /// - Returns: False when a rule is broken.
    private mutating func expand(_ number: Int32, _ state: ModelState, into next: inout [(number: Int32, state: ModelState)]) -> Bool {
        for (ordinal, action) in state.actions().enumerated() {
            var successor = state
            report.transitions += 1
            do throws(ModelViolation) {
                guard try successor.perform(action), visited.insert(successor.digest).inserted else { continue }
            } catch {
                report.violation = error
                report.path = path(to: number) + [state.describe(action)]
                return false
            }
            next.append((number: remember(parent: number, ordinal: ordinal), state: successor))
        }
        return true
    }

    private mutating func remember(parent: Int32, ordinal: Int) -> Int32 {
        parents.append(parent)
        ordinals.append(UInt16(ordinal))
        report.states += 1
        return Int32(parents.count - 1)
    }

    /// Walks again from the start, for only numbers were kept.
    private func path(to number: Int32) -> [String] {
        var steps: [Int] = []
        var at = number
        while at != 0 {
            steps.append(Int(ordinals[Int(at)]))
            at = parents[Int(at)]
        }
        var lines: [String] = []
        guard var state = try? ModelState(scope) else { return lines }
        for ordinal in steps.reversed() {
            let action = state.actions()[ordinal]
            lines.append(state.describe(action))
            _ = try? state.perform(action)
        }
        return lines
    }
}
