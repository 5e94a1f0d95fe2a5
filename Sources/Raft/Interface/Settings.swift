/// What an operator or a test chooses for one node. All nodes of a cluster should agree on the times.
package struct Settings: Sendable {
    /// A follower campaigns after hearing no leader for a time drawn anew from `[electionTimeout, 2 × electionTimeout)`
    /// (paper §5.2). Also the time for which a node that hears a leader refuses votes (thesis §4.2.3), a leader leads without
    /// a quorum (thesis §6.2), and a transfer may take (thesis §3.10).
    package var electionTimeout: Interval = .milliseconds(1_000)

    package var heartbeatInterval: Interval = .milliseconds(100)

    /// A leader whose oldest unfinished log write is older than this gives the leadership away (`reference/raft.md` decision 7).
    package var diskStallTimeout: Interval = .milliseconds(2_000)

    /// A follower's read, or its request for the next piece of a snapshot, is repeated after this.
    package var retryInterval: Interval = .milliseconds(300)

    /// How long a proposal waits for news after the leader that took it is gone, before its outcome is called unknown.
    package var unknownOutcomeTimeout: Interval = .milliseconds(2_000)

    /// Serve reads without a round while a lease lasts (thesis §6.4.1). Needs clocks whose rates differ by less than
    /// `clockDriftPermille`, on every node. Must be the same on all nodes.
    package var usesLeases = false

    /// The greatest difference of clock rates that a lease allows for, in thousandths.
    package var clockDriftPermille: UInt64 = 50

    /// The newest feature level that this program understands.
    package var featureLevelMax: UInt16 = 0

    /// The generation of the membership that first named this node; 0 for a founding member. Only a notice about a later
    /// one can retire it.
    package var joinGeneration: UInt64 = 0

    package var limits = Limits()

    package init() {}

    /// Whether the numbers make sense together. Checked once, when a core is made.
    package var isValid: Bool {
        heartbeatInterval > .zero && heartbeatInterval * 2 <= electionTimeout && electionTimeout < .milliseconds(3_600_000)
            && diskStallTimeout >= electionTimeout && retryInterval > .zero && clockDriftPermille < 1_000 && limits.isValid
    }
}

/// Everything that could grow has one of these (`reference/raft.md` §2.4).
package struct Limits: Sendable {
    /// Members of a cluster, learners included. Linear scans and quadratic quorums assume it is small.
    package static let nodesMax = 15

    /// Largest command payload: a secret of 64 KiB (Secrets Manager API, `SecretString`) in its sealed mutation, four times over.
    package var commandBytesMax = 256 * 1024
    /// Entries in one append message end at the first that reaches this; one message may hold one larger entry.
    package var appendBytesMax = 1 << 20
    package var inflightAppendsMax = 256
    package var inflightBytesMax = 8 << 20
    /// Proposals are refused while the leader has this much in its log that is not committed. One entry is always allowed.
    package var uncommittedBytesMax = 64 << 20
    /// Proposals are refused while the state machine is this many entries behind the commit index.
    package var unappliedEntriesMax: UInt64 = 100_000
    /// Reads that wait for a round.
    package var readsMax = 10_000
    /// Proposals of this node whose outcome is open, here or at the leader.
    package var proposalsMax = 20_000
    package var snapshotChunkBytes = 1 << 20
    /// A transfer target and a learner to be promoted may lag this much.
    package var catchUpEntriesMax: UInt64 = 1_000
    /// Entries kept behind the durable state for followers that are a little behind: less often a snapshot.
    package var trailingEntries: UInt64 = 10_000
    /// The log is cut only when that drops at least this many entries.
    package var compactionStep: UInt64 = 1_000
    /// Lives of other nodes whose forwarded proposals a leader remembers, to take each once.
    package var forwardOriginsMax = 64
    /// Marks that time unfinished log writes.
    package var writeMarksMax = 1_024

    package init() {}

    var isValid: Bool {
        commandBytesMax > 0 && appendBytesMax > 0 && inflightAppendsMax > 0 && inflightBytesMax > 0 && uncommittedBytesMax > 0
            && unappliedEntriesMax > 0 && readsMax > 0 && proposalsMax > 0 && snapshotChunkBytes > 0 && compactionStep > 0
            && forwardOriginsMax > 0 && writeMarksMax > 1
    }
}
