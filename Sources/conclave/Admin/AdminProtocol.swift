internal import FoundationEssentials

/// What `conclave cluster` asks of a running node: one line of JSON over the socket in the data directory, which only the directory's
/// owner can reach. The answer is one line that says how it went, then a body to the end.
enum AdminRequest: Codable, Sendable {
    case status
    case createToken(validSeconds: Int64)
    case removeNode(UInt64)
    case transferLeadership(to: UInt64?)

    static let lineByteCountMax = 65_536
}

/// The first line of an answer.
struct AdminResult: Codable, Sendable {
    /// Nil for done; else what went wrong, in a sentence.
    var error: String?
}

/// The body of the answer to ``AdminRequest/status``.
struct ClusterStatus: Codable, Sendable {
    enum Health: String, Codable, Sendable {
        case healthy
        /// The cluster serves, and something wants attention.
        case degraded
        case noQuorum = "no quorum"
    }

    struct Row: Codable, Sendable {
        var id: UInt64
        var peerAddress: String
        var apiAddress: String
        /// `unreachable` for a node that has not answered for some seconds.
        var role: String
        var voter: Bool
        var term: UInt64?
        var applied: UInt64?
        /// Entries that the leader has committed and the node has not applied.
        var lag: UInt64?
        var diskFreeBytes: Int?
        var diskLow: Bool?
        var certificateDays: Int?
        var version: String
        var state: String
        var stateHash: String?
        var stateHashIndex: UInt64?
    }

    private enum CodingKeys: String, CodingKey {
        // As the coders of snake case write an abbreviation.
        case clusterID = "clusterId"
        case region, node, leader, term, nodes, health
    }

    var clusterID: String
    var region: String
    /// The node that answers.
    var node: UInt64
    var leader: UInt64?
    var term: UInt64
    var nodes: [Row]
    var health: Health
}
