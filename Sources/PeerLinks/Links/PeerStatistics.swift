package import NIOCore

/// What is known of the links with one peer. Counters begin with the transport.
package struct PeerStatistics: Hashable, Sendable {
    /// Whether the control connection made by this node is there.
    package var isUp = false
    package var isBulkUp = false
    /// What the control connection speaks; `nil` while it is down.
    package var version: UInt16?
    /// Seconds since 1970 at which the certificate ends that the peer showed last.
    package var certificateNotAfter: Int64?
    /// Between the last ping and its pong on the control connection.
    package var roundTrip: TimeAmount?
    package var counters = PeerCounters()
}

/// Traffic with one peer, over all connections of both directions.
package struct PeerCounters: Hashable, Sendable {
    package var framesSent: UInt64 = 0
    package var bytesSent: UInt64 = 0
    package var framesReceived: UInt64 = 0
    package var bytesReceived: UInt64 = 0
    /// Messages that were given up because the peer was not connected, its queue was full, or the connection ended before they left.
    package var framesDropped: UInt64 = 0
    /// Good handshakes of connections that this node made.
    package var connectionsMade: UInt64 = 0
}

/// The counters of a peer, shared by its links. Belongs to the event loop.
final class PeerCounting {
    var counters = PeerCounters()
    var certificateNotAfter: Int64?
}
