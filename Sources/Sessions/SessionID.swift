/// Names one session for ever: 128 bits, given out by the log.
///
/// The first half is the index of the entry that registered the session (thesis §6.3), so no id is given out twice: a late copy of a
/// registration opens another session, and cannot bring an evicted one back to life with an empty memory. The second half is a number that
/// the client chose; it tells registrations in one entry apart and lets nobody use a session by guessing its index.
package struct SessionID: Hashable, Sendable, Comparable {
    /// Index of the entry that registered it.
    package let registeredAt: UInt64
    package let nonce: UInt64

    package init(registeredAt: UInt64, nonce: UInt64) {
        self.registeredAt = registeredAt
        self.nonce = nonce
    }

    package static func < (left: SessionID, right: SessionID) -> Bool {
        (left.registeredAt, left.nonce) < (right.registeredAt, right.nonce)
    }
}
