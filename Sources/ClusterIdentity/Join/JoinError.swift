package import SecretStore

/// Why a node could not join: one sentence each, with what to do. Never holds the token.
package enum JoinError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A member said no, and every other would too.
    case refused(JoinRefusal)
    /// Who answers does not belong to the cluster that the token is of. It was not told the token.
    case wrongCluster(NodeAddress)
    /// The member's certificate does not hold yet, or no longer, by this node's clock. It was not told the token.
    case clock(NodeAddress)
    /// What answers is no member that lets nodes join, or no node at all. It was not told the token.
    case notAMember(NodeAddress)
    /// The connection ended, or nothing came, before the answer did. The token may be used up: ask again with the same key.
    case answerLost(NodeAddress)
    case unreachable(NodeAddress)
    /// An answer that contradicts the token or itself.
    case badAnswer(NodeAddress)
    /// No address was given.
    case noAddress

    package var description: String {
        switch self {
        case .refused(let refusal): refusal.description
        case .wrongCluster(let address): "'\(address)' belongs to another cluster than the token; the token was not sent; check address and token"
        case .clock(let address): "the certificate of '\(address)' does not hold at this node's time; set the clocks of both and try again"
        case .notAMember(let address): "what listens at '\(address)' is not a conclave node that lets others join; give the peer address of a member"
        case .answerLost(let address): "the connection to '\(address)' ended before its answer came; try again with the same data directory"
        case .unreachable(let address): "'\(address)' cannot be reached; check the address, the network and that the member runs"
        case .badAnswer(let address): "the answer of '\(address)' makes no sense; run the same version of conclave on all nodes"
        case .noAddress: "give the peer address of at least one member"
        }
    }

    /// Whether the same may succeed a little later.
    package var mayPass: Bool {
        switch self {
        case .refused(let refusal): refusal == .unavailable || refusal == .tooManyAttempts
        case .answerLost, .unreachable: true
        case .wrongCluster, .clock, .notAMember, .badAnswer, .noAddress: false
        }
    }

    /// Whether the next member may give a better answer.
    var isOfThisMember: Bool {
        switch self {
        case .refused(let refusal): refusal == .unavailable || refusal == .tooManyAttempts
        case .wrongCluster, .clock, .notAMember, .answerLost, .unreachable, .badAnswer, .noAddress: true
        }
    }
}
