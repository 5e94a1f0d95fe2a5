internal import Dispatch
internal import Glibc
internal import Synchronization

/// What happens to a running node from outside: signals, and the passing of time.
///
/// Sendable: the sources are kept alive and never touched after `init`.
final class ProcessEvents: @unchecked Sendable {
    enum Event: Sendable {
        /// SIGTERM or SIGINT.
        case stop
        /// SIGHUP: read the certificate anew.
        case reload
        /// An hour has passed.
        case hour
    }

    /// The node wants to stop by itself.
    func stop() {
        stopping.store(true, ordering: .relaxed)
        continuation.yield(.stop)
    }

    /// Whether the stop was asked for.
    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// The events, in order. One reader.
    let events: AsyncStream<Event>
    private let stopping = Atomic<Bool>(false)
    private let continuation: AsyncStream<Event>.Continuation
    private var sources: [any DispatchSourceProtocol] = []

    /// Takes the signals over from their default actions.
    init() {
        (events, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(16))
        let queue = DispatchQueue(label: "conclave.events")
        for (number, event) in [(SIGTERM, Event.stop), (SIGINT, .stop), (SIGHUP, .reload)] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            // One per process: it lives until the process ends.
            source.setEventHandler { [unowned self] in if event == .stop { stop() } else { continuation.yield(event) } }
            sources.append(source)
        }
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + .seconds(3_600), repeating: .seconds(3_600))
        timer.setEventHandler { [continuation] in continuation.yield(.hour) }
        sources.append(timer)
        for source in sources { source.resume() }
    }
}
