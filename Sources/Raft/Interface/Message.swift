/// What one core says to another.
///
/// The core survives loss, repetition, delay and any order of messages. It trusts `from`: the transport fills it in from the
/// authenticated peer and drops what names another cluster.
package struct Message: Hashable, Sendable {
    package let from: NodeID
    package let to: NodeID
    /// The sender's term when it spoke (for ``Payload/preVote(_:)`` the term it has, not the one it asks for).
    package let term: Term
    package let payload: Payload

    package init(from: NodeID, to: NodeID, term: Term, payload: Payload) {
        self.from = from
        self.to = to
        self.term = term
        self.payload = payload
    }

    package enum Payload: Hashable, Sendable {
        case preVote(VoteRequest), preVoteReply(VoteReply)
        case vote(VoteRequest), voteReply(VoteReply)
        case append(Append), appendReply(AppendReply)
        case heartbeat(Heartbeat), heartbeatReply(HeartbeatReply)
        /// Tells at once what is committed; needs no answer, and the next heartbeat says it again.
        case commit(EntryID)
        case readIndex(ReadRequestID), readIndexReply(ReadRequestID, at: EntryID?)
        case forward(Forward), forwardReply(ForwardReply)
        /// The leader asks the receiver to campaign at once (thesis §3.10), if its log reaches `expecting`.
        case timeoutNow(expecting: EntryID)
        case snapshotOffer(SnapshotMeta)
        case snapshotRequest(SnapshotImage, offset: UInt64)
        case snapshotChunk(SnapshotChunk)
        case snapshotRefusal(SnapshotImage, SnapshotFault)
        /// A committed membership of this generation does not contain the receiver.
        case retire(generation: UInt64)
    }
}

/// RequestVote, for the pre-vote round (thesis §9.6) and for the real one (paper §5.2).
package struct VoteRequest: Hashable, Sendable {
    /// The term the candidate wants to lead; in a pre-vote one above its own.
    package let campaign: Term
    /// The candidate's last entry (paper §5.4.1).
    package let last: EntryID
    /// The leader itself asked for this campaign: voters do not wait for it to fall silent (thesis §3.10).
    package let isTransfer: Bool
    /// Lets a leader see that the candidate is a leftover that missed its own removal.
    package let generation: UInt64

    package init(campaign: Term, last: EntryID, isTransfer: Bool, generation: UInt64) {
        self.campaign = campaign
        self.last = last
        self.isTransfer = isTransfer
        self.generation = generation
    }
}

package struct VoteReply: Hashable, Sendable {
    /// Repeats ``VoteRequest/campaign``: an answer belongs to one campaign.
    package let campaign: Term
    package let isGranted: Bool

    package init(campaign: Term, isGranted: Bool) {
        self.campaign = campaign
        self.isGranted = isGranted
    }
}

/// AppendEntries (paper §5.3).
package struct Append: Hashable, Sendable {
    package let previous: EntryID
    package let entries: [Entry]
    package let commit: LogIndex
    /// The newest read round of the leader; see ``Heartbeat/epoch``.
    package let epoch: UInt64

    package init(previous: EntryID, entries: [Entry], commit: LogIndex, epoch: UInt64) {
        self.previous = previous
        self.entries = entries
        self.commit = commit
        self.epoch = epoch
    }
}

package struct AppendReply: Hashable, Sendable {
    package enum Result: Hashable, Sendable {
        /// The follower holds everything up to this entry on disk, and it is the leader's entry.
        case matched(EntryID)
        /// The follower does not hold `rejected`. `hint` is its largest entry whose index and term are both not above those of `rejected`
        /// (paper §5.3, last paragraphs: one probe per differing term at most).
        case mismatch(rejected: EntryID, hint: EntryID)
    }

    package let result: Result
    package let epoch: UInt64
    /// False while the sender repairs a damaged log: its copy does not count.
    package let isCounted: Bool

    package init(result: Result, epoch: UInt64, isCounted: Bool) {
        self.result = result
        self.epoch = epoch
        self.isCounted = isCounted
    }
}

/// Small and apart from bulk data, so that a long queue of entries does not look like a dead leader.
package struct Heartbeat: Hashable, Sendable {
    /// The leader's newest committed entry. A follower may adopt it exactly when its log holds that very entry.
    package let commit: EntryID
    /// The leader's newest read round. An answer with this number or a higher one, in the same term, confirms the round.
    package let epoch: UInt64
    /// The leader's clock; comes back unread. A lease is counted from here (thesis §6.4.1).
    package let sentAt: Instant
    /// The leader's last entry: how far a damaged log must be repaired before it counts again.
    package let last: EntryID

    package init(commit: EntryID, epoch: UInt64, sentAt: Instant, last: EntryID) {
        self.commit = commit
        self.epoch = epoch
        self.sentAt = sentAt
        self.last = last
    }
}

