/// A snapshot on its way into this node: fetched in pieces, each asked for when the one before is staged.
///
/// What is staged survives a lost connection, a new leader that has the same image, and a restart.
struct SnapshotFetch: Sendable, Equatable {
    struct Staged: Sendable, Equatable {
        let image: SnapshotImage
        let offset: UInt64
    }

    let meta: SnapshotMeta
    var source: NodeID
    /// How much is staged and verified.
    var offset: UInt64
    /// A chunk is being stored; the next one is asked for when that is done.
    var isStoring = false
    var retryAt: Instant
}

extension RaftCore {
    mutating func receiveOffer(_ meta: SnapshotMeta, from node: NodeID) {
        guard follow(node), installing == nil, meta.membership.isWellFormed else { return }
        // An image behind the log must not take its place (camunda#6092): if the log holds the image's last entry, it holds all of it.
        let isKnown = meta.last.index <= commit || shape.contains(meta.last)
        guard !isKnown || isPlanted(.snapshotOverNewerLog) else {
            if meta.last.index > commit { adopt(commit: meta.last) }
            let reply = AppendReply(result: .matched(shape.id(at: commit)), epoch: 0, isCounted: recovery == nil)
            return sendWhenDurable(.appendReply(reply), to: node)
        }
        guard meta.membership.featureLevel <= settings.featureLevelMax else {
            return send(.snapshotRefusal(meta.image, .featureLevel), to: node)
        }
        if let running = fetch, running.meta.image == meta.image {
            fetch?.source = node
            if !running.isStoring { requestNextChunk() }
            return
        }
        let offset = stagedEarlier?.image == meta.image ? stagedEarlier?.offset ?? 0 : 0
        stagedEarlier = nil
        fetch = SnapshotFetch(meta: meta, source: node, offset: offset, retryAt: clock)
        out.snapshots.append(.beginFetch(meta, offset: offset))
        requestNextChunk()
    }

    /// Asks for the piece after what is staged; again when no answer came.
    mutating func requestNextChunk() {
        guard let current = fetch, !current.isStoring else { return }
        fetch?.retryAt = clock + settings.retryInterval
        // Without a leader there is nobody to ask; the next one offers an image, or sends the log.
        guard let leader else { return }
        fetch?.source = leader
        send(.snapshotRequest(current.meta.image, offset: current.offset), to: leader)
    }

    mutating func receiveChunk(_ chunk: SnapshotChunk, from node: NodeID) {
        guard follow(node), let current = fetch, current.meta.image == chunk.image, !current.isStoring,
            chunk.offset == current.offset, !chunk.bytes.isEmpty || chunk.isLast
        else { return }
        fetch?.isStoring = true
        out.snapshots.append(.store(chunk))
    }

    mutating func chunkWasStored(_ image: SnapshotImage, next: UInt64, isComplete: Bool) {
        guard let current = fetch, current.meta.image == image, current.isStoring else { return }
        fetch?.isStoring = false
        fetch?.offset = next
        if isComplete { install(current.meta) } else { requestNextChunk() }
    }

    mutating func snapshotFailed(_ image: SnapshotImage, _ fault: SnapshotFault) {
        guard let current = fetch, current.meta.image == image else { return }
        dropFetch()
        if let leader { send(.snapshotRefusal(image, fault), to: leader) }
    }

    /// The leader does not have the image; it will offer another.
    mutating func imageIsGone(_ image: SnapshotImage, from node: NodeID) {
        guard node == leader, let current = fetch, current.meta.image == image, !current.isStoring else { return }
        dropFetch()
    }

    mutating func dropFetch() {
        guard let current = fetch else { return }
        fetch = nil
        out.snapshots.append(.discard(current.meta.image))
    }

    /// The image is complete, verified and on this disk. The log is replaced in one write, whose record also tells a recovery to install the
    /// image; the state machine follows when that write is durable.
    private mutating func install(_ meta: SnapshotMeta) {
        let isKnown = meta.last.index <= commit || shape.contains(meta.last)
        guard !isKnown || isPlanted(.snapshotOverNewerLog) else { return dropFetch() }
        fetch = nil
        installing = meta
        shape.reset(to: meta.last)
        tail.removeAll()
        if !isPlanted(.snapshotWithoutMembership) {
            memberships = [MembershipRecord(index: meta.membershipIndex, membership: meta.membership)]
        } else {
            memberships = [memberships[0]]
        }
        write.reset = meta
        commit = meta.last.index
        matchedWithLeader = meta.last.index
        out.committedMembership = memberships[0]
        resolveProposals()
        if case .campaigning = state { becomeFollower(term: term, leader: leader) }
        out.snapshots.append(.install(meta, after: write.sequence))
        if isPlanted(.snapshotAcknowledgedBeforeInstall) { acknowledgeInstall(of: meta) }
    }

    mutating func snapshotWasInstalled(_ image: SnapshotImage) {
        guard let meta = installing, meta.image == image else { return }
        installing = nil
        applied = meta.last.index
        handedOver = meta.last.index
        stateDurable = meta.last.index
        repairIsDone()
        acknowledgeInstall(of: meta)
    }

    private mutating func acknowledgeInstall(of meta: SnapshotMeta) {
        guard let leader, !isLeader else { return }
        let reply = AppendReply(result: .matched(meta.last), epoch: 0, isCounted: recovery == nil)
        let payload = Message.Payload.appendReply(reply)
        if isPlanted(.snapshotAcknowledgedBeforeInstall) { send(payload, to: leader) } else { sendWhenDurable(payload, to: leader) }
    }
}
