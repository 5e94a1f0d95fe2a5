internal import Synchronization

/// The context that new connections take; replaceable while the process runs (certificate renewal).
///
/// Connections that exist keep the context they began with. Safe from any thread.
package final class TLSContextBox: Sendable {
    private let context: Mutex<TLSContext>

    /// - Parameter context: For the connections that begin before the first replacement.
    package init(_ context: TLSContext) { self.context = Mutex(context) }

    /// The context for a new connection.
    package var current: TLSContext { context.withLock { $0 } }

    /// Makes `next` the context of every connection that begins from now on.
    package func replace(with next: TLSContext) { context.withLock { $0 = next } }
}
