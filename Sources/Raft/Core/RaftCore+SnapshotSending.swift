/// The leader's side of snapshots (paper §7): offers an image to a follower whose next entry is compacted away, and serves it piece by piece
/// as the follower asks. Bytes never pass through the core of the sender.
extension RaftCore {
    /// The follower's next entry is gone from the log.
    mutating func needsSnapshot(_ peer: inout Progress) {
        // Nothing is begun for a node that does not answer; its next heartbeat answer brings it here again.
        guard clock.elapsed(since: peer.lastContact) < settings.electionTimeout else { return peer.pauseProbe() }
        peer.becomeSnapshot(SnapshotSend(meta: nil, lastActivity: clock))
        feedSnapshot(&peer)
    }

    /// Offers an image as soon as there is one, and again when the follower answers heartbeats but did not take up the offer.
    mutating func feedSnapshot(_ peer: inout Progress) {
        guard case .snapshot(var send) = peer.state else { return }
        // The image may have been given up meanwhile, when another member found it damaged.
        if let meta = send.meta, !leadership.images.contains(meta) { send.meta = nil }
        if send.meta == nil {
            guard let image = usableImage else { return requestImage() }
            send.meta = image
        } else {
            guard peer.needsVerification, clock.elapsed(since: send.lastActivity) >= settings.retryInterval * 2 else { return }
        }
        guard let meta = send.meta else { return }
        send.lastActivity = clock
        peer.becomeSnapshot(send)
        self.send(.snapshotOffer(meta), to: peer.node)
    }

    /// The newest image, if the log goes on where it ends.
    private var usableImage: SnapshotMeta? {
        leadership.images.last { $0.last.index.next >= shape.firstIndex }
    }

    private mutating func requestImage() {
        guard !leadership.isMakingSnapshot else { return }
        leadership.isMakingSnapshot = true
        out.snapshots.append(.make)
    }

    mutating func snapshotIsReady(_ meta: SnapshotMeta) {
        guard isLeader else { return out.snapshots.append(.release(meta.image)) }
        leadership.isMakingSnapshot = false
        guard meta.last.index <= applied, meta.last.index > leadership.images.last?.last.index ?? .zero else {
            if !leadership.images.contains(meta) { out.snapshots.append(.release(meta.image)) }
            return
        }
        leadership.images.append(meta)
    }

    mutating func snapshotIsUnavailable() {
        guard isLeader else { return }
        // Asked for again by the next heartbeat answer, not in this step: a driver that cannot must not be asked in a circle.
        leadership.isMakingSnapshot = false
        for position in leadership.progress.indices { leadership.progress[position].pauseSnapshot() }
    }

    mutating func receiveSnapshotRequest(_ image: SnapshotImage, offset: UInt64, from node: NodeID) {
        guard isLeader, let position = leadership.position(of: node) else { return }
        leadership.progress[position].lastContact = clock
        guard let meta = leadership.images.first(where: { $0.image == image }), offset < meta.byteCount || offset == 0 else {
            return send(.snapshotRefusal(image, .gone), to: node)
        }
        // The follower may have kept the offer of an earlier leader, whose image is ours too.
        leadership.progress[position].becomeSnapshot(SnapshotSend(meta: meta, lastActivity: clock))
        out.snapshots.append(
            .sendChunk(to: node, term: term, image: image, offset: offset, byteCount: settings.limits.snapshotChunkBytes))
    }

    mutating func receiveSnapshotRefusal(_ image: SnapshotImage, _ fault: SnapshotFault, from node: NodeID) {
        if case .gone = fault { return imageIsGone(image, from: node) }
        guard isLeader, let position = leadership.position(of: node),
            case .snapshot(let send) = leadership.progress[position].state, send.meta?.image == image
        else { return }
        // A damaged image may be damaged here: the next offer is a new one. For the rest, try again later.
        guard fault == .damaged, leadership.images.contains(where: { $0.image == image }) else { return }
        leadership.images.removeAll { $0.image == image }
        out.snapshots.append(.release(image))
        leadership.progress[position].abandonSnapshot()
    }

    /// Images are kept while a member fetches them, and the newest one until it is of no more use.
    mutating func releaseUnusedImages() {
        guard !leadership.images.isEmpty else { return }
        let progress = leadership.progress
        func isFetched(_ meta: SnapshotMeta) -> Bool {
            progress.contains { if case .snapshot(let send) = $0.state { send.meta == meta } else { false } }
        }
        let newest = leadership.images.last
        for meta in leadership.images where !isFetched(meta) && (meta != newest || meta.last.index.next < shape.firstIndex) {
            leadership.images.removeAll { $0 == meta }
            out.snapshots.append(.release(meta.image))
        }
    }

    mutating func releaseAllImages() {
        for meta in leadership.images { out.snapshots.append(.release(meta.image)) }
        leadership.images = []
    }

    /// A follower that fell silent in the middle of a fetch must not hold the log back for ever.
    mutating func dropIdleSnapshotSends() {
        for position in leadership.progress.indices {
            guard case .snapshot = leadership.progress[position].state,
                clock.elapsed(since: leadership.progress[position].lastContact) >= settings.electionTimeout * 10
            else { continue }
            leadership.progress[position].abandonSnapshot()
        }
    }
}
