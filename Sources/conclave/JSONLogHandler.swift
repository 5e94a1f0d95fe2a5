internal import Glibc
internal import Logging
internal import enum Node.WallClock

/// Writes each log event to standard error as one JSON object on one line.
///
/// A value type without shared state: one `write(2)` per event, so that lines of several threads never mix. Every string is
/// escaped, control characters included: what a caller sends cannot forge a line.
struct JSONLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line = LogLine(level: event.level, message: event.message.description)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { line.append(key, value) }
        for (key, value) in (event.metadata ?? [:]).sorted(by: { $0.key < $1.key }) { line.append(key, value) }
        if let error = event.error { line.append("error", "\(error)") }
        line.write(to: STDERR_FILENO)
    }
}

/// One line of the log, while it is built.
private struct LogLine {
    private var bytes: [UInt8] = []

    init(level: Logger.Level, message: String) {
        let now = WallClock.milliseconds
        bytes.reserveCapacity(256)
        raw(#"{"time":""#)
        raw(UTCTime(millisecondsSince1970: now).text)
        raw(#"","level":""#)
        raw(level.rawValue)
        raw(#"","message":"#)
        quoted(message)
    }

    mutating func append(_ key: String, _ value: Logger.MetadataValue) {
        raw(",")
        quoted(key)
        raw(":")
        append(value)
    }

    private mutating func append(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): quoted(text)
        case .stringConvertible(let value): quoted(value.description)
        case .array(let values):
            raw("[")
            for (i, value) in values.enumerated() {
                if i > 0 { raw(",") }
                append(value)
            }
            raw("]")
        case .dictionary(let values):
            raw("{")
            for (i, (key, value)) in values.sorted(by: { $0.key < $1.key }).enumerated() {
                if i > 0 { raw(",") }
                quoted(key)
                raw(":")
                append(value)
            }
            raw("}")
        }
    }

    mutating func write(to descriptor: CInt) {
        raw("}\n")
        bytes.withUnsafeBytes { line in
            var done = 0
            while done < line.count {
                let count = Glibc.write(descriptor, line.baseAddress?.advanced(by: done), line.count - done)
                if count < 0 && errno == EINTR { continue }
                // A log that cannot be written must not stop the service.
                guard count > 0 else { return }
                done += count
            }
        }
    }

    private mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func quoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(UInt8(scalar.value))
            // C0, DEL, C1 and the line separators: nothing that a terminal or a line reader acts on.
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}":
                let hex = String(scalar.value, radix: 16)
                raw("\\u" + String(repeating: "0", count: 4 - hex.count) + hex)
            default: bytes.append(contentsOf: Character(scalar).utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
