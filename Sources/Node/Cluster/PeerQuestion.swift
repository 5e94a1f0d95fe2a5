/// What a node asks another over their link, besides the messages of the core.
enum PeerQuestion: UInt16 {
    /// The body is the asker's ``IdentityClaims/Claim`` (16 bytes); the answer is a ``NodeStatus``, or the status of a refused claim.
    case status = 1
    /// Hand the leadership over; the body is the id of the node that shall lead (8 bytes), or empty. The answer is a sentence, or empty for done.
    case transferLeadership = 2
}
