@testable import Raft

/// What surrounds a core in its process: the log's disk, the state machine, snapshot files.
extension Scenario {
    func finishWrites(of node: TestNode, count: Int) throws {
        guard let (sequence, messages) = node.completeWrites(count) else { throw ClusterFailure("node \(node.id) has not that many unfinished writes") }
        try noting(under: "disk of \(node.id) has \(sequence)") {
            for outgoing in messages {
                note("\(node.id): \(isCut(outgoing.message) ? "lose" : "send") \(outgoing.message)")
                try transmit(outgoing.message)
            }
            try step(node, .logDurable(sequence))
        }
    }

    func applyNext(at node: TestNode) throws {
        guard let entries = try node.applyNext() else { throw ClusterFailure("node \(node.id) has nothing to apply") }
        try checker.noteApplied(entries, by: node)
        let applied = node.machine.applied.index
        try noting(under: "\(node.id) has applied \(applied)") { try step(node, .applied(applied)) }
    }

    func takeCheckpoint(of node: TestNode) throws { try step(node, .stateDurable(node.takeCheckpoint())) }

    func perform(_ action: SnapshotAction, at node: TestNode) throws {
        switch action {
        case .make: work.append((node.id, .input(.snapshotReady(makeImage(at: node)))))
        case .sendChunk(let to, let term, let image, let offset, let byteCount):
            let end = min(imageByteCount, offset + UInt64(byteCount))
            let chunk = SnapshotChunk(
                image: image, offset: offset, bytes: Array(repeating: 7, count: Int(end - offset)), isLast: end == imageByteCount)
            let message = Message(from: node.id, to: to, term: term, payload: .snapshotChunk(chunk))
            note("\(node.id): \(isCut(message) ? "lose" : "send") \(message)")
            try transmit(message)
        case .store(let chunk):
            let next = chunk.offset + UInt64(chunk.bytes.count)
            work.append((node.id, .input(.snapshotChunkStored(chunk.image, next: next, isComplete: chunk.isLast))))
        case .install(let meta, _): work.append((node.id, .install(meta)))
        case .beginFetch, .discard, .release: break
        }
    }

    /// Named after its maker: `1/4~2` is what node 2 made of the state at 1/4.
    func makeImage(at node: TestNode) -> SnapshotMeta {
        let machine = node.machine
        let meta = SnapshotMeta(
            image: SnapshotImage(last: machine.applied, fingerprint: node.id.raw), membership: machine.membership.membership,
            membershipIndex: machine.membership.index, byteCount: imageByteCount)
        images[meta.image] = node.machine
        return meta
    }

    /// Whether the job can be done: a state is swapped only when the record of it is on disk.
    func isReady(_ job: Job, at node: TestNode) -> Bool {
        guard case .install(let meta) = job else { return true }
        return node.disk.boundary?.image == meta.image
    }

    func finish(_ job: Job, at node: TestNode) throws {
        switch job {
        case .input(let input):
            if case .snapshotChunkStored(_, let next, _) = input { node.disk.staged?.offset = next }
            try noting(under: "\(node.id) reports \(Self.name(of: input))") { try step(node, input) }
        case .install(let meta):
            guard let state = images[meta.image] else { throw ClusterFailure("node \(node.id) installs an image nobody made") }
            node.install(state)
            checker.noteInstall()
            try checker.noteState(of: node)
            try noting(under: "\(node.id) has installed \(meta.image)") { try step(node, .snapshotInstalled(meta.image)) }
        }
    }

    private static func name(of input: Input) -> String {
        switch input {
        case .snapshotReady(let meta): "that image \(meta.image) is ready"
        case .snapshotChunkStored(_, let next, let isComplete): isComplete ? "that the image is complete" : "that \(next)B are staged"
        case .logFetched: "that the log is in memory"
        default: "\(input)"
        }
    }
}
