internal import Glibc
package import NIOCore

/// How long a connection waits for its peer, and how much it lets a peer ask for at once (threat model N5, N6, N13, N16).
package struct HTTPConnectionConfiguration: Sendable {
    /// From the first byte of a request to the end of its header block; also from the start of a connection to its first request.
    package var headTimeout: TimeAmount = .seconds(10)
    /// From the end of a header block to the end of the body.
    package var bodyTimeout: TimeAmount = .seconds(30)
    /// For a peer that does not take our answers.
    package var writeTimeout: TimeAmount = .seconds(30)
    /// For a connection on which nothing is asked. A little more than the 60 seconds after which AWS clients drop idle connections.
    package var idleTimeout: TimeAmount = .seconds(75)
    /// How long a connection that we end stays half open, so that the peer can read the last answer (RFC 9112, section 9.6).
    package var lingerTimeout: TimeAmount = .seconds(2)
    /// Most requests of one connection whose answers are not written yet. Beyond, nothing is read.
    package var inFlightMax = 64
    /// Requests of strangers (without a valid signature) in a row before each further one makes the connection rest.
    package var strangersInARowMax = 128
    package var strangerRest: TimeAmount = .milliseconds(50)
    /// The clock of the `Date` header, in seconds since 1970.
    package var secondsSince1970: @Sendable () -> Int64 = { Int64(time(nil)) }

    package init() {}
}
