package import Domain

extension NYSECalendar: TradingCalendar {
    /// 20:00 in New York, when the last venue closes and the next trade date begins.
    package func end(of tradeDate: CivilDate) -> UnixTime { NewYork.instant(tradeDate, minutes: 20 * 60) }

    package func coreSession(from time: UnixTime) -> Range<UnixTime> {
        let session = currentOrNextSession(at: time)
        return session.opensAt..<session.closesAt
    }

    /// From 04:00 to 20:00, on half days to 17:00.
    package func extendedSession(from time: UnixTime) -> Range<UnixTime> {
        var date = tradingDay(onOrAfter: NewYork.date(at: time))
        while true {
            let endHour = session(on: date)?.isHalfDay ?? false ? 17 : 20
            let hours = NewYork.instant(date, minutes: 4 * 60)..<NewYork.instant(date, minutes: endHour * 60)
            if hours.upperBound > time { return hours }
            date = tradingDay(after: date)
        }
    }

    package func isTradeDate(_ date: CivilDate) -> Bool { isTradingDay(date) }

    package func settlementDate(of tradeDate: CivilDate) -> CivilDate { tradingDay(after: tradeDate) }

    package func settlementTime(of tradeDate: CivilDate) -> UnixTime {
        NewYork.instant(settlementDate(of: tradeDate), minutes: 0)
    }
}
