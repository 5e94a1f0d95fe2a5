package import Raft

/// What one member of a cluster is told at its start.
package struct NodeSettings: Sendable {
    /// Directory of the log's segments; it exists.
    package var logDirectory: String
    /// Directory of snapshot images, made here and on their way in; it exists.
    package var snapshotDirectory: String
    /// Names the cluster in the log's files: eight bytes of the cluster id.
    package var clusterTag: UInt64
    package var id: NodeID
    /// Of this life of the process alone.
    package var incarnation: Incarnation
    /// In force when the log knows none: the first node's own, or ``Raft/Membership/none`` for a node that was admitted later.
    package var founding: Membership
    package var raft = Raft.Settings()
    /// Free bytes on the log's file system below which proposals are refused; 0 never refuses.
    package var reserveFreeByteCount = 0
    /// How long a write or a read is tried, over changes of leaders, in milliseconds.
    package var requestMilliseconds: UInt64 = 15_000
    package var proposalsMax = 16_384
    package var proposalBytesMax = 64 << 20
    package var readsMax = 10_000
    /// Size of the log's segments, in bytes.
    package var segmentByteCount = 64 << 20

    package init(
        logDirectory: String, snapshotDirectory: String, clusterTag: UInt64, id: NodeID, incarnation: Incarnation, founding: Membership
    ) {
        self.logDirectory = logDirectory
        self.snapshotDirectory = snapshotDirectory
        self.clusterTag = clusterTag
        self.id = id
        self.incarnation = incarnation
        self.founding = founding
    }
}

/// The links to other nodes, as the driver sees them. Called on the node's event loop; must not block and need not deliver.
package protocol PeerSender {
    func send(_ message: Message)
}
