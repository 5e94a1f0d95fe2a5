import Keyring
package import Logging
import Synchronization

/// Removes secrets whose deletion date has come, by proposing it: `apply` decides.
///
/// Safe from any thread.
package final class DeletionSweeper: Sendable {
    /// Removals proposed at a time; the next sweep goes on.
    static let secretsPerSweepMax = 200

    private let store: SecretStore
    private let log: any ReplicatedLog
    private let logger: Logger
    private let isWanted: @Sendable () -> Bool
    /// Removals that were proposed and have no outcome yet.
    private let pending = Atomic<Int>(0)

    /// - Parameter isWanted: Whether this node is the one that sweeps now: the leader, or else all would propose the same.
    package init(store: SecretStore, log: any ReplicatedLog, logger: Logger, isWanted: @escaping @Sendable () -> Bool = { true }) {
        self.isWanted = isWanted
        self.store = store
        self.log = log
        self.logger = logger
    }

    /// Proposes to remove what is due. Does nothing while the proposals of the last sweep are under way.
    ///
    /// Reads LMDB: not for an event loop.
    package func sweep(at now: Timestamp) {
        guard isWanted(), pending.load(ordering: .acquiring) == 0 else { return }
        do {
            let due = try store.dueDeletions(by: now, limit: Self.secretsPerSweepMax)
            pending.store(due.count, ordering: .releasing)
            for arn in due {
                let mutation = Mutation(
                    account: arn.account, at: now, keyTerm: store.keyring.currentTerm, command: .purgeDeletedSecret(arn.reference))
                // A refused removal is due at the next sweep still.
                log.propose(mutation) { [self] _ in pending.subtract(1, ordering: .acquiringAndReleasing) }
            }
        } catch {
            logger.warning("secrets that are due for deletion cannot be listed", metadata: ["error": "\(error)"])
        }
    }
}
