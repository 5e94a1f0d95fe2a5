import Logging
import NIOCore
import NIOPosix
import OpenSSL
import Raft

/// The state of a ``PeerTransport``: its peers, its listener, what came in. Belongs to the event loop.
///
/// Links refer to it and it to them; ``shutdown()`` breaks the cycle.
final class TransportCore {
    private struct Peer {
        let address: PeerAddress
        let control: OutgoingLink
        let bulk: OutgoingLink

        var links: [OutgoingLink] { [control, bulk] }
    }

    private enum State { case new, started, stopped }

    let configuration: PeerTransportConfiguration
    let eventLoop: any EventLoop
    let listenerContexts: TLSContextBox
    let callerContexts: TLSContextBox
    let additionalProtocols: [String: @Sendable (any Channel) -> EventLoopFuture<Void>]
    var logger: Logger
    /// Nil from the shutdown on: nobody is called any more.
    private(set) var handler: (any PeerTransportHandler)?

    private var state = State.new
    private var peers: [NodeID: Peer] = [:]
    private var countings: [NodeID: PeerCounting] = [:]
    private var listener: (any Channel)?
    private var ticker: RepeatedTask?
    private var random = SystemRandomNumberGenerator()
    private var lines = RateLimiter()

    /// Connections that came in and are not handed over, the oldest first.
    var incoming: [IncomingLink] = []
    /// Connections under an additional protocol.
    var additional: [ObjectIdentifier: any Channel] = [:]

    var limits: PeerLinkLimits { configuration.limits }
    var isStopped: Bool { state == .stopped }

    init(
        configuration: PeerTransportConfiguration, listenerContexts: TLSContextBox, callerContexts: TLSContextBox,
        additionalProtocols: [String: @Sendable (any Channel) -> EventLoopFuture<Void>], eventLoop: any EventLoop, logger: Logger,
        handler: any PeerTransportHandler
    ) {
        self.configuration = configuration
        self.listenerContexts = listenerContexts
        self.callerContexts = callerContexts
        self.additionalProtocols = additionalProtocols
        self.eventLoop = eventLoop
        self.logger = logger
        self.handler = handler
    }

    // MARK: Life

