package import NIOCore

/// What makes answers out of requests. The HTTP front knows nothing of the API behind it.
package protocol Responder: Sendable {
    /// Answers one request.
    ///
    /// Called on `eventLoop`, and must not block it. Called once per request, in the order in which requests arrived; later answers
    /// may become ready in any order.
    ///
    /// - Parameter request: Valid during the call only; its bytes are wiped afterwards.
    func respond(to request: borrowing HTTPRequest, on eventLoop: any EventLoop) -> Answer
}

/// An answer, or the promise of one.
package enum Answer: Sendable {
    /// Ready: written before the responder's caller returns to its event loop.
    case now(HTTPResponse)
    /// Ready later, on any event loop. A failure becomes a 500 that says nothing about the reason.
    case later(EventLoopFuture<HTTPResponse>)
}
