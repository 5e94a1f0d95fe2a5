package import LMDB
import OpenSSL

extension SecretStore {
    /// Applies one mutation at one position of the log.
    ///
    /// Deterministic: no clock, no randomness, no I/O but `txn`, no iteration over hashed collections. The same mutations at the
    /// same indexes give the same rows, byte for byte, and the same state hash on every machine, however they are cut into
    /// transactions. A proposal that was applied before (same id) changes nothing and gets its first outcome.
    ///
    /// The changes are visible to queries when the transaction commits. The applier's thread only.
    ///
    /// - Parameters:
    ///   - index: Position in the log, above that of the last applied entry.
    ///   - term: Raft term of the entry, not below that of the last applied entry.
    /// - Returns: The answer to the proposer; a refusal by the rules of the domain is ``Outcome/failed(_:)``.
    /// - Throws: `LMDBError`, `KeyringError` or ``StoreError``: the transaction must be aborted then.
    package func apply(_ mutation: Mutation, at index: UInt64, term: UInt64, in txn: inout WriteTransaction) throws -> Outcome {
        var transition = Transition(self, mutation, at: index, term: term, from: try position(in: txn))
        if let outcome = try outcome(of: mutation.id, in: txn) {
            try transition.finish(in: &txn)
            return outcome
        }
        let outcome: Outcome
        do {
            try transition.checkAge()
            outcome = try transition.execute(in: &txn)
        } catch let failure as StoreFailure {
            precondition(transition.changeCount == 0, "a command is refused before it changes anything")
            outcome = .failed(failure)
        }
        try transition.remember(outcome, in: &txn)
        try transition.finish(in: &txn)
        return outcome
    }

    /// Applies a mutation of the log of a single node, which has no terms; see ``apply(_:at:term:in:)``.
    package func apply(_ mutation: Mutation, at index: UInt64, in txn: inout WriteTransaction) throws -> Outcome {
        try apply(mutation, at: index, term: 0, in: &txn)
    }

    /// The outcome of a proposal that was applied not long ago.
    private func outcome(of id: ProposalID, in txn: borrowing WriteTransaction) throws -> Outcome? {
        guard let row = try tables.proposals.raw.get(StateKeys.proposal(id).span.bytes, in: txn) else { return nil }
        return try decode(tables.proposals) { () throws(DecodingFailure) in try Outcome(decoding: row) }
    }
}

extension Transition {
    /// Refuses a proposal that is so old that a first execution of it could be forgotten by now.
    ///
    /// Whatever was executed stands behind its basis, so while this passes, the memory reaches back to it.
    ///
    /// - Throws: ``StoreFailure/expired``.
    fileprivate func checkAge() throws(StoreFailure) {
        guard mutation.basis > 0 else { return }
        guard mutation.basis < index, index - mutation.basis <= Limits.proposalsRemembered else { throw .expired }
    }

    /// Runs the command. All checks come before the first change.
    fileprivate mutating func execute(in txn: inout WriteTransaction) throws -> Outcome {
        switch mutation.command {
        case .createSecret(let command): try createSecret(command, in: &txn)
        case .putSecretValue(let command): try putSecretValue(command, in: &txn)
        case .updateSecret(let command): try updateSecret(command, in: &txn)
        case .updateSecretVersionStage(let command): try updateSecretVersionStage(command, in: &txn)
        case .deleteSecret(let secret, .afterWindow(let days)): try scheduleDeletion(of: secret, days: Int(days), in: &txn)
        case .deleteSecret(let secret, .immediately): try deleteImmediately(secret, in: &txn)
        case .restoreSecret(let secret): try restoreSecret(secret, in: &txn)
        case .tagResource(let secret, let tags): try tagResource(secret, tags, in: &txn)
        case .untagResource(let secret, let keys): try untagResource(secret, keys, in: &txn)
        case .putResourcePolicy(let secret, let policy): try putResourcePolicy(policy, on: secret, in: &txn)
        case .deleteResourcePolicy(let secret): try deleteResourcePolicy(of: secret, in: &txn)
        case .recordAccess(let marks, let day): try recordAccess(marks, on: day, in: &txn)
        case .purgeDeletedSecret(let secret): try purgeDeletedSecret(secret, in: &txn)
        case .createAccount: try createAccount(in: &txn)
        case .putAccessKey(let key): try putAccessKey(key, in: &txn)
        case .cluster(let command): try execute(command, in: &txn)
        }
    }

    /// Keeps the outcome for a repetition of the proposal, and forgets those that are too far back.
    fileprivate mutating func remember(_ outcome: Outcome, in txn: inout WriteTransaction) throws {
        let id = StateKeys.proposal(mutation.id)
        try put(tables.proposals, key: id, value: outcome.encode(), in: &txn)
        try append(tables.proposalOrder, key: StateKeys.number(index), value: id, in: &txn)
        guard index > Limits.proposalsRemembered else { return }
        let forgottenBelow = index - Limits.proposalsRemembered
        while let (key, id) = try oldestProposal(in: txn) {
            guard let oldest = StateKeys.number(decoding: key.span.bytes) else {
                throw StoreError.corrupted(table: tables.proposalOrder.name)
            }
            guard oldest <= forgottenBelow else { return }
            try delete(tables.proposals, key: id, in: &txn)
            try delete(tables.proposalOrder, key: key, in: &txn)
        }
    }

    private func oldestProposal(in txn: borrowing WriteTransaction) throws(LMDBError) -> (key: [UInt8], id: [UInt8])? {
        guard let entry = try tables.proposalOrder.raw.first(in: txn) else { return nil }
        return (entry.key.withUnsafeBytes { [UInt8]($0) }, entry.value.withUnsafeBytes { [UInt8]($0) })
    }
}
