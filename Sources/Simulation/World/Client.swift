import Raft
import Sessions

/// A client: one operation after the other, each retried under the same request number until it is answered or given up. Before it writes, it
/// opens a session; when that is gone, another one.
struct Client {
    var session: SessionID?
    var nextSequence: UInt64 = 1
    /// What it says to have all answers below of. Not always as high as it could be.
    var mark: UInt64 = 1
    /// It waits for a session, to write under it.
    var isRegistering = false
    /// In ``World/history``, while one is under way.
    var operation: Int?
    /// Of the operation or of the registration.
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

    mutating func enter(_ id: SessionID) {
        isRegistering = false
        session = id
        nextSequence = 1
        mark = 1
    }
}

/// One message of a client to a node.
struct Attempt {
    enum Request {
        case read(key: UInt64)
        case propose(RegisterCommand)
    }

    let client: Int
    /// In ``World/history``; nil for a registration.
    let operation: Int?
    let request: Request
    let generation: Int
    let ticket: Ticket
    let node: Int
}

/// One message of a node to a client.
struct Answer {
    enum Content {
        case value(UInt64)
        case reply(CommandReply, isRepeated: Bool)
        /// Executed before, and the reply is not kept any more.
        case forgotten
        case session(SessionID)
        /// The session table refused this attempt, and it was not executed.
        case sessionRefused(SessionRefusal)
        /// Nothing was done with this attempt.
        case refused(Refusal?)
        case unknown
    }

    let attempt: Attempt
    let content: Content
}
