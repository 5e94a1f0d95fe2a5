/// What a node asks another over their link, besides the messages of the core.
enum PeerQuestion: UInt16 {
    /// The answer is a ``NodeStatus``.
    case status = 1
    /// Hand the leadership over; the body is the id of the node that shall lead (8 bytes), or empty. The answer is a sentence, or empty for done.
    case transferLeadership = 2
}
