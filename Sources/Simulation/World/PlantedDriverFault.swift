/// What a driver around a right core and a right log can still get wrong, to prove that the simulator notices (`reference/raft.md` §3.4).
///
/// Each is built in at the one place of the world where the rule is kept. As with ``PlantedFault``, the checks exist only in builds
/// with the define `CONCLAVE_MUTANTS`.
package enum PlantedDriverFault: String, CaseIterable, Sendable {
    // State and log
    case appliedIndexApartFromState
    case logDroppedToLastCheckpoint
    case messagesBeforeDurable
    case unknownEntrySkipped
    case wipedNodeKeepsIdentity
    case membershipFromCommittedStore
    case incarnationReused

    // Snapshots
    case snapshotWithoutSessions
    case truncatedSnapshotAccepted
    case damagedSnapshotAccepted
    case installBeforeBoundaryDurable
    case snapshotNotRolledForward

    // Clients
    case readBeforeApplied
    case retryUnderNewRequest
    case unknownReportedAsFailed
}
