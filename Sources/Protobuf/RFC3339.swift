/// Times as text: `2024-02-29T12:00:00.5Z`, from year 1 to year 9999. Source: RFC 3339.
enum RFC3339 {
    static let seconds: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    /// The time in UTC with 0, 3, 6 or 9 digits of fraction; nil if it is out of range.
    static func text(seconds: Int64, nanos: Int64) -> String? {
        guard self.seconds.contains(seconds), (0..<1_000_000_000).contains(nanos) else { return nil }
        let days = Int(seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400)
        let rest = Int(seconds) - days * 86400
        let (year, month, day) = civil(fromDays: days)
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        let time = "\(padded(rest / 3600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))"
        return "\(date)T\(time)\(fraction(nanos))Z"
    }

    /// Seconds and nanoseconds since 1970; nil if the text is not a time or out of range.
    static func parse(_ text: String) -> (seconds: Int64, nanos: Int32)? {
        var scanner = DigitScanner(text)
        guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2), scanner.take("-"),
            let day = scanner.number(2), scanner.take("T"), let hour = scanner.number(2), scanner.take(":"),
            let minute = scanner.number(2), scanner.take(":"), let second = scanner.number(2),
            (1...12).contains(month), day >= 1, day <= daysIn(month, of: year), hour < 24, minute < 60, second < 60,
            let nanos = scanner.fraction()
        else { return nil }
        var offset = 0
        if !scanner.take("Z") {
            guard let sign = scanner.take("+") ? 1 : scanner.take("-") ? -1 : nil, let hours = scanner.number(2),
                scanner.take(":"), let minutes = scanner.number(2), hours < 24, minutes < 60
            else { return nil }
            offset = sign * (hours * 3600 + minutes * 60)
        }
        guard scanner.isAtEnd else { return nil }
        let total = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
        return seconds.contains(Int64(total)) ? (Int64(total), nanos) : nil
    }

    /// `.5` as 3 digits and so on; nothing for 0.
    static func fraction(_ nanos: Int64) -> String {
        if nanos == 0 { return "" }
        if nanos % 1_000_000 == 0 { return "." + padded(Int(nanos / 1_000_000), 3) }
        if nanos % 1000 == 0 { return "." + padded(Int(nanos / 1000), 6) }
        return "." + padded(Int(nanos), 9)
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func daysIn(_ month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

/// Durations as text: `1.5s`, up to 10,000 years either way.
enum DurationText {
    static let secondsLimit: Int64 = 315_576_000_000

    /// Nil if the parts are out of range or have different signs.
    static func text(seconds: Int64, nanos: Int64) -> String? {
        guard abs(seconds.clamped) <= secondsLimit, (-999_999_999...999_999_999).contains(nanos),
            !(seconds > 0 && nanos < 0), !(seconds < 0 && nanos > 0)
        else { return nil }
        return "\(seconds < 0 || nanos < 0 ? "-" : "")\(abs(seconds))\(RFC3339.fraction(abs(nanos)))s"
    }

    /// Nil if the text is not a duration or out of range.
    static func parse(_ text: String) -> (seconds: Int64, nanos: Int32)? {
        var scanner = DigitScanner(text)
        let sign: Int64 = scanner.take("-") ? -1 : 1
        guard let seconds = scanner.anyNumber(), let nanos = scanner.fraction(), scanner.take("s"), scanner.isAtEnd,
            seconds <= secondsLimit
        else { return nil }
        return (sign * seconds, Int32(sign) * nanos)
    }
}

extension Int64 {
    /// `Int64.min` has no absolute value; its neighbour is as far out of any range.
    fileprivate var clamped: Int64 { Swift.max(self, -Int64.max) }
}

/// Reads ASCII text with numbers from the front.
private struct DigitScanner {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) { rest = Array(text.utf8)[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    /// A number of exactly `count` digits.
    mutating func number(_ count: Int) -> Int? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest.removeFirst(count)
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// A number of 1 to 18 digits.
    mutating func anyNumber() -> Int64? {
        let count = rest.prefix { (0x30...0x39).contains($0) }.count
        guard (1...18).contains(count) else { return nil }
        return number(count).map { Int64($0) }
    }

    /// Nanoseconds from a point and 1 to 9 digits; 0 if there is no point.
    mutating func fraction() -> Int32? {
        guard take(".") else { return 0 }
        let count = rest.prefix { (0x30...0x39).contains($0) }.count
        guard (1...9).contains(count), let digits = number(count) else { return nil }
        return (count..<9).reduce(Int32(digits)) { value, _ in value * 10 }
    }
}
