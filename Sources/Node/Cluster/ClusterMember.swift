package import ClusterIdentity
internal import Keyring
package import Logging
package import NIOCore
internal import OpenSSL
internal import PeerLinks
package import Raft
package import SecretStore
internal import Synchronization

/// A node with its links to the others, its place in the registry, and what it does by itself to keep both in order.
///
/// Safe from any thread.
package final class ClusterMember: Sendable {
    package struct Configuration: Sendable {
        package var node: NodeSettings
        /// Who this node is, and the file that says so.
        package var identity: NodeIdentity
        package var identityFile: String
        /// Where the nodes that are known are kept for the next start.
        package var knownNodesFile: String
        package var listenHost: String
        /// 0 lets the system choose.
        package var listenPort: Int
        /// What other nodes dial; nil for where this node listens.
        package var peerAddress: NodeAddress?
        package var version: String

        package init(
            node: NodeSettings, identity: NodeIdentity, identityFile: String, knownNodesFile: String, listenHost: String, listenPort: Int,
            peerAddress: NodeAddress?, version: String
        ) {
            self.node = node
            self.identity = identity
            self.identityFile = identityFile
            self.knownNodesFile = knownNodesFile
            self.listenHost = listenHost
            self.listenPort = listenPort
            self.peerAddress = peerAddress
            self.version = version
        }
    }

    package let node: Node
    /// Where this node listens for others.
    package let address: SocketAddress
    private let desk: NIOLoopBound<PeerDesk>
    private let transport: PeerTransport
    private let store: SecretStore
    private let latest: LatestStatuses

    private init(
        node: Node, address: SocketAddress, desk: NIOLoopBound<PeerDesk>, transport: PeerTransport, latest: LatestStatuses, store: SecretStore
    ) {
        self.latest = latest
        self.node = node
        self.address = address
        self.desk = desk
        self.transport = transport
        self.store = store
    }

    /// Opens the node's data, listens for peers and calls them.
    ///
    /// - Parameters:
    ///   - eventLoop: Where the core and the links live; nothing else should.
    ///   - fatal: The process must end without another acknowledgement.
    ///   - ended: The node was removed from the cluster, or stopped for another good reason; the process should end.
    /// - Throws: As ``Node/start(_:store:eventLoop:logger:listener:fatal:peers:)``; what the system says about the address.
    package static func start(
        _ configuration: Configuration, store: SecretStore, eventLoop: any EventLoop, logger: Logger,
        fatal: @escaping @Sendable (String) -> Void, ended: @escaping @Sendable (String) -> Void
    ) async throws -> ClusterMember {
        let hashes = StateHashes()
        let listener = Node.Listener { reason in
            switch reason {
            case .retired(let generation): ended("this node was removed from the cluster (membership generation \(generation)); its data may be deleted")
            case .storage(let fault): fatal("the log cannot be written (\(fault)); check the disk, then start the node again")
            case .violation(let violation): fatal("the node found that its data contradicts the cluster's (\(violation)); replace this node")
            }
        }
        let box = NIOLoopBoundBox.makeEmptyBox(valueType: PeerDesk.self, eventLoop: eventLoop)
        let node = try await Node.start(
            configuration.node, store: store, eventLoop: eventLoop, logger: logger, listener: listener, hashes: hashes, fatal: fatal
        ) { node in
            let desk = try PeerDesk(configuration, node: node, store: store, hashes: hashes, logger: logger, fatal: fatal)
            box.value = desk
            return desk
        }
        let (desk, transport, latest) = try await eventLoop.submit {
            guard let desk = box.value else { preconditionFailure("the node made it a moment ago") }
            return (NIOLoopBound(desk, eventLoop: eventLoop), desk.transport, desk.latest)
        }.get()
        let address = try await transport.start()
        try await eventLoop.submit { desk.value.begin(listeningAt: address) }.get()
        return ClusterMember(node: node, address: address, desk: desk, transport: transport, latest: latest, store: store)
    }

    // MARK: The registry

    /// Changes the registry of nodes. Returns when the change is applied and visible here.
    package func change(_ command: ClusterCommand) async throws -> Outcome { try await node.change(command, store: store) }

    package func registry() throws -> ClusterRegistry? { try store.clusterRegistry() }

    /// This node's own record says what clients should call.
    package func announce(apiAddress: NodeAddress) {
        node.eventLoop.execute { [desk] in desk.value.apiAddress = apiAddress }
    }

    // MARK: What is known

    /// What this node says of itself, and what the others said within the last seconds.
    package struct Statuses: Sendable {
        package var own: NodeStatus
        package var others: [NodeStatus]
    }

    package func statuses() async throws -> Statuses {
        try await node.eventLoop.submit { [desk] in Statuses(own: desk.value.status(), others: desk.value.freshStatuses()) }.get()
    }

    /// The same as it was at most a second ago, without waiting; nil in the first second.
    package var latestStatuses: Statuses? { latest.withLock { $0 } }

    /// Hands the leadership over, whoever leads.
    ///
    /// - Returns: Nil when done, else a sentence.
    package func transferLeadership(to target: NodeID?) async throws -> String? {
        try await node.eventLoop.flatSubmit { [desk] in desk.value.transferLeadership(to: target) }.get()
    }

    /// Before the node stops: somebody else leads, if somebody else can.
    package func handOver() async {
        guard node.board.facts.role == .leader, node.board.facts.membership.membership.voters.count > 1 else { return }
        // Whatever comes of it, the node stops.
        _ = try? await node.transferLeadership(to: nil).get()
    }

    package func close() async {
        try? await node.eventLoop.submit { [desk] in desk.value.end() }.get()
        await transport.shutdown()
        await node.close()
    }
}

extension Node {
    /// Puts a change of the registry through the log: see ``ClusterIdentity/ClusterProposer``.
    func change(_ command: ClusterCommand, store: SecretStore) async throws -> Outcome {
        guard let nobody = AccountID("000000000000") else { preconditionFailure("twelve digits are an account") }
        let now = Timestamp(millisecondsSince1970: WallClock.milliseconds)
        let mutation = Mutation(account: nobody, at: now, keyTerm: store.keyring.currentTerm, command: .cluster(command))
        let outcome = try await withCheckedThrowingContinuation { continuation in propose(mutation) { continuation.resume(with: $0) } }
        await withCheckedContinuation { continuation in applier.whenEverythingIsVisible { continuation.resume() } }
        return outcome
    }
}

/// What was last known of the cluster, for threads other than the node's.
final class LatestStatuses: Sendable {
    private let statuses = Mutex<ClusterMember.Statuses?>(nil)

    func withLock<Result: Sendable>(_ body: (inout sending ClusterMember.Statuses?) -> sending Result) -> Result { statuses.withLock(body) }
}
