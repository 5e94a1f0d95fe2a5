import Raft

/// Snapshot images: made, sent in chunks, staged, verified, installed.
extension World {
    func perform(_ action: SnapshotAction, at node: SimulatedNode) throws(Finding) {
        switch action {
        case .make: makeImage(at: node)
        case .release(let image): node.snapshots.release(image)
        case .sendChunk(let to, let term, let image, let offset, let byteCount):
            try sendChunk(of: image, from: Int(offset), byteCount: byteCount, to: to, term: term, at: node)
        case .beginFetch(let meta, let offset): node.snapshots.begin(meta, offset: offset)
        case .discard(let image): node.snapshots.discard(image)
        case .store(let chunk): store(chunk, at: node)
        case .install(let meta, let after):
            // What is queued lies before the snapshot, and its entries leave the log.
            node.applyQueue.removeAll()
            if isPlanted(.installBeforeBoundaryDurable) {
                planInstall(of: meta, at: node)
            } else {
                node.heldInstall = (meta, after)
            }
        }
    }

    private func makeImage(at node: SimulatedNode) {
        if phase == .safety, rng.chance(perMille: 50) { return plan(.snapshotUnavailable, at: node, in: .milliseconds(1)) }
        let bytes = node.machine.image(maker: mix.imagesDiffer ? node.id : NodeID(0), leavesOutSessions: isPlanted(.snapshotWithoutSessions))
        let hash = RegisterMachine.hash(of: bytes)
        let machine = node.machine
        let meta = SnapshotMeta(
            image: SnapshotImage(last: machine.applied, fingerprint: hash), membership: machine.membership.membership,
            membershipIndex: machine.membership.index, byteCount: UInt64(bytes.count), contentHash: hashBytes(hash))
        node.snapshots.add(SnapshotStore.Image(meta: meta, bytes: bytes))
        plan(.snapshotReady(meta), at: node, in: rng.around(mix.checkpointMean))
    }

    private func hashBytes(_ hash: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(word: hash)
        return bytes
    }

    private func sendChunk(
        of name: SnapshotImage, from offset: Int, byteCount: Int, to: NodeID, term: Term, at node: SimulatedNode
    ) throws(Finding) {
        guard let image = node.snapshots.image(name) else { throw finding("snapshots", node, "image \(name) was released while in use") }
        let end = min(image.bytes.count, offset + byteCount)
        var bytes = Array(image.bytes[offset..<end])
        var isLast = end == image.bytes.count
        if phase == .safety, rng.chance(perMille: mix.damagedChunkPerMille) {
            // A stream that was cut, or one that was damaged on the way or at its origin.
            if rng.chance(perMille: 500) { isLast = true } else { bytes[rng.below(bytes.count)] ^= 1 << UInt8(rng.below(8)) }
        }
        let chunk = SnapshotChunk(image: name, offset: UInt64(offset), bytes: bytes, isLast: isLast)
        try transmit(OutgoingMessage(message: Message(from: node.id, to: to, term: term, payload: .snapshotChunk(chunk)), after: nil), from: node)
    }

    private func store(_ chunk: SnapshotChunk, at node: SimulatedNode) {
        let delay = rng.around(mix.syncMean)
        if phase == .safety, rng.chance(perMille: 5) { return plan(.snapshotFailed(chunk.image, .noSpace), at: node, in: delay) }
        node.snapshots.store(chunk)
        guard let staged = node.snapshots.staged, staged.meta.image == chunk.image else { return }
        guard !chunk.isLast || isIntact(staged) else {
            coverage.mark(.snapshotRefused)
            return plan(.snapshotFailed(chunk.image, .damaged), at: node, in: delay)
        }
        let next = chunk.offset + UInt64(chunk.bytes.count)
        plan(.snapshotChunkStored(chunk.image, next: next, isComplete: chunk.isLast), at: node, in: delay)
    }

    /// A stream that ends early is an error, not a short snapshot (vault#12168).
    private func isIntact(_ image: SnapshotStore.Image) -> Bool {
        if UInt64(image.bytes.count) != image.meta.byteCount { return isPlanted(.truncatedSnapshotAccepted) }
        if hashBytes(RegisterMachine.hash(of: image.bytes)) == image.meta.contentHash { return true }
        return isPlanted(.damagedSnapshotAccepted)
    }

    // MARK: Installing

    func planInstall(of meta: SnapshotMeta, at node: SimulatedNode) {
        node.installing = meta
        plan(.snapshotInstalled(meta.image), at: node, in: rng.around(mix.checkpointMean))
    }

    func inputArrives(_ input: Input, at node: SimulatedNode) throws(Finding) {
        if case .snapshotInstalled(let image) = input {
            guard let meta = node.installing, meta.image == image else { return }
            try install(meta, at: node)
        }
        try step(node, input)
    }

    /// The state machine becomes the staged image, durably. The image is deleted only after that.
    private func install(_ meta: SnapshotMeta, at node: SimulatedNode) throws(Finding) {
        guard let staged = node.snapshots.staged, staged.meta.image == meta.image else {
            throw finding("snapshots", node, "the image \(meta.image) to install is not staged")
        }
        let isStrict = !isPlanted(.truncatedSnapshotAccepted) && !isPlanted(.damagedSnapshotAccepted)
        guard let state = RegisterMachine(image: staged.bytes, isStrict: isStrict, sessions: mix.sessions) else {
            throw finding("snapshots", node, "the staged image \(meta.image) cannot be read")
        }
        node.machine = state
        node.checkpoints.replace(with: state)
        node.snapshots.discard(meta.image)
        node.installing = nil
        coverage.mark(.snapshotInstalled)
        note { "node \(node.id) installs \(meta.image)" }
        try observer.installed(meta, on: node, in: self)
        if node.isRunning {
            try answerOverdue(node)
            try serveReads(node)
        }
    }

    /// A restart finishes an installation whose boundary is in the log (`reference/raft.md` §2.7).
    func rollForward(_ node: SimulatedNode, boundary: SnapshotMeta?) throws(Finding) {
        guard let boundary, node.machine.applied.index < boundary.last.index, !isPlanted(.snapshotNotRolledForward) else { return }
        coverage.mark(.snapshotRolledForward)
        try install(boundary, at: node)
    }
}
