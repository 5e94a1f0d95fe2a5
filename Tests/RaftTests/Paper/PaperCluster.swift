import Raft

/// A cluster for stories from the paper, told in the commands of scenario transcripts; each test asks the cores themselves what came of it.
struct PaperCluster {
    private let scenario = Scenario()

    /// - Parameter story: Commands, one a line; see ``Scenario``.
    init(_ story: String) throws { try run(story) }

    func run(_ story: String) throws {
        for line in story.split(separator: "\n") { _ = try scenario.run(String(line)) }
    }

    func core(_ node: UInt64) throws -> RaftCore { try scenario.node(NodeID(node)).core }

    /// The terms of the entries on a node's disk, from its first one on.
    func terms(_ node: UInt64) throws -> [UInt64] { try scenario.node(NodeID(node)).disk.entries.map(\.term.raw) }

    /// How a proposal, read or command ended, as printed; nil while it is open.
    func outcome(_ ticket: UInt64) -> String? { scenario.outcomes[Ticket(ticket)] }
}
