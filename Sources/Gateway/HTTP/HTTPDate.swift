/// The text of the `Date` header (RFC 9110, section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`), made once per second.
struct HTTPDate: Sendable {
    /// Length of the text, in bytes.
    static let byteCount = 29
    private static let days: StaticString = "ThuFriSatSunMonTueWed"
    private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

    private var second = Int64.min
    private var text = [UInt8](repeating: UInt8(ascii: " "), count: HTTPDate.byteCount)

    /// Lends the text for a second since 1970, UTC.
    mutating func withText<Result>(at second: Int64, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if second != self.second {
            self.second = second
            render()
        }
        return text.withUnsafeBytes(body)
    }

    private mutating func render() {
        let day = second.flooredQuotient(by: 86_400)
        let secondOfDay = Int(second - day * 86_400)
        let (year, month, dayOfMonth) = Self.civil(dayOf1970: day)
        put(Self.days, piece: Int(day - day.flooredQuotient(by: 7) * 7), at: 0)
        text[3] = UInt8(ascii: ",")
        put(dayOfMonth, at: 5)
        put(Self.months, piece: month - 1, at: 8)
        put(year / 100, at: 12)
        put(year % 100, at: 14)
        put(secondOfDay / 3600, at: 17)
        text[19] = UInt8(ascii: ":")
        put(secondOfDay / 60 % 60, at: 20)
        text[22] = UInt8(ascii: ":")
        put(secondOfDay % 60, at: 23)
        text.replaceSubrange(26..<29, with: "GMT".utf8)
    }

    private mutating func put(_ twoDigits: Int, at index: Int) {
        text[index] = UInt8(truncatingIfNeeded: twoDigits / 10 % 10) + UInt8(ascii: "0")
        text[index + 1] = UInt8(truncatingIfNeeded: twoDigits % 10) + UInt8(ascii: "0")
    }

    private mutating func put(_ names: StaticString, piece: Int, at index: Int) {
        for offset in 0..<3 { text[index + offset] = names.utf8Start[piece * 3 + offset] }
    }

    /// The Gregorian date of a day counted from 1970-01-01. Works in 400-year cycles that begin on a first of March, so that a leap day is
    /// the last day of its year.
    private static func civil(dayOf1970 day: Int64) -> (year: Int, month: Int, day: Int) {
        let daysPerCycle: Int64 = 146_097
        let shifted = day + 719_468
        let cycle = shifted.flooredQuotient(by: daysPerCycle)
        let dayOfCycle = Int(shifted - cycle * daysPerCycle)
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfCycle + Int(cycle) * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }
}

extension Int64 {
    /// Division that rounds towards minus infinity.
    fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
