package import Logging
package import NIOCore
package import OpenSSL
package import Raft

/// The links between this node and its peers: mutually authenticated TLS 1.3, one listener, two connections to each peer.
///
/// A node dials every peer and speaks on the connections that it made; it listens to those that came in. Only answers (to pings and requests)
/// go the other way. The second connection is for snapshot chunks, so that they never stand before a heartbeat. Messages on one
/// connection arrive in the order of ``send(_:)`` or not at all; a connection that is lost is made again, and what waited for it is dropped.
///
/// **Trust.** Certificates of the cluster's authority only, each naming one node (``PeerIdentity``). Who speaks is what the certificate
/// says; a caller also insists on the node that it called, and a hello that says otherwise ends the connection. Strangers get a TLS
/// alert or an end, and we get one log line a second for each cause.
///
/// Sendable: everything but the TLS contexts lives on one event loop, and `core` cannot be reached from elsewhere. Methods say where
/// they may be called.
package final class PeerTransport: Sendable {
    private let core: NIOLoopBound<TransportCore>
    private let eventLoop: any EventLoop
    private let listenerContexts: TLSContextBox
    private let callerContexts: TLSContextBox
    private let identity: PeerIdentity
    private let additionalProtocols: [String]

    /// On the event loop only. Nothing happens before ``start()``; must be ended by ``shutdown()``, also when the start failed.
    ///
    /// - Parameters:
    ///   - credential: This node's certificate, for both directions of TLS.
    ///   - authoritiesPEM: The cluster's authority; two while it is being replaced.
    ///   - additionalProtocols: What else the listener serves, by ALPN name, to callers with or without a certificate. The function gets
    ///     a channel whose TLS is done (the `TLSHandler` in its pipeline knows the certificate, if there is one), on the event loop, and
    ///     adds its handlers before it returns; deadlines are its own. A failed future closes the channel.
    ///   - handler: Kept until the shutdown.
    /// - Throws: ``PeerTransportError``.
    package init(
        configuration: PeerTransportConfiguration, credential: Credential, authoritiesPEM: String,
        additionalProtocols: [String: @Sendable (any Channel) -> EventLoopFuture<Void>] = [:], eventLoop: any EventLoop, logger: Logger,
        handler: any PeerTransportHandler
    ) throws(PeerTransportError) {
        eventLoop.preconditionInEventLoop()
        identity = configuration.identity
        self.additionalProtocols = additionalProtocols.keys.sorted()
        let contexts = try Self.contexts(credential, authoritiesPEM, identity, self.additionalProtocols)
        listenerContexts = TLSContextBox(contexts.listener)
        callerContexts = TLSContextBox(contexts.caller)
        self.eventLoop = eventLoop
        let core = TransportCore(
            configuration: configuration, listenerContexts: listenerContexts, callerContexts: callerContexts,
            additionalProtocols: additionalProtocols, eventLoop: eventLoop, logger: logger, handler: handler)
        self.core = NIOLoopBound(core, eventLoop: eventLoop)
    }

    /// Listens, and returns where. From any thread.
    ///
    /// - Throws: What the system says about the address; ``PeerTransportError/notStartable`` the second time.
    package func start() async throws -> SocketAddress {
        try await eventLoop.flatSubmit { [core] in core.value.start() }.get()
    }

    /// Closes all connections and the listener, fails all requests, and returns when that is done. From any thread.
    package func shutdown() async {
        // The future only ever succeeds.
        try? await eventLoop.flatSubmit { [core] in core.value.shutdown() }.get()
    }

    /// Makes `credential` and `authoritiesPEM` those of every connection that begins from now on, in both directions. From any thread.
    ///
    /// - Throws: ``PeerTransportError``; everything stays as it was then.
    package func update(credential: Credential, authoritiesPEM: String) throws(PeerTransportError) {
        let contexts = try Self.contexts(credential, authoritiesPEM, identity, additionalProtocols)
        listenerContexts.replace(with: contexts.listener)
        callerContexts.replace(with: contexts.caller)
    }

    /// Makes `addresses` the peers that this node dials (itself left out): new ones are dialled, others are redialled where their address
    /// changed, and those that are missing are disconnected, also where they dialled us. Between start and shutdown, on the event loop only.
    package func setPeers(_ addresses: [NodeID: PeerAddress]) { core.value.setPeers(addresses) }

    /// Closes the connections with `node`, in both directions. While it is a peer it is dialled again. On the event loop only.
    package func disconnect(_ node: NodeID) { core.value.disconnect(node) }

    /// Queues `message` for `message.to`; never waits. It is dropped, and counted, where the connection is down or the queue full; one for
    /// a node that is no peer is dropped. `message.from` is not sent. On the event loop only.
    package func send(_ message: Message) { core.value.send(message) }

    /// Asks `node`. On the event loop only.
    ///
    /// - Returns: The answer, on the event loop; fails with ``PeerRequestError``, once and at the latest after `timeout`.
    package func request(to node: NodeID, kind: UInt16, body: ByteBuffer, timeout: TimeAmount) -> EventLoopFuture<PeerReply> {
        core.value.request(to: node, kind: kind, body: body, timeout: timeout)
    }

    /// What is known of every peer, and of every node that has called. On the event loop only.
    package func statistics() -> [NodeID: PeerStatistics] { core.value.statistics() }

    private static func contexts(
        _ credential: Credential, _ authoritiesPEM: String, _ identity: PeerIdentity, _ openProtocols: [String]
    ) throws(PeerTransportError) -> (listener: TLSContext, caller: TLSContext) {
        let named: PeerIdentity?
        do throws(CertificateError) {
            named = PeerIdentity(certificate: try Certificate(pem: credential.certificatePEM))
        } catch { throw .tls(TLSError(code: .configuration, reason: error.description)) }
        guard named == identity else { throw .credentialNamesAnotherNode }
        do throws(TLSError) {
            func context(_ openProtocols: [String]) throws(TLSError) -> TLSContext {
                // Whether the node is welcome is asked after the handshake, where the refusal can say why.
                try .peer(
                    credential: credential, trusting: authoritiesPEM, applicationProtocol: WireFormat.applicationProtocol,
                    openProtocols: openProtocols
                ) { _ in true }
            }
            return (try context(openProtocols), try context([]))
        } catch { throw .tls(error) }
    }
}
