package import Raft

/// What `apply` answers. Deterministic, and remembered for a while so that a repeated proposal gets the same answer.
package enum Outcome: Equatable, Sendable {
    /// The secret changed, or needed no change: ARN and name are the answer.
    case secret(SecretARN)
    /// A version was written, or was there already with the same value. Labels sorted.
    case version(SecretARN, VersionID, stages: [StagingLabel])
    /// The secret is gone, or goes at that time.
    case deletion(SecretARN, deletionDate: Timestamp)
    /// A command of the cluster's own housekeeping, an account or an access key.
    case done
    /// A node belongs to the cluster under this id.
    case node(NodeID)
    /// Nothing changed.
    case failed(StoreFailure)
}
