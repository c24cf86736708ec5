extension CivilDate {
    /// The `n`th such weekday of a month, `n` from 1.
    static func nth(_ n: Int, _ weekday: Weekday, month: Int, of year: Int) -> CivilDate {
        let first = CivilDate(validYear: year, month: month, day: 1)
        let ahead = (weekday.rawValue - first.weekday.rawValue + 7) % 7
        return first + (ahead + (n - 1) * 7)
    }

    /// The last such weekday of a month.
    static func last(_ weekday: Weekday, month: Int, of year: Int) -> CivilDate {
        let last = CivilDate(validYear: year, month: month, day: daysInMonth(month, of: year))
        return last - (last.weekday.rawValue - weekday.rawValue + 7) % 7
    }
}
