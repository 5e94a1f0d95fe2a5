internal import Glibc

/// A moment in the proleptic Gregorian calendar, UTC.
struct UTCTime {
    let millisecondsSince1970: Int64

    /// RFC 3339, for example `2026-01-31T23:59:59.123Z`.
    var text: String {
        var seconds = time_t(millisecondsSince1970 / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let date = "\(digits(Int(parts.tm_year) + 1900, 4))-\(digits(Int(parts.tm_mon) + 1, 2))-\(digits(Int(parts.tm_mday), 2))"
        let time = "\(digits(Int(parts.tm_hour), 2)):\(digits(Int(parts.tm_min), 2)):\(digits(Int(parts.tm_sec), 2))"
        return date + "T" + time + "." + digits(Int(millisecondsSince1970 % 1000), 3) + "Z"
    }
}
