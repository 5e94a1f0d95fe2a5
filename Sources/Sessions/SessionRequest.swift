/// What a client sends along with a command, so that the command is executed once however often it is sent.
///
/// Copies of one command carry the same session and sequence. The mark may grow from one copy to the next.
package struct SessionRequest: Hashable, Sendable {
    package let session: SessionID
    /// Counts the commands of the session, from 1.
    package let sequence: UInt64
    /// The client has the answers of all sequences below this one, or does without: it sends none of them again.
    package let answeredBelow: UInt64

    package init(session: SessionID, sequence: UInt64, answeredBelow: UInt64) {
        self.session = session
        self.sequence = sequence
        self.answeredBelow = answeredBelow
    }
}

/// What is to be done with a request.
package enum SessionVerdict: Hashable, Sendable {
    /// Never executed: execute it, then call ``SessionTable/finish(_:outcome:)``.
    case fresh
    /// Executed before, with this outcome. Nil when the outcome did not fit, see ``SessionSettings/outcomeByteCountMax``: it is done, and
    /// what came of it is not known any more.
    case repeated([UInt8]?)
    /// Must not be executed. The table is unchanged.
    case refused(SessionRefusal)
}

/// Why a request is not executed (`reference/raft.md` T11).
///
/// A refusal speaks of one copy of the request. Only ``sequenceTooHigh`` says that no copy was executed before.
package enum SessionRefusal: Hashable, Sendable {
    /// Never registered, or evicted. An earlier copy may have been executed.
    case noSession
    /// The session's mark has passed the sequence: the client had its answer, and this is a late copy. Also for sequence 0, and for a request
    /// whose own mark is above its sequence.
    case sequenceTooLow
    /// Beyond the window. The client sends it again when older requests are answered.
    case sequenceTooHigh
}

package enum SessionRegistration: Hashable, Sendable {
    /// - Parameter evicted: The sessions that had to go, in the order in which they went; at most one while the limit stays as it is.
    case registered(SessionID, evicted: [SessionID])
    /// The same client twice in one entry: the session exists already, and is unchanged.
    case known(SessionID)

    package var id: SessionID {
        switch self {
        case .registered(let id, _), .known(let id): id
        }
    }
}
