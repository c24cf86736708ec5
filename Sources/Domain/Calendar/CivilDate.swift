/// A date of the proleptic Gregorian calendar, without a time zone. Whose date it is, the name of the variable says.
public struct CivilDate: Hashable, Comparable, Sendable {
    /// Days since 1970-01-01.
    public let epochDay: Int32

    public init(epochDay: Int32) { self.epochDay = epochDay }

    /// The date, or nil when there is none such (February 30th, month 13, a year outside 1 to 9999).
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month) else { return nil }
        guard day >= 1, day <= Self.daysInMonth(month, of: year) else { return nil }
        self.init(validYear: year, month: month, day: day)
    }

    /// The date written as `YYYY-MM-DD`, or nil when it is not one.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-") else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            var value = 0
            for byte in bytes[range] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10) else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// Counts days from March 1st, so that the leap day is the last of its year and months follow one formula.
    init(validYear year: Int, month: Int, day: Int) {
        let shifted = month <= 2 ? year - 1 : year
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let leapDays = Self.floorDivide(shifted, 4) - Self.floorDivide(shifted, 100) + Self.floorDivide(shifted, 400)
        epochDay = Int32(365 * shifted + leapDays + dayOfYear - Self.daysBeforeEpoch)
    }

    /// Year, month 1 to 12, day 1 to 31.
    public var components: (year: Int, month: Int, day: Int) {
        let days = Int(epochDay) + Self.daysBeforeEpoch
        let era = Self.floorDivide(days, Self.daysPerEra)
        let dayOfEra = days - era * Self.daysPerEra
        let yearOfEra =
            (dayOfEra - dayOfEra / (Self.daysPerFourYears - 1) + dayOfEra / Self.daysPerCentury
                - dayOfEra / (Self.daysPerEra - 1)) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }

    public var year: Int { components.year }
    public var month: Int { components.month }
    public var day: Int { components.day }

    public var weekday: Weekday {
        let days = (Int(epochDay) + 3) % 7  // 1970-01-01 was a Thursday
        return Weekday.allCases[days < 0 ? days + 7 : days]
    }

    public static func < (a: CivilDate, b: CivilDate) -> Bool { a.epochDay < b.epochDay }

    /// The date `days` later. Held at the ends of the range, which lie millions of years away.
    public static func + (date: CivilDate, days: Int) -> CivilDate {
        CivilDate(epochDay: Int32(clamping: Int(date.epochDay).addingReportingOverflow(days).partialValue))
    }

    public static func - (date: CivilDate, days: Int) -> CivilDate { date + (-days) }

    /// The days from `earlier` to `later`.
    public static func - (later: CivilDate, earlier: CivilDate) -> Int { Int(later.epochDay) - Int(earlier.epochDay) }

    static func daysInMonth(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static let daysBeforeEpoch = 719_468  // from 0000-03-01
    private static let daysPerEra = 146_097  // 400 years
    private static let daysPerCentury = 36_524
    private static let daysPerFourYears = 1_461

    private static func floorDivide(_ a: Int, _ b: Int) -> Int { a >= 0 ? a / b : -((-a + b - 1) / b) }
}

extension CivilDate: CustomStringConvertible {
    /// `YYYY-MM-DD`.
    public var description: String {
        let (year, month, day) = components
        func padded(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }
}
