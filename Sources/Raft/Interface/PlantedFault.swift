/// Small wrong versions of the core, to prove that its tests and the simulator notice (`reference/raft.md` §3.4, mutants).
///
/// Each is built in at the one place where the rule is kept, as `if isPlanted(.theFault)`. The check exists only in builds with the
/// define `CONCLAVE_MUTANTS`; elsewhere `isPlanted` is the constant false, and the branch is not compiled into the product.
package enum PlantedFault: String, CaseIterable, Sendable {
    // Votes and terms
    case voteNotPersisted
    case voteRepliedBeforeSync
    case voteResetInSameTerm
    case voteWithoutLogComparison
    case voteRequestedBeforeSync
    case votesRefusedByMembership
    case stickinessIgnored
    case preVoteSkipped
    case staleTimerAccepted
    case recoveringNodeVotes

    // Log and commitment
    case olderTermCommitted
    case quorumOffByOne
    case learnerCounted
    case ownWriteCountedBeforeSync
    case durabilityByIndex
    case appendAcknowledgedBeforeSync
    case commitBeyondMatch
    case commitNotReevaluated
    case truncatesMatchingEntries
    case keepsConflictingEntries
    case verificationSkipped

    // Membership
    case jointElectsWithNewSetOnly
    case jointCommitsWithOldSetOnly
    case finalBeforeJointCommitted
    case jointNotFinishedByNewLeader
    case membershipNotRolledBack
    case membershipAppliedOnCommit
    case changeBeforeOwnTermCommitted
    case removedLeaderStays
    case retiresOnOldMembership

    // Reads
    case readWithoutQuorum
    case readBeforeOwnTermCommitted
    case readEpochReused
    case readsSurviveRoleChange
    case followerReadsItsOwnCommit
    case leaseWithoutMargin
    case leaseSurvivesTransfer

    // Snapshots
    case snapshotWithoutMembership
    case snapshotOverNewerLog
    case snapshotAcknowledgedBeforeInstall

    // Proposals and operation
    case forwardTakenTwice
    case forwardWithoutTerm
    case onlyIfTermIgnored
    case proposalsTakenDuringTransfer
    case orphanCalledRefused
    case stalledLeaderKeepsLeading
    case quorumCheckSkipped
}
