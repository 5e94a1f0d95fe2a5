package import Raft

/// How much may happen in an exploration. Every number is a budget for the whole path, so the space is finite.
///
/// Three nodes found a cluster. Their clocks stand still: what time decides is decided by the walk instead, at every point where
/// time could decide it.
package struct ExplorationScope: Sendable {
    package enum Start: Sendable {
        /// Term 0, empty logs.
        case founded
        /// Node 1 leads term 1, and its no-op is committed and known to all: reached by one fixed path.
        case elected
    }

    package var start = Start.founded
    /// Campaigns after the start. Each raises the terms by one at most.
    package var campaigns = 2
    package var proposals = 0
    /// Crashes, each followed by a start at once, with the loss of every write that was not durable.
    package var crashes = 0
    package var reads = 0
    /// Asked of a leader, at most once.
    package var change: MembershipChange?
    /// Messages that a broken connection makes a leader send anew.
    package var reconnects = 0
    /// Whether the walk chooses when each write becomes durable. If not, writes are durable at once.
    package var delaysWrites = true
    /// Whether heartbeats travel. Reads need them; commitment does not, for appends and ``Message/Payload/commit(_:)`` tell it as well.
    package var carriesHeartbeats = false
    /// The walk stops after so many states.
    package var statesMax = 10_000_000
    #if CONCLAVE_MUTANTS
    /// The rule that every node breaks.
    package var plantedFault: PlantedFault?
    #endif

    package init() {}
}

/// What a walk found.
package struct ExplorationReport: Sendable, CustomStringConvertible {
    /// Different states.
    package internal(set) var states = 0
    /// Actions taken, whether they led to a new state or not.
    package internal(set) var transitions = 0
    /// Length of the longest of all shortest paths so far.
    package internal(set) var depth = 0
    /// Whether every state of the scope was seen.
    package internal(set) var isComplete = false
    package internal(set) var violation: ModelViolation?
    /// The shortest path to the violation, one action per element.
    package internal(set) var path: [String] = []

    package var description: String {
        let size = "\(states) states, \(transitions) transitions, depth \(depth)\(isComplete ? ", complete" : "")"
        guard let violation else { return size }
        return size + "\n\(violation)\n" + path.enumerated().map { "  \($0 + 1). \($1)" }.joined(separator: "\n")
    }
}

/// A rule that a state breaks (`reference/raft.md` §3.2).
package struct ModelViolation: Error, Hashable, Sendable, CustomStringConvertible {
    package let rule: String
    package let text: String

    package var description: String { "\(rule): \(text)" }
}
