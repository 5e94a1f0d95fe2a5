internal import FoundationEssentials
internal import Raft

/// What a node says of itself, to its peers once a second and to operators.
package struct NodeStatus: Codable, Sendable {
    /// The state's hash after one entry; equal on all nodes, or they have diverged.
    package struct StateHash: Codable, Hashable, Sendable {
        package var index: UInt64
        package var hash: String
    }

    package var id: UInt64
    package var role: String
    package var term: UInt64
    package var leader: UInt64?
    package var commit: UInt64
    package var applied: UInt64
    package var diskFreeByteCount: Int?
    /// Whether less than the reserve is free: then no node takes writes.
    package var isDiskLow: Bool
    /// Seconds since 1970.
    package var certificateNotAfter: Int64
    package var version: String
    package var stateHashes: [StateHash]
    package var membershipGeneration: UInt64
    package var voters: [UInt64]

    func encode() -> [UInt8] {
        // Numbers, texts and arrays of them always encode.
        (try? JSONEncoder().encode(self)).map { [UInt8]($0) } ?? []
    }

    init?(decoding bytes: [UInt8]) {
        guard let status = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else { return nil }
        self = status
    }

    init(
        _ facts: NodeBoard.Facts, id: NodeID, diskFreeByteCount: Int?, isDiskLow: Bool, certificateNotAfter: Int64, version: String,
        stateHashes: [StateHash]
    ) {
        self.id = id.raw
        role = "\(facts.role)"
        term = facts.term.raw
        leader = facts.leader?.raw
        commit = facts.commit.raw
        applied = facts.applied.raw
        self.diskFreeByteCount = diskFreeByteCount
        self.isDiskLow = isDiskLow
        self.certificateNotAfter = certificateNotAfter
        self.version = version
        self.stateHashes = stateHashes
        membershipGeneration = facts.membership.membership.generation
        voters = facts.membership.membership.allVoters.map(\.raw)
    }
}
