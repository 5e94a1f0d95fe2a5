package import Sessions

/// One operation of a client, from its first attempt to its answer. Retries are attempts of the same operation, under the same request number.
package struct ClientOperation: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case get
        case put(UInt64)
        /// Writes `new` if the register holds `expected`.
        case compareAndSet(expected: UInt64, new: UInt64)
    }

    package enum Outcome: Hashable, Sendable {
        /// The value of the register, 0 for none.
        case read(UInt64)
        case written
        /// The register held another value, and still does.
        case mismatch(UInt64)
        /// The client gave up: the operation may take place at any time from its beginning on, or never.
        case unknown
        /// Nothing was done, and nothing will be.
        case failed
    }

    /// Position in ``World/history``.
    package let number: Int
    package let client: Int
    /// Nil for reads, which need none.
    package let session: SessionID?
    /// The request number within the session; 0 for reads.
    package let sequence: UInt64
    package let key: UInt64
    /// Written values are unique in the whole run and never 0.
    package let kind: Kind
    package let begin: VirtualTime
    package internal(set) var end: VirtualTime?
    package internal(set) var outcome: Outcome?

    package var isFinished: Bool { outcome != nil }
    package var isWrite: Bool { kind != .get }
}

/// What applying one entry came to.
package enum ApplyResult: Hashable, Sendable {
    /// A no-op or a membership.
    case nothing
    case registered(SessionRegistration)
    /// A command, and whether it was done now or its result of an earlier time repeated.
    case command(CommandReply, isRepeated: Bool)
    /// A command that was done before, and whose reply the session table had no room for.
    case forgotten
    /// Not executed.
    case refused(SessionRefusal)
}

/// The state machine's answer to a command.
package enum CommandReply: Hashable, Sendable {
    case written
    case mismatch(UInt64)
}
