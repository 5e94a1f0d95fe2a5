import Raft

/// The payloads of records.
enum EntryCoding {
    /// What stands before the bytes of a command.
    static let commandPrefixByteCount = 16

    static func kind(of body: Entry.Body) -> Record.Kind {
        switch body {
        case .noop: .noop
        case .command: .command
        case .membership: .membership
        }
    }

    static func payloadByteCount(of body: Entry.Body) -> Int {
        switch body {
        case .noop: 0
        case .command(let command): commandPrefixByteCount + command.payload.count
        case .membership(let membership): byteCount(of: membership)
        }
    }

    static func append(_ body: Entry.Body, to bytes: inout some ByteSink) {
        switch body {
        case .noop: break
        case .command(let command):
            bytes.put(command.onlyIfTerm?.raw ?? 0)
            bytes.put(UInt16(command.onlyIfTerm == nil ? 0 : 1))
            bytes.put(command.featureLevel)
            bytes.put(UInt32(0))
            bytes.put(command.payload)
        case .membership(let membership): append(membership, to: &bytes)
        }
    }

    static func entry(_ record: Record, _ payload: UnsafeRawBufferPointer) -> Entry? {
        let id = EntryID(term: Term(record.term), index: LogIndex(record.index))
        var source = ByteSource(payload)
        switch record.kind {
        case .noop: return payload.isEmpty ? Entry(id: id, body: .noop) : nil
        case .command:
            guard let term = source.number(UInt64.self), let hasTerm = source.number(UInt16.self), hasTerm <= 1,
                let level = source.number(UInt16.self), source.number(UInt32.self) == 0
            else { return nil }
            return Entry(id: id, body: .command(Command([UInt8](source.rest), onlyIfTerm: hasTerm == 1 ? Term(term) : nil, featureLevel: level)))
        case .membership:
            guard let membership = membership(&source), source.rest.isEmpty else { return nil }
            return Entry(id: id, body: .membership(membership))
        case .hardState, .commit, .reset, .truncate, .recoveryEnded, .seal: return nil
        }
    }

    // MARK: Memberships

    private static func byteCount(of membership: Membership) -> Int { 28 + 8 * membership.nodeCount }

    static func append(_ membership: Membership, to bytes: inout some ByteSink) {
        bytes.put(membership.generation)
        bytes.put(UInt32(membership.featureLevel))
        for nodes in [membership.voters, membership.outgoing, membership.learners] { bytes.put(UInt32(nodes.count)) }
        bytes.put(UInt32(0))
        for nodes in [membership.voters, membership.outgoing, membership.learners] { for node in nodes { bytes.put(node.raw) } }
    }

    static func membership(_ source: inout ByteSource) -> Membership? {
        guard let generation = source.number(UInt64.self), let level = source.number(UInt32.self), level <= UInt32(UInt16.max),
            let voters = source.number(UInt32.self), let outgoing = source.number(UInt32.self), let learners = source.number(UInt32.self),
            source.number(UInt32.self) == 0
        else { return nil }
        func nodes(_ count: UInt32) -> [NodeID]? {
            var nodes: [NodeID] = []
            for _ in 0..<count {
                guard let raw = source.number(UInt64.self) else { return nil }
                nodes.append(NodeID(raw))
            }
            return nodes
        }
        guard let voters = nodes(voters), let outgoing = nodes(outgoing), let learners = nodes(learners) else { return nil }
        return Membership(voters: voters, outgoing: outgoing, learners: learners, generation: generation, featureLevel: UInt16(level))
    }

    // MARK: Hard state and snapshots

    static let hardStateByteCount = 24

    static func append(_ hardState: HardState, to bytes: inout some ByteSink) {
        bytes.put(hardState.term.raw)
        bytes.put(UInt64(hardState.vote == nil ? 0 : 1))
        bytes.put(hardState.vote?.raw ?? 0)
    }

    static func hardState(_ source: inout ByteSource) -> HardState? {
        guard let term = source.number(UInt64.self), let hasVote = source.number(UInt64.self), hasVote <= 1, let vote = source.number(UInt64.self)
        else { return nil }
        return HardState(term: Term(term), vote: hasVote == 1 ? NodeID(vote) : nil)
    }

    static func append(_ id: EntryID, to bytes: inout some ByteSink) {
        bytes.put(id.term.raw)
        bytes.put(id.index.raw)
    }

    static func entryID(_ source: inout ByteSource) -> EntryID? {
        guard let term = source.number(UInt64.self), let index = source.number(UInt64.self) else { return nil }
        return EntryID(term: Term(term), index: LogIndex(index))
    }

    static func byteCount(of meta: SnapshotMeta) -> Int { 44 + byteCount(of: meta.membership) + meta.contentHash.count }

    static func append(_ meta: SnapshotMeta, to bytes: inout some ByteSink) {
        append(meta.last, to: &bytes)
        bytes.put(meta.image.fingerprint)
        bytes.put(meta.membershipIndex.raw)
        bytes.put(meta.byteCount)
        append(meta.membership, to: &bytes)
        bytes.put(UInt32(meta.contentHash.count))
        bytes.put(meta.contentHash)
    }

    static func snapshot(_ source: inout ByteSource) -> SnapshotMeta? {
        guard let last = entryID(&source), let fingerprint = source.number(UInt64.self), let membershipIndex = source.number(UInt64.self),
            let byteCount = source.number(UInt64.self), let membership = membership(&source), let hashCount = source.number(UInt32.self),
            let hash = source.take(Int(hashCount))
        else { return nil }
        return SnapshotMeta(
            image: SnapshotImage(last: last, fingerprint: fingerprint), membership: membership, membershipIndex: LogIndex(membershipIndex),
            byteCount: byteCount, contentHash: [UInt8](hash))
    }
}
