import Raft

/// A client: one operation after the other, each retried under the same request number until it is answered or given up.
struct Client {
    var session: UInt64
    var nextSequence: UInt64 = 1
    /// In ``World/history``, while one is under way.
    var operation: Int?
    var attempts = 0
    /// Attempts that may be executed, now or later.
    var openAttempts = 0
    /// Only the newest timer and the newest attempt count.
    var generation = 0
    /// Where the last attempt went, or should go after a hint.
    var target: Int?
    /// What it last knew of each register, to have something to compare with.
    var known: [UInt64]
    /// Since the liveness phase began.
    var freshReads = 0
    var freshWrites = 0
}

/// One message of a client to a node.
struct Attempt {
    let client: Int
    /// In ``World/history``.
    let operation: Int
    let generation: Int
    let ticket: Ticket
    let node: Int
    let sequence: UInt64
}

/// One message of a node to a client.
struct Answer {
    enum Content {
        case value(UInt64)
        case reply(CommandReply, isRepeated: Bool)
        /// The session table does not know the session any more, or the request is older than its newest.
        case sessionRefused
        /// Nothing was done with this attempt.
        case refused(Refusal?)
        case unknown
    }

    let attempt: Attempt
    let content: Content
}
