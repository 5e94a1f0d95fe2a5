package import NIOCore

/// Health and metrics, for monitoring: no TLS, no signature, on a listener of its own that belongs inside.
///
///     GET /health     200 when the node can serve clients, else 503; one line of JSON says why
///     GET /metrics    the Prometheus text format, version 0.0.4
///
/// Safe from any event loop.
package final class OpsResponder: Responder {
    /// Whether the node can serve, and one line that says how it stands.
    package struct Health: Sendable {
        package var canServe: Bool
        /// A JSON object.
        package var line: String

        package init(canServe: Bool, line: String) {
            self.canServe = canServe
            self.line = line
        }
    }

    private let health: @Sendable () -> Health
    private let metrics: @Sendable () -> MetricsPage

    /// - Parameters:
    ///   - health: Asked at each request; must not block.
    ///   - metrics: Likewise.
    package init(health: @escaping @Sendable () -> Health, metrics: @escaping @Sendable () -> MetricsPage) {
        self.health = health
        self.metrics = metrics
    }

    package func respond(to request: borrowing HTTPRequest, on eventLoop: any EventLoop) -> Answer {
        guard request.methodIs("GET") else { return .now(Self.text(405, "only GET is answered here\n")) }
        if request.pathIs("/health") {
            let health = health()
            return .now(Self.text(health.canServe ? 200 : 503, health.line + "\n", type: "application/json"))
        }
        if request.pathIs("/metrics") { return .now(Self.text(200, metrics().text, type: MetricsPage.contentType)) }
        return .now(Self.text(404, "there are /health and /metrics\n"))
    }

    private static func text(_ status: UInt16, _ text: String, type: String = "text/plain; charset=utf-8") -> HTTPResponse {
        HTTPResponse(status: status, contentType: type, body: ByteBuffer(string: text))
    }
}
