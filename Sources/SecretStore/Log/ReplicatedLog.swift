internal import Keyring
package import LMDB
package import OpenSSL

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
    /// Certainly not applied: no leader could be reached in the time of the request. Retry later.
    case unavailable
    /// It may or may not be applied: its time was over, or the node stopped, while the mutation was on its way.
    case outcomeUnknown

    package var description: String {
        switch self {
        case .diskFull: "the disk is nearly full; free some space, then retry"
        case .overloaded: "too many requests are waiting; retry later"
        case .stopping: "the node is stopping; retry on another node"
        case .unavailable: "the cluster has no leader that this node can reach; retry later"
        case .outcomeUnknown: "the outcome could not be learned in time; read before you retry"
        }
    }
}

/// What a log applies its mutations to.
package protocol ReplicatedStateMachine: Sendable {
    /// Where the state lives. The log's apply thread is its only writer.
    var environment: Environment { get }

    /// Applies the mutation at position `index`, one above the last one applied. Deterministic.
    ///
    /// - Parameter term: Raft's, of the entry; 0 in a log without terms.
    /// - Throws: `LMDBError`; the transaction must then be aborted.
    func apply(_ mutation: Mutation, at index: UInt64, term: UInt64, in transaction: inout WriteTransaction) throws -> Outcome
    /// Applies an entry that moves the position and changes nothing else.
    func passNoop(at index: UInt64, term: UInt64, in transaction: inout WriteTransaction) throws
    /// Applies an entry that changes who belongs to the cluster.
    func passMembership(_ encoded: [UInt8], at index: UInt64, term: UInt64, in transaction: inout WriteTransaction) throws
    /// Opens a mutation as it stands in a replicated log.
    ///
    /// - Throws: `KeyringError` or `DecodingFailure` for what no node of this cluster wrote.
    func openMutation(_ sealed: [UInt8]) throws -> Mutation
    /// Hash over every change so far.
    func stateHash(in transaction: borrowing WriteTransaction) throws -> Digest
    /// Replaces the whole state by that of an image file, durably. On the thread that applies, outside a transaction.
    func install(snapshot path: String) throws -> SnapshotSummary

    /// Position of the last mutation whose effects are committed in the environment; 0 for none.
    func committedIndex() throws -> UInt64
}

extension SecretStore: ReplicatedStateMachine {
    package func stateHash(in transaction: borrowing WriteTransaction) throws -> Digest { try position(in: transaction).stateHash }

    package func openMutation(_ sealed: [UInt8]) throws -> Mutation {
        let encoded = try keyring.openLogEntry(sealed.span.bytes)
        return try Mutation(decoding: encoded.span.bytes)
    }
}

extension ReplicatedStateMachine {
    /// - Returns: The outcome of a mutation.
    func apply(_ entry: Applier.Entry, in transaction: inout WriteTransaction) throws -> Outcome? {
        switch entry.content {
        case .mutation(let mutation): return try apply(mutation, at: entry.index, term: entry.term, in: &transaction)
        case .sealed: preconditionFailure("entries are opened before they are applied")
        case .noop: try passNoop(at: entry.index, term: entry.term, in: &transaction)
        case .membership(let encoded): try passMembership(encoded, at: entry.index, term: entry.term, in: &transaction)
        }
        return nil
    }
}

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
