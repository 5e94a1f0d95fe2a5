internal import LMDB
internal import Logging
internal import Raft
internal import SecretStore
internal import WriteAheadLog

/// Puts together what a node's log and its state hold (`reference/raft.md` §2.7).
///
/// Term, vote and entries are the log's; what was applied is the state's. The core checks that the two fit.
///
/// - Parameters:
///   - founding: In force when the log knows no membership at or before its beginning.
///   - applied: The state's position. It is durable.
func recoveredState(_ log: RecoveredLog, applied: LogIndex, founding: Membership) -> RecoveredState {
    var state = RecoveredState()
    state.hardState = log.hardState
    state.compactedThrough = log.compactedThrough
    state.termRuns = log.termRuns
    state.lastIndex = log.lastIndex
    state.memberships = log.memberships
    if log.memberships.first.map({ $0.index > log.compactedThrough.index }) ?? true {
        // What a node was founded with is in no entry.
        state.memberships.insert(MembershipRecord(index: .zero, membership: founding), at: 0)
    }
    state.commit = max(log.commit, applied)
    state.applied = applied
    state.stateDurable = applied
    state.isDamaged = log.isDamaged
    return state
}

/// The log of a node, opened, brought into line with the state, and not yet driven.
///
/// Sendable: made by one thread, and taken by the one that starts the log thread.
final class OpenedLog: @unchecked Sendable {
    let state: RecoveredState
    private var log: WriteAheadLog<PosixLogDirectory>?

    /// - Throws: ``NodeProblem``, `LogProblem`, `FileFault`, ``StoreError``, `LMDBError`.
    init(_ settings: NodeSettings, store: SecretStore, logger: Logger) throws {
        var logSettings = LogSettings()
        logSettings.segmentByteCount = settings.segmentByteCount
        let (log, recovered) = try WriteAheadLog.open(
            try Self.directory(settings.logDirectory), identity: LogIdentity(cluster: settings.clusterTag, node: settings.id.raw),
            settings: logSettings, nonces: { UInt64.random(in: .min ... .max) })
        // What this process reads now must survive the machine before the log below it may go.
        try store.environment.synchronize()
        var applied = LogIndex(try store.committedPosition().index)
        if let boundary = recovered.boundary, applied < boundary.last.index {
            // The log was already replaced by this image when the process ended.
            logger.notice("finishing the installation of a snapshot", metadata: ["last": "\(boundary.last)"])
            let path = SnapshotDepot.stagedPath(of: boundary.image, in: settings.snapshotDirectory)
            _ = try store.install(snapshot: path)
            applied = boundary.last.index
        }
        guard applied <= recovered.lastIndex else {
            throw NodeProblem(
                description: "the log in '\(settings.logDirectory)' ends at entry \(recovered.lastIndex), but the state holds entries up to \(applied)"
                    + (recovered.damage.map { "; \($0)" } ?? "")
                    + "; restore the log, or remove the node from the cluster and let it join again with an empty data directory")
        }
        if recovered.wasTorn { logger.notice("the log ended in a write that was never acknowledged; it was cut off") }
        if recovered.isDamaged { logger.error("the log is damaged: this node follows without a vote until it is whole again") }
        state = recoveredState(recovered, applied: applied, founding: settings.founding)
        self.log = log
    }

    private static func directory(_ path: String) throws(NodeProblem) -> PosixLogDirectory {
        do throws(FileFault) {
            return try PosixLogDirectory(path: path)
        } catch {
            throw NodeProblem(description: "the log in '\(path)' cannot be opened (\(error)); restore the directory, then start the node again")
        }
    }

    /// Hands the log over, once.
    func take() -> WriteAheadLog<PosixLogDirectory> {
        guard let log else { preconditionFailure("the log is handed over once") }
        self.log = nil
        return log
    }
}
