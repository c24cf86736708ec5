package import Domain

/// The parts of the venue that are fixed while the broker runs.
package struct BookRules: Sendable {
    /// Of the traded amount, per fill, rounded half up to the cent.
    package var commissionRate: BasisPoints
    /// How many client order ids are remembered at most; past it, new ones are refused.
    package var idLimit: Int
    package var calendar: any TradingCalendar

    package init(commissionRate: BasisPoints, idLimit: Int, calendar: any TradingCalendar) {
        self.commissionRate = commissionRate
        self.idLimit = idLimit
        self.calendar = calendar
    }

    /// Most shares in one order.
    package static let maximumShares: Int64 = 1_000_000
    /// Highest limit price in US dollars.
    package static let maximumPriceDollars: Int64 = 1_000_000

    /// The commission of one fill: exact product, rounded once.
    func commission(_ quantity: Quantity, at price: Price) -> Money {
        let exact = Int128(price.unscaled) * Int128(quantity.unscaled) * Int128(commissionRate.rawValue)
        // Price and quantity carry 4 + 9 places, basis points 4 more, cents have 2.
        let cents = RoundingRule.halfUp.quotient(exact, by: 1_000_000_000_000_000)
        return Money(minorUnits: Int64(clamping: cents), currency: .usd)
    }
}

/// What the broker asks of the market's calendar.
package protocol TradingCalendar: Sendable {
    /// The New York date that a trade at `time` belongs to.
    func tradeDate(at time: UnixTime) -> CivilDate
    /// When the last session of that date ends, and with it day orders.
    func end(of tradeDate: CivilDate) -> UnixTime
}
