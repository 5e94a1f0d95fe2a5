package import NIOCore

/// What a transport is told when it is made.
package struct PeerTransportConfiguration: Sendable {
    /// This node and its cluster.
    package var identity: PeerIdentity
    package var listenHost: String
    /// 0 lets the system choose.
    package var listenPort: Int
    /// For people on the other side.
    package var buildVersion: String
    /// What this node speaks; a range other than the default is for tests of the negotiation.
    package var protocolVersions = WireFormat.versions
    package var limits = PeerLinkLimits()

    /// - Parameter buildVersion: At most 255 bytes.
    package init(identity: PeerIdentity, listenHost: String, listenPort: Int, buildVersion: String) {
        precondition(buildVersion.utf8.count <= WireFormat.textBytesMax, "a build version is short")
        self.identity = identity
        self.listenHost = listenHost
        self.listenPort = listenPort
        self.buildVersion = buildVersion
    }
}

/// Where a peer listens.
package struct PeerAddress: Hashable, Sendable, CustomStringConvertible {
    /// Name or address; a name is looked up at every attempt.
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package var description: String { "\(host):\(port)" }
}

/// Everything about links that could grow or last.
package struct PeerLinkLimits: Sendable {
    package var connectTimeout: TimeAmount = .seconds(2)
    /// From the accepted connection, or the made one, to the end of the hellos.
    package var handshakeTimeout: TimeAmount = .seconds(10)
    /// How often links are looked at and pinged.
    package var pingInterval: TimeAmount = .seconds(1)
    /// A link on which nothing arrived for this long is dead: the other side owes at least a ping or a pong each interval.
    package var silenceMax: TimeAmount = .seconds(3)
    /// The wait before the first new attempt; it doubles up to ``reconnectDelayMax``.
    package var reconnectDelayMin: TimeAmount = .milliseconds(50)
    package var reconnectDelayMax: TimeAmount = .seconds(2)

    /// What may wait for the control connection of one peer: twice what the core has under way to it (`Raft.Limits.inflightBytesMax`).
    package var controlQueueBytesMax = 16 << 20
    package var controlQueueFramesMax = 20_000
    /// What may wait for the bulk connection of one peer, and with answers for a connection that came in.
    package var bulkQueueBytesMax = 5 << 20
    package var bulkQueueFramesMax = 2_000

    /// Connections that came in, known or not.
    package var incomingMax = 64
    /// Of them, those that have not said who they are. The oldest gives way to a new one.
    package var unauthenticatedMax = 32
    /// Connections under ``PeerTransport``'s additional protocols.
    package var additionalMax = 16
    /// Requests without an answer, to one peer and from one peer.
    package var requestsMax = 1_024

    package init() {}
}
