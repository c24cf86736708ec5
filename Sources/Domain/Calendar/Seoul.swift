/// Civil dates and wall times of Seoul: nine hours ahead of UTC since 1988, without daylight saving.
public enum Seoul {
    public static let offset: Duration = .seconds(9 * 3600)

    /// The date in Seoul at `time`.
    public static func date(at time: UnixTime) -> CivilDate { WallClock.date(at: time, offsetSeconds: 9 * 3600) }

    /// The first instant of `date` in Seoul.
    public static func midnight(of date: CivilDate) -> UnixTime {
        WallClock.instant(date, minutes: 0, offsetSeconds: 9 * 3600)
    }
}
