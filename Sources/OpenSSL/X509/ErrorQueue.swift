internal import COpenSSL

/// OpenSSL's error queue of the calling thread.
///
/// Cleared right before a call and drained right after it failed; nothing in between may use OpenSSL.
struct ErrorQueue {
    /// OpenSSL's text for the first error, the one that the others follow from; empty when the queue was.
    var reason = ""
    /// The alert that the other side sent, where that is what failed (RFC 8446 section 6.2).
    var alertReceived: UInt8?

    /// `SSL_AD_REASON_OFFSET`: reasons above it are alerts that were received.
    private static let alertReasonOffset = 1000

    static func clear() { ERR_clear_error() }

    /// Takes every error off the queue.
    static func drain() -> ErrorQueue {
        var result = ErrorQueue()
        while case let code = ERR_get_error(), code != 0 {
            guard result.reason.isEmpty else { continue }
            result.reason = ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)"
            let reason = Int(ERR_GET_REASON(code)) - alertReasonOffset
            if ERR_GET_LIB(code) == ERR_LIB_SSL, reason >= 0 { result.alertReceived = UInt8(exactly: reason) }
        }
        return result
    }
}
