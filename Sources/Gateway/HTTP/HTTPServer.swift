package import Logging
package import NIOCore
internal import NIOPosix
package import OpenSSL

/// A listener that answers HTTP/1.1 requests, over TLS or in the clear (the ops listener, tests). Safe from any thread.
package final class HTTPServer: Sendable {
    /// How a server listens, and how much it takes on.
    package struct Configuration: Sendable {
        /// Address or name to listen on.
        package var host = "127.0.0.1"
        /// Port to listen on; 0 lets the system choose one.
        package var port = 0
        /// Length of the system's queue of connections that are not accepted yet.
        package var backlog: Int32 = 1_024
        /// Number of event loops, each on a thread of its own, when the server makes them itself.
        package var eventLoopCount = System.coreCount
        /// Most open connections. The process needs as many file descriptors.
        package var connectionsMax = 10_000
        /// Most connections that are in their TLS handshake: it costs us more than them (threat model N5).
        package var handshakesMax = 1_000
        /// Most connections of one address. Nil for no such limit: a load balancer is one address.
        package var connectionsPerAddressMax: Int?
        /// Most memory for requests that have not arrived as a whole, in bytes, over all connections. 10,000 of them could ask for 3 GB.
        package var inputBytesMax = 256 << 20
        package var connection = HTTPConnectionConfiguration()

        package init() {}
    }

    /// Where the server listens.
    package let address: SocketAddress
    /// How many connections are open.
    package var connectionCount: Int { registry.connectionCount }

    private let channel: any Channel
    private let registry: ConnectionRegistry
    private let ownGroup: MultiThreadedEventLoopGroup?
    private let logger: Logger

    private init(address: SocketAddress, channel: any Channel, registry: ConnectionRegistry, ownGroup: MultiThreadedEventLoopGroup?, logger: Logger) {
        self.address = address
        self.channel = channel
        self.registry = registry
        self.ownGroup = ownGroup
        self.logger = logger
    }

    /// Listens, and answers from then on.
    ///
    /// - Parameters:
    ///   - tls: The context for new connections; it may be replaced while the server runs. Nil for no TLS.
    ///   - group: Loops to run on. Nil makes some, which end with the server.
    /// - Throws: What the system says about the address.
    package static func start(
        _ configuration: Configuration, tls: TLSContextBox?, responder: any Responder, group: (any EventLoopGroup)? = nil, logger: Logger
    ) async throws -> HTTPServer {
        let registry = ConnectionRegistry(
            limits: ConnectionRegistry.Limits(
                connectionsMax: configuration.connectionsMax, handshakesMax: configuration.handshakesMax,
                connectionsPerAddressMax: configuration.connectionsPerAddressMax))
        let budget = InputBudget(byteCountMax: configuration.inputBytesMax)
        let ownGroup = group == nil ? MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoopCount) : nil
        let bootstrap = ServerBootstrap(group: group ?? ownGroup ?? MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: configuration.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler()) }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A client may close its direction and still read its answers.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try connect(channel, registry: registry, tls: tls) { handshakeCompleted in
                        HTTPConnectionHandler(
                            configuration: configuration.connection, responder: responder, budget: budget, isSecured: tls != nil,
                            handshakeCompleted: handshakeCompleted)
                    }
                }
            }
        do {
            let channel = try await bootstrap.bind(host: configuration.host, port: configuration.port).get()
            guard let address = channel.localAddress else { throw ChannelError.unknownLocalAddress }
            logger.info("listening", metadata: ["address": "\(address)", "tls": "\(tls != nil)"])
            return HTTPServer(address: address, channel: channel, registry: registry, ownGroup: ownGroup, logger: logger)
        } catch {
            // The reason for not listening is what the caller needs to hear, not how the loops end.
            try? await ownGroup?.shutdownGracefully()
            throw error
        }
    }

    /// Sets up one accepted connection, on its loop. Throwing closes it.
    ///
    /// - Parameter makeHandler: Given what to call at the end of the TLS handshake.
    private static func connect(
        _ channel: any Channel, registry: ConnectionRegistry, tls: TLSContextBox?,
        makeHandler: (@escaping () -> Void) -> HTTPConnectionHandler
    ) throws {
        guard let number = registry.admit(channel, address: channel.remoteAddress?.ipAddress, isHandshaking: tls != nil) else {
            throw HTTPServerFull()
        }
        channel.closeFuture.whenComplete { _ in registry.remove(number) }
        let pipeline = channel.pipeline.syncOperations
        if let tls { try pipeline.addHandler(TLSHandler(session: tls.current.makeServerSession())) }
        try pipeline.addHandler(makeHandler { registry.handshakeCompleted(number) })
    }

    /// Ends the server: accepts nobody, lets requests in flight finish and tells their clients that the connection ends, closes by force
    /// what is still open after `grace`, and ends the server's own loops.
    package func shutdown(grace: TimeAmount) async {
        // Closed already is as good.
        try? await channel.close().get()
        let loop = channel.eventLoop
        let whenEmpty = loop.makePromise(of: Void.self)
        for connection in registry.stop(whenEmpty: whenEmpty) {
            connection.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        let force = loop.scheduleTask(in: grace) { [registry, logger] in
            let channels = registry.channels
            logger.notice("closing connections by force", metadata: ["count": "\(channels.count)"])
            for channel in channels { channel.close(promise: nil) }
        }
        // The promise is only ever kept.
        try? await whenEmpty.futureResult.get()
        force.cancel()
        // Loops that do not end have been ended before.
        try? await ownGroup?.shutdownGracefully()
    }
}

/// Why an accepted connection is closed at once.
private struct HTTPServerFull: Error {}
