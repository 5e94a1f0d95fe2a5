/// A moment as SigV4 writes it: `YYYYMMDDThhmmssZ`, the basic format of ISO 8601, in UTC, to the second.
struct SigningTime: Hashable, Sendable {
    /// Length of the text, in bytes.
    static let textByteCount = 16
    /// Length of its leading date, in bytes.
    static let dateByteCount = 8

    let secondsSince1970: Int64

    init(secondsSince1970: Int64) { self.secondsSince1970 = secondsSince1970 }

    /// The second in which the moment lies.
    init(millisecondsSince1970: Int64) {
        let (seconds, rest) = millisecondsSince1970.quotientAndRemainder(dividingBy: 1000)
        secondsSince1970 = rest < 0 ? seconds - 1 : seconds
    }

    /// Reads the bytes of `range`; `nil` unless they are exactly 16 ASCII characters that name an existing second. No leap seconds.
    init?(_ range: Range<Int>, of text: RawSpan) {
        guard range.count == Self.textByteCount else { return nil }
        let start = range.lowerBound
        guard text.byte(at: start + 8) == UInt8(ascii: "T"), text.byte(at: start + 15) == UInt8(ascii: "Z") else { return nil }
        func number(_ offset: Int, _ count: Int) -> Int? {
            var value = 0
            for i in start + offset..<start + offset + count {
                guard ASCII.isDigit(text.byte(at: i)) else { return nil }
                value = value * 10 + Int(text.byte(at: i) - UInt8(ascii: "0"))
            }
            return value
        }
        guard let year = number(0, 4), let month = number(4, 2), let day = number(6, 2),
            let hour = number(9, 2), let minute = number(11, 2), let second = number(13, 2)
        else { return nil }
        guard 1...12 ~= month, 1...Self.dayCount(year: year, month: month) ~= day, hour < 24, minute < 60, second < 60 else { return nil }
        let days = Self.daysSince1970(year: year, month: month, day: day)
        secondsSince1970 = Int64(days * 86_400 + hour * 3_600 + minute * 60 + second)
    }

    func adding(seconds: Int64) -> SigningTime { SigningTime(secondsSince1970: secondsSince1970 + seconds) }

    /// The 16 characters.
    var text: String {
        let days = Int(secondsSince1970.floorQuotient(dividingBy: 86_400))
        let second = Int(secondsSince1970) - days * 86_400
        let (year, month, day) = Self.date(daysSince1970: days)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return padded(year, 4) + padded(month, 2) + padded(day, 2)
            + "T" + padded(second / 3_600, 2) + padded(second / 60 % 60, 2) + padded(second % 60, 2) + "Z"
    }

    // MARK: The Gregorian calendar. Years are counted from March, so that the leap day comes last.

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        // 719,468 days lie between 1 March of the year 0 and 1 January 1970.
        return marchYear * 365 + marchYear.floorQuotient(dividingBy: 4) - marchYear.floorQuotient(dividingBy: 100)
            + marchYear.floorQuotient(dividingBy: 400) + (153 * monthFromMarch + 2) / 5 + day - 1 - 719_468
    }

    private static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted.floorQuotient(dividingBy: 146_097) // days in 400 years
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }
}

extension BinaryInteger {
    /// The quotient rounded towards minus infinity.
    fileprivate func floorQuotient(dividingBy divisor: Self) -> Self {
        let (quotient, rest) = quotientAndRemainder(dividingBy: divisor)
        return rest < 0 ? quotient - 1 : quotient
    }
}
