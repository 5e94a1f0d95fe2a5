/// Limits of the table. They decide what is executed, so they must be the same on all nodes and change only through the log.
package struct SessionSettings: Hashable, Sendable {
    /// Sessions kept; one more evicts the one that was used longest ago.
    package var sessionCountMax = 8_192
    /// Width of the window: sequences from the mark on that a client may have under way. A node proposes for many clients at once under one
    /// session, so this also limits how much it has in flight.
    package var windowWidth: UInt64 = 256
    /// Outcomes kept for one session, in bytes. What is over it costs the lowest sequences their outcome, not the fact that they were executed.
    package var outcomeByteCountMax = 65_536

    #if CONCLAVE_MUTANTS
    package var plantedFault: PlantedSessionFault?
    func isPlanted(_ fault: PlantedSessionFault) -> Bool { plantedFault == fault }
    #else
    @inline(__always) func isPlanted(_ fault: PlantedSessionFault) -> Bool { false }
    #endif

    package init() {}
}

/// Small wrong versions of the table, to prove that its tests and the simulator notice (`reference/raft.md` §3.4). Used as
/// `isPlanted(.theFault)` at the one place where the rule is kept; the check exists only in builds with the define `CONCLAVE_MUTANTS`.
package enum PlantedSessionFault: String, CaseIterable, Sendable {
    /// A request that was executed is executed again.
    case repeatAppliedAgain
    /// The session that was used last goes, not the one that was used longest ago.
    case evictsNewest
    /// An executed request is remembered without its outcome: the repeated answer is empty.
    case outcomeNotStored
    /// The highest sequence below the mark still counts as one of the window.
    case windowOffByOne
}
