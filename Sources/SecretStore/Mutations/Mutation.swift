import OpenSSL

/// Names one proposal, so that it is applied once however often it is forwarded: sixteen random bytes of the proposer.
package struct ProposalID: Hashable, Sendable {
    /// Length, in bytes.
    static let byteCount = 16

    let high: UInt64
    let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package static func random() -> ProposalID {
        var generator = SecureRandom.Generator()
        return ProposalID(high: generator.next(), low: generator.next())
    }
}

/// One change of the replicated state. Everything random or time-bound is already chosen inside: ids, ARN suffixes, ciphertexts,
/// fingerprints, and the time.
///
/// Holds ciphertext and metadata, never the plaintext of a value.
package struct Mutation: Equatable, Sendable {
    package var id: ProposalID
    /// The account that owns what the command touches. For a call from another account that a resource policy admits, this is
    /// the secret's account, not the caller's.
    package var account: AccountID
    /// The proposer's wall clock. Clocks of proposers differ, so times of consecutive mutations need not ascend.
    package var at: Timestamp
    /// The domain key term that `apply` seals records under.
    package var keyTerm: UInt32
    /// The proposer's applied index when it first proposed this; a repetition carries the same. `apply` executes nothing that
    /// stands more than ``Limits/proposalsRemembered`` positions behind it, so a repetition is recognised or refused, however
    /// late it comes. 0 sets no bound: for a log in which nothing is ever proposed twice.
    package var basis: UInt64
    package var command: Command

    package init(id: ProposalID = .random(), account: AccountID, at: Timestamp, keyTerm: UInt32, basis: UInt64 = 0, command: Command) {
        self.id = id
        self.account = account
        self.at = at
        self.keyTerm = keyTerm
        self.basis = basis
        self.command = command
    }
}
