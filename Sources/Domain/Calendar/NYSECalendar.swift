/// The days and hours of the New York Stock Exchange, by rule (NYSE Rule 7.2 and its published holidays).
///
/// Valid from 2012 on: days of mourning and storms before 2018 are not listed.
public struct NYSECalendar: Hashable, Sendable {
    /// Days on which the exchange stayed closed by a decision of its own.
    public var extraClosures: Set<CivilDate>

    public static let standard = NYSECalendar(extraClosures: [
        CivilDate(validYear: 2018, month: 12, day: 5),  // Mourning for George H. W. Bush.
        CivilDate(validYear: 2025, month: 1, day: 9),  // Mourning for Jimmy Carter.
    ])

    public init(extraClosures: Set<CivilDate>) { self.extraClosures = extraClosures }

    /// The session of this New York date, or nil when there is none.
    public func session(on date: CivilDate) -> TradingSession? {
        guard isTradingDay(date) else { return nil }
        let isHalfDay = Self.isHalfDay(date)
        return TradingSession(
            tradeDate: date, opensAt: NewYork.instant(date, minutes: Self.open),
            closesAt: NewYork.instant(date, minutes: isHalfDay ? Self.earlyClose : Self.close), isHalfDay: isHalfDay)
    }

    public func isTradingDay(_ date: CivilDate) -> Bool {
        !date.weekday.isWeekend && !Self.isHoliday(date) && !extraClosures.contains(date)
    }

    /// The first trading day on or after `date`.
    public func tradingDay(onOrAfter date: CivilDate) -> CivilDate {
        var day = date
        while !isTradingDay(day) { day = day + 1 }
        return day
    }

    /// The trading day that follows `date`: settlement of trades since May 2024 (T+1).
    public func tradingDay(after date: CivilDate) -> CivilDate { tradingDay(onOrAfter: date + 1) }

    /// Which part of the trading day it is at `time`.
    public func marketSession(at time: UnixTime) -> MarketSession {
        let date = NewYork.date(at: time)
        let minute = NewYork.minuteOfDay(at: time)
        if minute >= Self.nightStart { return isTradingDay(date + 1) ? .overnight : .closed }
        guard isTradingDay(date) else { return .closed }
        let isHalfDay = Self.isHalfDay(date)
        let close = isHalfDay ? Self.earlyClose : Self.close
        switch minute {
        case ..<Self.preStart: return .overnight
        case ..<Self.open: return .pre
        case ..<close: return .core
        case ..<(isHalfDay ? Self.earlyPostEnd : Self.nightStart): return .post
        default: return .closed
        }
    }

    /// The New York date to which a trade at `time` belongs. The night before a session belongs to that session; a
    /// moment without a session belongs to the next one.
    public func tradeDate(at time: UnixTime) -> CivilDate {
        let date = NewYork.date(at: time)
        let isEvening = NewYork.minuteOfDay(at: time) >= Self.nightStart
        return tradingDay(onOrAfter: isEvening ? date + 1 : date)
    }

    /// The regular session under way at `time`, or the next one.
    public func currentOrNextSession(at time: UnixTime) -> TradingSession {
        var date = tradingDay(onOrAfter: NewYork.date(at: time))
        while true {
            if let session = session(on: date), session.closesAt > time { return session }
            date = tradingDay(after: date)
        }
    }

    // Minutes of the day in New York.
    private static let preStart = 4 * 60
    private static let open = 9 * 60 + 30
    private static let earlyClose = 13 * 60
    private static let close = 16 * 60
    private static let earlyPostEnd = 17 * 60
    private static let nightStart = 20 * 60
}

// Holidays and half days by rule.
extension NYSECalendar {
    /// Whether `date`, a weekday, is an exchange holiday. On Sunday a holiday moves to Monday, on Saturday to Friday,
    /// except that New Year's Day never moves back into December.
    static func isHoliday(_ date: CivilDate) -> Bool {
        let (year, month, _) = date.components
        switch month {
        case 1:
            return observed(date, day: 1, movesBack: false) || date == .nth(3, .monday, month: 1, of: year)
        case 2: return date == .nth(3, .monday, month: 2, of: year)
        case 3, 4: return date == easterSunday(of: year) - 2
        case 5: return date == .last(.monday, month: 5, of: year)
        case 6: return year >= 2022 && observed(date, day: 19, movesBack: true)
        case 7: return observed(date, day: 4, movesBack: true)
        case 9: return date == .nth(1, .monday, month: 9, of: year)
        case 11: return date == .nth(4, .thursday, month: 11, of: year)
        case 12: return observed(date, day: 25, movesBack: true)
        default: return false
        }
    }

    /// The day after Thanksgiving, and the eves of Independence Day and Christmas. The eves are dropped, not moved, when
    /// the holiday falls on a Saturday, Sunday or Monday.
    static func isHalfDay(_ date: CivilDate) -> Bool {
        let (year, month, day) = date.components
        switch (month, day) {
        case (7, 3), (12, 24):
            switch date.weekday {
            case .monday, .tuesday, .wednesday, .thursday: return true
            case .friday, .saturday, .sunday: return false
            }
        case (11, _): return date == CivilDate.nth(4, .thursday, month: 11, of: year) + 1
        default: return false
        }
    }

    private static func observed(_ date: CivilDate, day: Int, movesBack: Bool) -> Bool {
        switch date.day - day {
        case 0: true
        case 1: date.weekday == .monday
        case -1: movesBack && date.weekday == .friday
        default: false
        }
    }

    /// Easter Sunday of the Gregorian calendar (anonymous algorithm of 1876, in Butcher's form).
    static func easterSunday(of year: Int) -> CivilDate {
        let golden = year % 19
        let (century, rest) = year.quotientAndRemainder(dividingBy: 100)
        let epact = (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30
        let weekdayShift = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7
        let correction = (golden + 11 * epact + 22 * weekdayShift) / 451
        let sum = epact + weekdayShift - 7 * correction + 114
        return CivilDate(validYear: year, month: sum / 31, day: sum % 31 + 1)
    }
}
