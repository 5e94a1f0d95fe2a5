/// How often the rare things happened that a run is there to find: a run without them proves little (`reference/raft.md` §3.4).
package struct Coverage: Hashable, Sendable {
    private var counts = [UInt64](repeating: 0, count: CoverageMark.allCases.count)

    package init() {}

    package subscript(mark: CoverageMark) -> UInt64 { counts[mark.rawValue] }

    /// Places that no run passed through.
    package var missing: [CoverageMark] { CoverageMark.allCases.filter { self[$0] == 0 } }

    package mutating func mark(_ mark: CoverageMark) { counts[mark.rawValue] += 1 }

    package mutating func add(_ other: Coverage) {
        for position in counts.indices { counts[position] += other.counts[position] }
    }
}

/// A place that a run can pass through.
package enum CoverageMark: Int, CaseIterable, Sendable {
    // What the nodes lived through
    case election
    case leaderCrash
    case leaderCrashWhileJoint
    case jointFinishedByAnotherLeader
    case crashBetweenEffects
    case crashDuringAppend
    case crashDuringRecovery
    case crashDuringInstall
    case checkpointLost
    case restart
    case pausedLeader
    case diskFailure
    case diskFull
    case diskHung
    case logDamaged
    case recoveringBegan
    case recoveringEnded
    case nodeLost
    case nodeWiped
    case nodeRetired
    case clockJump
    case connectionReset
    case ambush
    case calmWeather
    case uncommittedTruncated
    case snapshotInstalled
    case snapshotRolledForward
    case snapshotResumed
    case snapshotRefused
    case logCompacted
    case prefetch
    case transferDone
    case transferFailed
    case membershipChanged
    case featureLevelRaised

    // What clients lived through
    case writeAnswered
    case writeRefused
    case writeUnknown
    case writeRetried
    case writeRepeated
    case readAtLeader
    case readAtFollower
    case readFailed
    case leaseRead
    case sessionOpened
    case sessionGone
    case windowPassed
    case replyForgotten
}
