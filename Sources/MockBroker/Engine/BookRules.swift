package import Domain

/// The parts of the venue that are fixed while the broker runs.
package struct BookRules: Sendable {
    /// How many client order ids, and how many other things that are asked about, are remembered at most; past it, new
    /// ones are refused.
    package var idLimit: Int
    package var calendar: any TradingCalendar

    package init(idLimit: Int, calendar: any TradingCalendar) {
        self.idLimit = idLimit
        self.calendar = calendar
    }

    /// Most shares in one order.
    package static let maximumShares: Int64 = 1_000_000
    /// Highest limit price in US dollars.
    package static let maximumPriceDollars: Int64 = 1_000_000
}

/// What the broker asks of the market's calendar.
package protocol TradingCalendar: Sendable {
    /// The New York date that a trade at `time` belongs to.
    func tradeDate(at time: UnixTime) -> CivilDate
    /// When the last session of that date ends, and with it day orders.
    func end(of tradeDate: CivilDate) -> UnixTime
    /// The core session that is under way at `time`, or the next one: when it opens up to when it closes.
    func coreSession(from time: UnixTime) -> Range<UnixTime>
    /// The same with the hours before and after it.
    func extendedSession(from time: UnixTime) -> Range<UnixTime>
    /// Whether trades belong to this New York date at all.
    func isTradeDate(_ date: CivilDate) -> Bool
    /// The New York date at which trades of that date settle.
    func settlementDate(of tradeDate: CivilDate) -> CivilDate
    /// The first instant of that date.
    func settlementTime(of tradeDate: CivilDate) -> UnixTime
}

extension Behavior {
    /// The commission of one fill: exact product, rounded once.
    func commission(_ quantity: Quantity, at price: Price) -> Money {
        let exact = Int128(price.unscaled) * Int128(quantity.unscaled) * Int128(commissionRate.rawValue)
        // Price and quantity carry 4 + 9 places, basis points 4 more, cents have 2.
        let cents = RoundingRule.halfUp.quotient(exact, by: 1_000_000_000_000_000)
        return Money(minorUnits: Int64(clamping: cents), currency: .usd)
    }

    /// Whether an id that was first used at `first` still counts as used at `now`.
    func remembers(_ first: UnixTime, at now: UnixTime, _ calendar: any TradingCalendar) -> Bool {
        if let dedupWindow, now >= first + dedupWindow { return false }
        switch idScope {
        case .account: return true
        case .day: return calendar.tradeDate(at: first) == calendar.tradeDate(at: now)
        case .week: return calendar.tradeDate(at: first).week == calendar.tradeDate(at: now).week
        }
    }
}

extension CivilDate {
    /// Counts weeks; Saturday begins one, since Friday's trade date ends the one before.
    fileprivate var week: Int { (Int(epochDay) + 5) / 7 }
}
