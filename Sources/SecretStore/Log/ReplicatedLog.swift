package import LMDB

/// The only way in which state changes, and the place where reads learn how far they must look.
///
/// On one node it is ``SingleNodeLog``; in a cluster, the node that drives Raft.
package protocol ReplicatedLog: Sendable {
    /// Puts `mutation` into the log; it is applied on every node, in log order.
    ///
    /// May be called from any thread and does not wait.
    ///
    /// - Parameter completion: Called once, on a thread of the log's: with the outcome once the mutation is durable and applied, or
    ///   with what is known about it otherwise. It must not block.
    func propose(_ mutation: Mutation, completion: @escaping @Sendable (Result<Outcome, ProposalFailure>) -> Void)

    /// Calls `completion` when everything that was acknowledged before this call has been applied here, so that a read which
    /// starts then is linearizable (Raft, section 8: ReadIndex).
    ///
    /// May be called from any thread. A log that is never behind calls `completion` before it returns.
    func readBarrier(completion: @escaping @Sendable (Result<Void, ProposalFailure>) -> Void)

    /// Whether a read that starts now is linearizable as it is: ``readBarrier(completion:)`` would not wait. Costs next to nothing.
    var isReadableNow: Bool { get }
}

/// What became of a proposal that has no outcome.
package enum ProposalFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// Refused before it entered the log: the disk has less free space than the reserve. Retry when there is room.
    case diskFull
    /// Refused before it entered the log: too much is waiting. Retry later.
    case overloaded
    /// Refused before it entered the log: the node stops. Retry on another node.
    case stopping
    /// It may or may not be applied: the node stopped while the mutation was on its way.
    case outcomeUnknown

    package var description: String {
        switch self {
        case .diskFull: "the disk is nearly full; free some space, then retry"
        case .overloaded: "too many requests are waiting; retry later"
        case .stopping: "the node is stopping; retry on another node"
        case .outcomeUnknown: "the node stopped before the outcome was known; read before you retry"
        }
    }
}

/// What a log applies its mutations to.
package protocol ReplicatedStateMachine: Sendable {
    /// Where the state lives. The log's apply thread is its only writer.
    var environment: Environment { get }

    /// Applies the mutation at position `index`, one above the last one applied. Deterministic.
    ///
    /// - Throws: `LMDBError`; the transaction must then be aborted.
    func apply(_ mutation: Mutation, at index: UInt64, in transaction: inout WriteTransaction) throws -> Outcome

    /// Position of the last mutation whose effects are committed in the environment; 0 for none.
    func committedIndex() throws -> UInt64
}

extension SecretStore: ReplicatedStateMachine {}

extension Mutation {
    /// The secret whose readers wait until this mutation is committed. `nil` where no reader looks for the effect at once:
    /// housekeeping, and access dates, which lag by design.
    var touchedSecret: SecretKey? {
        let name: SecretName? =
            switch command {
            case .createSecret(let command): command.secret.name
            case .putSecretValue(let command): command.secret.name
            case .updateSecret(let command): command.secret.name
            case .updateSecretVersionStage(let command): command.secret.name
            case .deleteSecret(let secret, _), .restoreSecret(let secret), .tagResource(let secret, _), .untagResource(let secret, _),
                .putResourcePolicy(let secret, _), .deleteResourcePolicy(let secret), .purgeDeletedSecret(let secret):
                secret.name
            case .recordAccess, .createAccount, .putAccessKey, .cluster: nil
            }
        return name.map { SecretKey(account: account, name: $0) }
    }
}
