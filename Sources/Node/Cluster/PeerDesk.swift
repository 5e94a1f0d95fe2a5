internal import ClusterIdentity
internal import Logging
internal import NIOCore
internal import OpenSSL
internal import PeerLinks
internal import Raft
internal import SecretStore

/// What a node does about other nodes: it lets them in or not, answers them, keeps the links to those of the registry, and, when it leads, brings
/// the membership in line with the registry.
///
/// Belongs to the node's event loop.
final class PeerDesk: PeerSender {
    let transport: PeerTransport
    private let handler: PeerHandler
    let node: Node
    let store: SecretStore
    let logger: Logger
    let hashes: StateHashes
    let admission: PeerAdmission
    private let configuration: ClusterMember.Configuration
    private let fatal: @Sendable (String) -> Void
    var identity: NodeIdentity
    var identityFile: String { configuration.identityFile }
    var apiAddress: NodeAddress?
    private var peerAddress: NodeAddress?

    private var nodes: [NodeRecord]
    private var linked: [NodeID: PeerAddress] = [:]
    private var statuses: [NodeID: (status: NodeStatus, at: NIODeadline)] = [:]
    let latest: LatestStatuses
    private var claims = IdentityClaims()
    private let claim: IdentityClaims.Claim
    /// Peers that have not confirmed yet that nobody else speaks for this node.
    private var unconfirmed: Set<NodeID> = []
    /// Peers that know another process of this node.
    private var refusedBy: Set<NodeID> = []
    private let startedAt = NIODeadline.now()
    /// Whether this node takes part: see ``IdentityClaims``.
    private(set) var isConfirmed = false
    private var beat: RepeatedTask?
    private var beats = 0
    private var isChangingMembership = false
    private var replacementsRefused = 0
    private var isAnnouncing = false
    var isRenewing = false

    private static let beatMilliseconds: Int64 = 200
    private static let beatsPerSecond = 5
    /// Replacements that are tried before a voter is removed without one, in beats: ten seconds.
    private static let replacementsMax = 50
    /// How long a process waits for its predecessor to be forgotten.
    private static let refusalsMax = TimeAmount.seconds(8)
    private static let confirmationTimeout = TimeAmount.seconds(1)
    static let statusAgeMax = TimeAmount.seconds(5)
    static let requestTimeout = TimeAmount.seconds(3)

