/// Civil dates and wall times of New York by the rule in force since 2007: daylight saving from the second Sunday of
/// March to the first Sunday of November, each at 02:00 wall time (Energy Policy Act of 2005, section 110).
///
/// - Note: dates before 2007 are answered by the same rule and may be an hour off.
public enum NewYork {
    /// Seconds to add to UTC: -18,000, or -14,400 in summer.
    public static func offsetSeconds(at time: UnixTime) -> Int {
        let year = WallClock.date(at: time, offsetSeconds: standard).year
        let start = WallClock.instant(summerStart(of: year), minutes: 120, offsetSeconds: standard)
        let end = WallClock.instant(summerEnd(of: year), minutes: 120, offsetSeconds: summer)
        return time >= start && time < end ? summer : standard
    }

    /// The date in New York at `time`.
    public static func date(at time: UnixTime) -> CivilDate {
        WallClock.date(at: time, offsetSeconds: offsetSeconds(at: time))
    }

    /// Minutes since midnight on the wall in New York at `time`, 0 to 1439.
    public static func minuteOfDay(at time: UnixTime) -> Int {
        WallClock.secondOfDay(at: time, offsetSeconds: offsetSeconds(at: time)) / 60
    }

    /// The instant at which the clock in New York shows this minute of `date`.
    ///
    /// Of the hour that occurs twice the first is meant; the hour that does not occur is taken as standard time.
    public static func instant(_ date: CivilDate, minutes: Int) -> UnixTime {
        let inSummer = WallClock.instant(date, minutes: minutes, offsetSeconds: summer)
        if offsetSeconds(at: inSummer) == summer { return inSummer }
        return WallClock.instant(date, minutes: minutes, offsetSeconds: standard)
    }

    static func summerStart(of year: Int) -> CivilDate { CivilDate.nth(2, .sunday, month: 3, of: year) }
    static func summerEnd(of year: Int) -> CivilDate { CivilDate.nth(1, .sunday, month: 11, of: year) }

    private static let standard = -5 * 3600
    private static let summer = -4 * 3600
}