package struct HeartbeatReply: Hashable, Sendable {
    package let epoch: UInt64
    package let echoedSentAt: Instant
    package let applied: LogIndex
    package let isCounted: Bool
    package let featureLevelMax: UInt16

    package init(epoch: UInt64, echoedSentAt: Instant, applied: LogIndex, isCounted: Bool, featureLevelMax: UInt16) {
        self.epoch = epoch
        self.echoedSentAt = echoedSentAt
        self.applied = applied
        self.isCounted = isCounted
        self.featureLevelMax = featureLevelMax
    }
}

/// Names one question of a follower. The leader only repeats it: what confirms the read is the leader's own epoch.
package struct ReadRequestID: Hashable, Sendable, CustomStringConvertible {
    package let incarnation: Incarnation
    package let number: UInt64

    package init(incarnation: Incarnation, number: UInt64) {
        self.incarnation = incarnation
        self.number = number
    }

    package var description: String { "\(incarnation).\(number)" }
}

/// Proposals that a follower hands to its leader. The message's term is the tag: only that term's leader takes them.
package struct Forward: Hashable, Sendable {
    package let incarnation: Incarnation
    /// Counts the batches of one life; a leader takes each at most once, and in order.
    package let number: UInt64
    package let proposals: [Proposal]

    package init(incarnation: Incarnation, number: UInt64, proposals: [Proposal]) {
        self.incarnation = incarnation
        self.number = number
        self.proposals = proposals
    }
}

package struct ForwardReply: Hashable, Sendable {
    package enum Result: Hashable, Sendable {
        case appended(EntryID)
        case refused(Refusal)
        /// The receiver leads no more, and may have appended it when it did: the message may be a copy of one that it took.
        case unknown
    }
    package struct Item: Hashable, Sendable {
        package let ticket: Ticket
        package let result: Result

        package init(ticket: Ticket, result: Result) {
            self.ticket = ticket
            self.result = result
        }
    }

    package let incarnation: Incarnation
    package let items: [Item]

    package init(incarnation: Incarnation, items: [Item]) {
        self.incarnation = incarnation
        self.items = items
    }
}

/// Names the exact bytes of one snapshot image: images of the same state made by different nodes may differ.
package struct SnapshotImage: Hashable, Sendable, CustomStringConvertible {
    package let last: EntryID
    /// A hash of the image's content, or its first 8 bytes; the driver checks the full one.
    package let fingerprint: UInt64

    package init(last: EntryID, fingerprint: UInt64) {
        self.last = last
        self.fingerprint = fingerprint
    }

    package var description: String { "\(last)~\(fingerprint)" }
}

/// What a receiver must know of a snapshot before it fetches one byte (paper §7).
package struct SnapshotMeta: Hashable, Sendable {
    package let image: SnapshotImage
    /// The membership in force at `last`.
    package let membership: Membership
    /// The index of the entry that `membership` came with.
    package let membershipIndex: LogIndex
    package let byteCount: UInt64
    /// Hash over the whole image, opaque to the core.
    package let contentHash: [UInt8]

    package var last: EntryID { image.last }

    package init(
        image: SnapshotImage, membership: Membership, membershipIndex: LogIndex, byteCount: UInt64, contentHash: [UInt8] = []
    ) {
        self.image = image
        self.membership = membership
        self.membershipIndex = membershipIndex
        self.byteCount = byteCount
        self.contentHash = contentHash
    }
}

package struct SnapshotChunk: Hashable, Sendable {
    package let image: SnapshotImage
    package let offset: UInt64
    package let bytes: [UInt8]
    package let isLast: Bool

    package init(image: SnapshotImage, offset: UInt64, bytes: [UInt8], isLast: Bool) {
        self.image = image
        self.offset = offset
        self.bytes = bytes
        self.isLast = isLast
    }
}

package enum SnapshotFault: Hashable, Sendable {
    /// Content and hash disagree, or the stream had no end: not a shorter snapshot, an error.
    case damaged
    case noSpace
    /// The image needs a newer program than this.
    case featureLevel
    /// The sender no longer has the image.
    case gone
}
