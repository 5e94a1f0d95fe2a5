/// One entry of the replicated log.
package struct Entry: Hashable, Sendable {
    package enum Body: Hashable, Sendable {
        /// The first entry of a leader's term: committing it commits everything before it (thesis §3.6.2, §6.4).
        case noop
        /// Work for the state machine.
        case command(Command)
        /// A new cluster membership, in force from the moment it is in a node's log (paper §6).
        case membership(Membership)
    }

    package let id: EntryID
    package let body: Body

    package init(id: EntryID, body: Body) {
        self.id = id
        self.body = body
    }

    package var index: LogIndex { id.index }
    package var term: Term { id.term }

    /// What the entry counts for in windows and limits: its payload and a fixed share for what surrounds it.
    package var byteCount: Int {
        switch body {
        case .noop: Self.envelopeByteCount
        case .command(let command): Self.envelopeByteCount + command.payload.count
        case .membership(let membership): Self.envelopeByteCount + 8 * membership.nodeCount
        }
    }

    /// Index, term, kind, length and checksums of one log record, rounded up (`reference/raft.md` §2.7).
    private static let envelopeByteCount = 48

    package var membership: Membership? {
        if case .membership(let membership) = body { membership } else { nil }
    }
}

/// What a client wants done, as the core sees it: bytes that it never looks into. They are already sealed.
///
/// Request ids for exactly-once application are inside the payload: they belong to the state machine, the core does not need them.
package struct Command: Hashable, Sendable {
    package let payload: [UInt8]

    /// The command makes sense only if the leader of this term appends it, as for decisions that a leader took by its clock
    /// (expiry, rotation). A leader of another term refuses it, so a paused old leader cannot act late.
    package let onlyIfTerm: Term?

    /// The least ``Membership/featureLevel`` at which every member understands the command.
    package let featureLevel: UInt16

    package init(_ payload: [UInt8], onlyIfTerm: Term? = nil, featureLevel: UInt16 = 0) {
        self.payload = payload
        self.onlyIfTerm = onlyIfTerm
        self.featureLevel = featureLevel
    }
}
