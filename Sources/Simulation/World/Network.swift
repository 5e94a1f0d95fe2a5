import Raft

/// The state of all links between nodes, one way each.
struct Network {
    struct Link {
        /// Nothing gets through before this; what arrives meanwhile is lost.
        var cutUntil: UInt64 = 0
        /// Within this time everything waits for its end, as behind a full buffer.
        var clogFrom: UInt64 = 0
        var clogUntil: UInt64 = 0
        /// Counts connections: what was sent over an earlier one is lost.
        var connection = 0
        /// When the newest message arrives, for links that keep the order.
        var lastArrival: UInt64 = 0
    }

    private var links: [Link] = []
    private static let width = 32

    mutating func grow(to nodeCount: Int) {
        precondition(nodeCount <= Self.width, "a run has at most \(Self.width) nodes")
        links.append(contentsOf: repeatElement(Link(), count: nodeCount * Self.width - links.count))
    }

    subscript(from: Int, to: Int) -> Link {
        get { links[from * Self.width + to] }
        _modify { yield &links[from * Self.width + to] }
    }
}

/// A message under way.
struct Transit {
    let message: Message
    let from: Int
    let to: Int
    let connection: Int
}
