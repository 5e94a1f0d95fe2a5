import Logging
import Synchronization

/// What was logged, each line as its message and its cause.
final class CapturedLog: Sendable {
    private let captured = Mutex<[String]>([])

    var lines: [String] { captured.withLock { $0 } }

    func logger() -> Logger { Logger(label: "peers") { _ in Handler(log: self) } }

    func count(_ text: String) -> Int { lines.count { $0.contains(text) } }

    private struct Handler: LogHandler {
        let log: CapturedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            log.captured.withLock { $0.append("\(event.message) \(metadata)") }
        }
    }
}
