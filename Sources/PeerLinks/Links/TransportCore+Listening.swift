import Logging
import NIOCore
import NIOPosix
import OpenSSL
import Raft

/// What comes in.
extension TransportCore {
    func listen() -> EventLoopFuture<any Channel> {
        let core = NIOLoopBound(self, eventLoop: eventLoop)
        return ServerBootstrap(group: eventLoop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler()) }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try core.value.accept(channel) }
            }
            .bind(host: configuration.listenHost, port: configuration.listenPort)
    }

    /// Sets up one accepted connection. Throwing closes it.
    private func accept(_ channel: any Channel) throws {
        guard !isStopped else { throw ConnectionNotTaken() }
        let strangers = incoming.filter { $0.peer == nil }
        if strangers.count >= limits.unauthenticatedMax || incoming.count >= limits.incomingMax {
            // Who knocks and says nothing must not keep a peer out. Peers are few: one connection each for each role.
            guard let oldest = strangers.first?.connection else {
                report(.crowdedOut, "connection refused", from: channel.remoteAddress)
                throw ConnectionNotTaken()
            }
            oldest.fail(.crowdedOut)
        }
        let session = try listenerContexts.current.makeServerSession()
        let link = IncomingLink(core: self)
        let connection = LinkHandler(
            channel: channel, events: link, queueBytesMax: limits.bulkQueueBytesMax, queueFramesMax: limits.bulkQueueFramesMax)
        link.attach(connection)
        incoming.append(link)
        try channel.pipeline.syncOperations.addHandlers(TLSHandler(session: session, handshakeTimeout: limits.handshakeTimeout), connection)
    }

    /// A peer has said who it is: an older connection of it for the same use is dead or about to be.
    func incomingOpened(_ link: IncomingLink, _ node: NodeID, _ role: LinkRole) {
        for other in incoming where other !== link {
            if let peer = other.peer, peer == (node, role) { other.connection?.fail(.closedHere(.replaced)) }
        }
        logger.debug("peer has connected", metadata: ["peer": "\(node)", "role": "\(role)"])
    }

    func incomingEnded(_ link: IncomingLink, _ connection: LinkHandler, _ peer: (node: NodeID, role: LinkRole)?, _ failure: LinkFailure) {
        incoming.removeAll { $0 === link }
        switch failure {
        case .closedHere, .closedByPeer: return  // somebody wanted it
        case .closed where peer != nil: return  // our own link to that peer tells
        default: report(failure, "incoming connection failed", peer: peer?.node, role: peer?.role, from: connection.channel.remoteAddress)
        }
    }

    /// TLS agreed on a protocol that is not ours to speak.
    func handOver(_ link: IncomingLink, _ connection: LinkHandler, _ applicationProtocol: String) {
        let channel = connection.channel
        incoming.removeAll { $0 === link }
        connection.handOver(channel.pipeline.syncOperations).assumeIsolated().whenFailure { _ in channel.close(promise: nil) }
        guard let take = additionalProtocols[applicationProtocol], additional.count < limits.additionalMax else {
            report(.crowdedOut, "connection refused", from: channel.remoteAddress)
            return channel.close(promise: nil)
        }
        let id = ObjectIdentifier(channel)
        additional[id] = channel
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.additional[id] = nil }
        take(channel).whenFailure { _ in channel.close(promise: nil) }
    }
}

/// Why an accepted connection is closed at once.
private struct ConnectionNotTaken: Error {}