    func start() -> EventLoopFuture<SocketAddress> {
        guard state == .new else { return eventLoop.makeFailedFuture(PeerTransportError.notStartable) }
        state = .started
        let core = NIOLoopBound(self, eventLoop: eventLoop)
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: limits.pingInterval, delay: limits.pingInterval) { _ in core.value.tick() }
        return listen().assumeIsolated().flatMapThrowing { channel in
            guard let address = channel.localAddress, !self.isStopped else {
                channel.close(promise: nil)
                throw ChannelError.unknownLocalAddress
            }
            self.listener = channel
            return address
        }.nonisolated()
    }

    /// Closes everything; completes when it is closed.
    func shutdown() -> EventLoopFuture<Void> {
        state = .stopped
        handler = nil
        ticker?.cancel()
        ticker = nil
        var closing: [any Channel] = []
        for (_, peer) in inOrder(peers) { closing += peer.links.compactMap { $0.stop(.shuttingDown) } }
        peers.removeAll()
        for link in incoming {
            guard let connection = link.connection else { continue }
            closing.append(connection.channel)
            connection.fail(.closedHere(.shuttingDown))
        }
        closing += additional.values
        if let listener { closing.append(listener) }
        listener = nil
        for channel in closing { channel.close(promise: nil) }
        return EventLoopFuture.andAllComplete(closing.map(\.closeFuture), on: eventLoop)
    }

    private func tick() {
        let now = NIODeadline.now()
        for (_, peer) in inOrder(peers) {
            for link in peer.links { link.tick(now) }
        }
        for link in incoming { link.tick(now) }
    }

    private func inOrder<Value>(_ table: [NodeID: Value]) -> [(key: NodeID, value: Value)] { table.sorted { $0.key < $1.key } }

    // MARK: Peers

    func setPeers(_ addresses: [NodeID: PeerAddress]) {
        guard state == .started else { return }
        for (node, peer) in inOrder(peers) where addresses[node] != peer.address {
            let isRemoved = addresses[node] == nil
            peers[node] = nil
            for link in peer.links { _ = link.stop(isRemoved ? .notAllowed : .notWanted) }
            if isRemoved {
                endIncoming(of: node, .notAllowed)
                countings[node] = nil
            }
        }
        for (node, address) in inOrder(addresses) where peers[node] == nil && node != configuration.identity.node {
            guard let identity = PeerIdentity(cluster: configuration.identity.cluster, node: node) else { continue }
            let counting = counting(for: node)
            func link(_ role: LinkRole) -> OutgoingLink {
                OutgoingLink(identity: identity, role: role, address: address, core: self, counting: counting)
            }
            let peer = Peer(address: address, control: link(.control), bulk: link(.bulk))
            peers[node] = peer
            for link in peer.links { link.start() }
        }
    }

    func disconnect(_ node: NodeID) {
        for link in peers[node]?.links ?? [] { link.restart(.notWanted) }
        endIncoming(of: node, .notWanted)
    }

    private func endIncoming(of node: NodeID, _ end: LinkEnd) {
        for link in incoming where link.peer?.node == node { link.connection?.fail(.closedHere(end)) }
    }

    func counting(for node: NodeID) -> PeerCounting {
        if let counting = countings[node] { return counting }
        let counting = PeerCounting()
        countings[node] = counting
        return counting
    }

    func statistics() -> [NodeID: PeerStatistics] {
        var all: [NodeID: PeerStatistics] = [:]
        for (node, counting) in inOrder(countings) {
            let peer = peers[node]
            all[node] = PeerStatistics(
                isUp: peer?.control.version != nil, isBulkUp: peer?.bulk.version != nil, version: peer?.control.version,
                certificateNotAfter: counting.certificateNotAfter, roundTrip: peer?.control.roundTrip, counters: counting.counters)
        }
        return all
    }

    // MARK: Traffic

    func send(_ message: Message) {
        guard let peer = peers[message.to] else { return }
        let link = message.payload.role == .bulk ? peer.bulk : peer.control
        link.send(message.term, message.payload)
    }

    func request(to node: NodeID, kind: UInt16, body: ByteBuffer, timeout: TimeAmount) -> EventLoopFuture<PeerReply> {
        guard let peer = peers[node] else { return eventLoop.makeFailedFuture(PeerRequestError.notConnected) }
        return peer.control.request(kind: kind, body: body, timeout: timeout)
    }

    func deliver(_ term: Term, _ payload: Message.Payload, from node: NodeID) {
        handler?.received(Message(from: node, to: configuration.identity.node, term: term, payload: payload))
    }

    func answer(_ kind: UInt16, _ body: ByteBuffer, from node: NodeID) -> EventLoopFuture<PeerReply>? {
        handler?.answer(kind: kind, body: body, from: node)
    }

    // MARK: What links ask and tell

    func isAllowed(_ node: NodeID, _ certificate: Certificate) -> Bool { handler?.isAllowed(node, certificate: certificate) ?? false }

    func hello(_ role: LinkRole) -> Hello {
        Hello(
            versions: configuration.protocolVersions, cluster: configuration.identity.cluster, node: configuration.identity.node, role: role,
            buildVersion: configuration.buildVersion)
    }

    /// The verified certificate that the other side showed in its handshake.
    func peerCertificate(of connection: LinkHandler) -> Certificate? {
        // A link's pipeline always has TLS in it; a channel that is closing may have been emptied.
        try? connection.channel.pipeline.syncOperations.handler(type: TLSHandler.self).session.peerCertificate
    }

    func delay(_ backoff: inout Backoff) -> TimeAmount { backoff.delay(using: &random) }

    func linkChanged(_ link: OutgoingLink, isOpen: Bool) {
        logger.info(
            isOpen ? "link to peer is up" : "link to peer is down",
            metadata: ["peer": "\(link.identity.node)", "role": "\(link.role)", "version": "\(link.version ?? 0)"])
        if link.role == .control { handler?.connectionChanged(link.identity.node, isUp: isOpen) }
    }

    /// One line about a connection that failed, at most one a second of each kind.
    func report(_ failure: LinkFailure, _ what: Logger.Message, peer: NodeID? = nil, role: LinkRole? = nil, from address: SocketAddress? = nil) {
        guard !isStopped, let suppressed = lines.admit("\(failure.label) \(peer.map { "\($0)" } ?? "")", now: .now()) else { return }
        var metadata: Logger.Metadata = ["cause": "\(failure.label)"]
        if let detail = failure.detail { metadata["detail"] = "\(detail)" }
        if let peer { metadata["peer"] = "\(peer)" }
        if let role { metadata["role"] = "\(role)" }
        if let address { metadata["from"] = "\(address)" }
        if suppressed > 0 { metadata["suppressed"] = "\(suppressed)" }
        logger.warning(what, metadata: metadata)
    }
}

@available(*, unavailable)
extension TransportCore: Sendable {}
