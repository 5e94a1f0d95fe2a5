/// A moment, in whole milliseconds since 1970-01-01T00:00:00Z.
package struct Timestamp: Hashable, Comparable, Sendable {
    package let millisecondsSince1970: Int64

    /// - Parameter millisecondsSince1970: A clock outside of 1970 to 9999 is moved to the nearer end, so that no sum of a
    ///   timestamp and a window can overflow.
    package init(millisecondsSince1970: Int64) {
        self.millisecondsSince1970 = min(max(millisecondsSince1970, 0), Self.latestMilliseconds)
    }

    /// 9999-12-31T23:59:59.999Z.
    static let latestMilliseconds: Int64 = 253_402_300_799_999
    static let millisecondsPerDay: Int64 = 86_400_000

    /// The UTC day that this moment lies in.
    package var day: UTCDay { UTCDay(daysSince1970: Int32(millisecondsSince1970 / Self.millisecondsPerDay)) }

    package func adding(milliseconds: Int64) -> Timestamp { Timestamp(millisecondsSince1970: millisecondsSince1970 + milliseconds) }

    func adding(days: Int) -> Timestamp { adding(milliseconds: Int64(days) * Self.millisecondsPerDay) }

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.millisecondsSince1970 < b.millisecondsSince1970 }
}

/// A whole UTC day: the resolution of `LastAccessedDate`.
package struct UTCDay: Hashable, Comparable, Sendable {
    package let daysSince1970: Int32

    package init(daysSince1970: Int32) { self.daysSince1970 = daysSince1970 }

    /// The day's first moment: what AWS shows as `LastAccessedDate`.
    package var start: Timestamp { Timestamp(millisecondsSince1970: Int64(daysSince1970) * Timestamp.millisecondsPerDay) }

    package static func < (a: UTCDay, b: UTCDay) -> Bool { a.daysSince1970 < b.daysSince1970 }
}