    init(
        _ configuration: ClusterMember.Configuration, node: Node, store: SecretStore, hashes: StateHashes, logger: Logger,
        fatal: @escaping @Sendable (String) -> Void
    ) throws {
        self.configuration = configuration
        self.node = node
        self.store = store
        self.hashes = hashes
        latest = LatestStatuses()
        self.logger = logger
        self.fatal = fatal
        identity = configuration.identity
        claim = IdentityClaims.Claim(incarnation: configuration.node.incarnation.raw, nonce: .random(in: .min ... .max))
        admission = PeerAdmission(clusterID: identity.clusterID)
        nodes = try store.clusterRegistry()?.nodes ?? KnownNodes.read(configuration.knownNodesFile)
        handler = PeerHandler()
        guard let name = PeerIdentity(cluster: identity.clusterID, node: identity.node) else {
            throw NodeProblem(description: "the cluster id '\(identity.clusterID)' cannot stand in a certificate")
        }
        let joins = ClusterJoinService(store: store, logger: logger, now: { WallClock.now }) { [weak node] command in
            guard let node else { throw ProposalFailure.stopping }
            return try await node.change(command, store: store)
        }
        let throttle = JoinThrottle()
        transport = try PeerTransport(
            configuration: PeerTransportConfiguration(
                identity: name, listenHost: configuration.listenHost, listenPort: configuration.listenPort, buildVersion: configuration.version),
            credential: identity.credential, authoritiesPEM: identity.authorityPEM,
            additionalProtocols: [
                JoinProtocol.name: { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(JoinServerHandler(service: joins, throttle: throttle, logger: logger))
                    }
                }
            ], eventLoop: node.eventLoop, logger: logger, handler: handler)
        handler.desk = self
        try admission.refresh(from: store)
    }

    func send(_ message: Message) {
        if isConfirmed { transport.send(message) }
    }

    func receive(_ message: Message) {
        if isConfirmed { node.receive(message) }
    }

    // MARK: Beginning and end

    func begin(listeningAt address: SocketAddress) {
        peerAddress = configuration.peerAddress ?? address.port.flatMap { port in
            NodeAddress(host: address.ipAddress ?? configuration.listenHost, port: UInt16(port))
        }
        linkPeers()
        let bound = NIOLoopBound(self, eventLoop: node.eventLoop)
        unconfirmed = Set(linked.keys)
        isConfirmed = unconfirmed.isEmpty
        // Peers that are down cannot say; they do when they come.
        node.eventLoop.scheduleTask(in: Self.confirmationTimeout) { bound.value.confirmUnlessRefused() }
        let interval = TimeAmount.milliseconds(Self.beatMilliseconds)
        beat = node.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in bound.value.beatOnce() }
    }

    private func confirmUnlessRefused() {
        if refusedBy.isEmpty { isConfirmed = true }
    }

    func end() { beat?.cancel() }

    private func beatOnce() {
        beats += 1
        refreshRegistry()
        linkPeers()
        if node.board.facts.role == .leader { reconcileMembership() }
        guard beats % Self.beatsPerSecond == 0 else { return }
        exchangeStatuses()
        announceSelf()
        renewIfDue()
    }

    // MARK: The registry

    private func refreshRegistry() {
        do {
            guard let record = try store.clusterRecord(), record.generation > admission.generation, let registry = try store.clusterRegistry() else { return }
            admission.refresh(from: registry)
            nodes = registry.nodes
            try KnownNodes.write(nodes, to: configuration.knownNodesFile)
        } catch {
            logger.error("the registry of nodes cannot be read or kept", metadata: ["error": "\(error)"])
        }
    }

    /// Active nodes, and those that the membership still names: a removed node must hear of it.
    private func linkPeers() {
        let membership = node.board.facts.membership.membership
        var wanted: [NodeID: PeerAddress] = [:]
        for record in nodes where record.id != node.id && (record.state == .active || membership.contains(record.id)) {
            wanted[record.id] = PeerAddress(host: record.peerAddress.host, port: Int(record.peerAddress.port))
        }
        guard wanted != linked else { return }
        linked = wanted
        transport.setPeers(wanted)
    }

    /// Of this cluster's registry as last known; a node that was just admitted knows only what the one that let it in told.
    func isAllowed(_ peer: NodeID, _ certificate: Certificate) -> Bool {
        if admission.generation > 0, admission.isAllowed(peer, publicKey: certificate.publicKeySHA256) { return true }
        guard let record = nodes.first(where: { $0.id == peer }), record.publicKeys.contains(certificate.publicKeySHA256) else {
            // An old copy of the registry knows no newer nodes: their certificates are of this cluster's authority, and removal needs a registry.
            return admission.generation == 0 && !nodes.contains { $0.id == peer }
        }
        return record.state == .active || node.board.facts.membership.membership.contains(peer)
    }

    private func announceSelf() {
        guard !isAnnouncing, let own = nodes.first(where: { $0.id == node.id }), own.state == .active, let peerAddress, let apiAddress,
            own.peerAddress != peerAddress || own.apiAddress != apiAddress || own.version != configuration.version
        else { return }
        isAnnouncing = true
        let update = UpdateNode(id: node.id, peerAddress: peerAddress, apiAddress: apiAddress, version: configuration.version)
        let bound = NIOLoopBound(self, eventLoop: node.eventLoop)
        let (member, state) = (node, store)
        Task {
            // Refused or not in time: the next second tries again.
            _ = try? await member.change(.updateNode(update), store: state)
            member.eventLoop.execute { bound.value.isAnnouncing = false }
        }
    }

    // MARK: The membership

    private func reconcileMembership() {
        let record = node.board.facts.membership
        let insists = replacementsRefused < Self.replacementsMax
        guard !isChangingMembership, let change = MembershipPlan.next(record.membership, nodes, insistsOnReplacement: insists) else { return }
        isChangingMembership = true
        let isOwnRemoval = change.remove.contains(node.id)
        let command = isOwnRemoval ? node.transferLeadership(to: nil) : node.change(change)
        command.assumeIsolated().whenComplete { [self] result in
            isChangingMembership = false
            let outcome = (try? result.get()) ?? .unknown
            if case .membershipRefused(.notCaughtUp) = outcome, !change.remove.isEmpty { replacementsRefused += 1 } else { replacementsRefused = 0 }
            logger.log(
                level: outcome == .done ? .notice : .debug, "membership change",
                metadata: [
                    "add_learners": "\(change.addLearners)", "promote": "\(change.promote)", "remove": "\(change.remove)", "outcome": "\(outcome)",
                ])
        }
    }

    // MARK: Statuses

    func status() -> NodeStatus {
        NodeStatus(
            node.board.facts, id: node.id, diskFreeByteCount: node.freeByteCount, isDiskLow: node.isDiskLow,
            certificateNotAfter: (try? Certificate(pem: identity.certificatePEM).notAfter) ?? 0, version: configuration.version,
            stateHashes: hashes.all)
    }

    func freshStatuses() -> [NodeStatus] {
        let now = NIODeadline.now()
        return statuses.values.filter { now - $0.at < Self.statusAgeMax }.map(\.status).sorted { $0.id < $1.id }
    }

    private func exchangeStatuses() {
        for peer in linked.keys.sorted() { askStatus(of: peer) }
        let fresh = freshStatuses()
        node.setClusterDiskLow(fresh.contains { $0.isDiskLow })
        latest.withLock { $0 = ClusterMember.Statuses(own: status(), others: fresh) }
    }

    /// Claims this node's identity from the peer, which answers with its status.
    private func askStatus(of peer: NodeID) {
        var body = ByteBuffer()
        body.writeInteger(claim.incarnation)
        body.writeInteger(claim.nonce)
        transport.request(to: peer, kind: PeerQuestion.status.rawValue, body: body, timeout: Self.requestTimeout).assumeIsolated().whenSuccess { [self] reply in
            if let refusal = IdentityClaims.Refusal(rawValue: reply.status) { return isRefused(refusal, by: peer) }
            guard let status = NodeStatus(decoding: Array(reply.body.readableBytesView)), status.id == peer.raw else { return }
            statuses[peer] = (status, NIODeadline.now())
            unconfirmed.remove(peer)
            refusedBy.remove(peer)
            if refusedBy.isEmpty, unconfirmed.isEmpty || NIODeadline.now() - startedAt > Self.confirmationTimeout { isConfirmed = true }
            compareStates()
        }
    }

    /// A peer may not have noticed yet that an earlier process of this node is gone: until it has, this one stays aside.
    private func isRefused(_ refusal: IdentityClaims.Refusal, by peer: NodeID) {
        guard refusal == .otherProcess, NIODeadline.now() - startedAt < Self.refusalsMax else { return fatal(refusal.sentence) }
        isConfirmed = false
        refusedBy.insert(peer)
        let bound = NIOLoopBound(self, eventLoop: node.eventLoop)
        node.eventLoop.scheduleTask(in: .milliseconds(Self.beatMilliseconds)) { bound.value.askStatus(of: peer) }
    }

    func connectionChanged(_ peer: NodeID, isUp: Bool) {
        if isUp {
            askStatus(of: peer)
        } else {
            statuses[peer] = nil
            claims.release(peer)
        }
        node.connectionChanged(to: peer, isUp: isUp)
    }

    private func answerStatus(_ body: ByteBuffer, from peer: NodeID) -> PeerReply {
        var body = body
        guard let incarnation = body.readInteger(as: UInt64.self), let nonce = body.readInteger(as: UInt64.self) else {
            return PeerReply(status: PeerReply.noAnswer, body: ByteBuffer())
        }
        do throws(IdentityClaims.Refusal) {
            try claims.note(IdentityClaims.Claim(incarnation: incarnation, nonce: nonce), of: peer, at: .now())
        } catch {
            logger.error("a process that claims to be another node is refused", metadata: ["node": "\(peer)", "reason": "\(error)"])
            return PeerReply(status: error.rawValue, body: ByteBuffer())
        }
        return PeerReply(status: 0, body: ByteBuffer(bytes: status().encode()))
    }

    private func compareStates() {
        let voters = node.board.facts.membership.membership.allVoters
        let others = freshStatuses().filter { status in voters.contains { $0.raw == status.id } }.map(\.stateHashes)
        guard let index = hashes.divergence(from: others, voterCount: voters.count) else { return }
        fatal("the state of this node differs from that of the majority at log index \(index); remove this node and join anew with an empty data directory")
    }

    // MARK: Questions

    func ask(_ peer: NodeID, _ question: PeerQuestion, _ body: ByteBuffer) -> EventLoopFuture<ByteBuffer> {
        transport.request(to: peer, kind: question.rawValue, body: body, timeout: Self.requestTimeout).map(\.body)
    }

    func answer(_ kind: UInt16, _ body: ByteBuffer, from peer: NodeID) -> EventLoopFuture<PeerReply> {
        switch PeerQuestion(rawValue: kind) {
        case .status: return node.eventLoop.makeSucceededFuture(answerStatus(body, from: peer))
        case .transferLeadership:
            let target = body.getInteger(at: body.readerIndex, as: UInt64.self).map(NodeID.init)
            return handOver(to: target).map { PeerReply(status: 0, body: ByteBuffer(string: $0 ?? "")) }
        case nil: return node.eventLoop.makeSucceededFuture(PeerReply(status: PeerReply.noAnswer, body: ByteBuffer()))
        }
    }

    func transferLeadership(to target: NodeID?) -> EventLoopFuture<String?> {
        guard let leader = node.board.facts.leader else { return node.eventLoop.makeSucceededFuture("the cluster has no leader at the moment") }
        if leader == node.id { return handOver(to: target) }
        var body = ByteBuffer()
        if let target { body.writeInteger(target.raw) }
        return ask(leader, .transferLeadership, body).map { $0.readableBytes == 0 ? nil : String(buffer: $0) }
            .flatMapErrorThrowing { error in "the leader, node \(leader), does not answer: \(error)" }
    }

    private func handOver(to target: NodeID?) -> EventLoopFuture<String?> {
        node.transferLeadership(to: target).map { outcome in
            switch outcome {
            case .done: nil
            case .notLeader: "the leader has just changed; try again"
            case .transferRefused(.alreadyLeader): nil
            case .transferRefused(.notVoter(let id)): "node \(id) has no vote"
            case .transferRefused(.notCaughtUp(let id)): "node \(id) has not caught up; try again later"
            case .transferRefused(.noTarget): "there is no other voter that has caught up"
            case .transferRefused(.replaced), .transferRefused(.targetRemoved), .unknown, .membershipRefused: "the hand-over was overtaken by another change"
            case .transferTimedOut: "the target did not take over in time; the old leader leads on"
            }
        }
    }
}

/// What the transport calls. Apart from the desk, which owns the transport.
private final class PeerHandler: PeerTransportHandler {
    weak var desk: PeerDesk?

    func received(_ message: Message) { desk?.receive(message) }
    func connectionChanged(_ node: NodeID, isUp: Bool) { desk?.connectionChanged(node, isUp: isUp) }
    func isAllowed(_ node: NodeID, certificate: Certificate) -> Bool { desk?.isAllowed(node, certificate) ?? false }

    func answer(kind: UInt16, body: ByteBuffer, from node: NodeID) -> EventLoopFuture<PeerReply> {
        guard let desk else { preconditionFailure("the transport is shut down before the desk goes") }
        return desk.answer(kind, body, from: node)
    }
}
