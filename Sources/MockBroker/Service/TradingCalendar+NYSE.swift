package import Domain

extension NYSECalendar: TradingCalendar {
    /// 20:00 in New York, when the last venue closes and the next trade date begins.
    package func end(of tradeDate: CivilDate) -> UnixTime { NewYork.instant(tradeDate, minutes: 20 * 60) }
}
