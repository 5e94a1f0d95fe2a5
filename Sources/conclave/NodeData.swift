internal import ClusterIdentity
internal import Keyring
internal import LMDB
internal import Logging
internal import Node
internal import SecretStore
internal import struct Raft.Incarnation
internal import struct Raft.Membership
internal import struct Raft.NodeID

/// What a node keeps on disk, open: the replicated state, and what the node needs to drive its log.
struct NodeData {
    let store: SecretStore
    let settings: NodeSettings

    /// - Parameter isFounder: Whether this is the node that made the cluster: it may lead it alone.
    init(directory: DataDirectory, keyring: Keyring, region: String, node: NodeID, reserveFreeByteCount: Int) throws {
        var configuration = Environment.Configuration(path: directory.stateDirectory)
        // The log has every entry, so the last commit may be lost in a crash of the machine; see `Applier`.
        configuration.durability = .noMetaSync
        store = try SecretStore(environment: try Environment(configuration), keyring: keyring, scope: ARNScope(region: region))
        guard let tag = UInt64(keyring.clusterID.prefix(16), radix: 16) else { preconditionFailure("a cluster id is 32 hexadecimal digits") }
        var settings = NodeSettings(
            logDirectory: directory.logDirectory, snapshotDirectory: directory.snapshotDirectory, clusterTag: tag, id: node,
            incarnation: try IncarnationCounter.next(path: directory.incarnationFile),
            // Node 1 made the cluster; every other one was let in by it.
            founding: node == NodeID(1) ? Membership(voters: [node]) : .none)
        settings.reserveFreeByteCount = reserveFreeByteCount
        self.settings = settings
    }
}

/// What a node does by itself at intervals: access dates are written down, and, where it leads, due deletions happen.
struct NodeHousekeeping: Sendable {
    let recorder: AccessRecorder
    private let housekeeping: Housekeeping

    init(_ node: Node, store: SecretStore, logger: Logger, everySecond: @escaping @Sendable () -> Void) {
        let applier = node.applier
        recorder = AccessRecorder(log: node, keyTerm: store.keyring.currentTerm, clock: { WallClock.now }) { applier.whenEverythingIsVisible($0) }
        let sweeper = DeletionSweeper(store: store, log: node, logger: logger) { node.board.facts.role == .leader }
        housekeeping = Housekeeping(recorder: recorder, sweeper: sweeper, clock: { WallClock.now }, everySecond: everySecond)
    }

    /// Ends it. Before the log is closed.
    func close() { housekeeping.close() }
}
