/// An account: twelve decimal digits, held as a number.
package struct AccountID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Number of digits of an AWS account id.
    private static let digitCount = 12
    /// The first number that needs thirteen digits.
    private static let end: UInt64 = 1_000_000_000_000

    /// The digits as a number, below 10^12.
    package let rawValue: UInt64

    /// - Parameter text: Exactly twelve ASCII digits; nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count == Self.digitCount else { return nil }
        var number: UInt64 = 0
        for byte in text.utf8 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            number = number * 10 + UInt64(byte - UInt8(ascii: "0"))
        }
        rawValue = number
    }

    init?(rawValue: UInt64) {
        guard rawValue < Self.end else { return nil }
        self.rawValue = rawValue
    }

    /// The twelve digits.
    package var description: String {
        let digits = String(rawValue)
        return String(repeating: "0", count: Self.digitCount - digits.utf8.count) + digits
    }

    package static func < (a: AccountID, b: AccountID) -> Bool { a.rawValue < b.rawValue }
}
