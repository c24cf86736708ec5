/// What "receive interest now" pays, and what is withheld.
///
/// Gross is the sum over days of end-of-day balance times rate, divided by 365 (also in leap years), floored once at
/// the end to the won. Income tax is 14 percent floored to 10 won, local tax 10 percent of that tax floored to 10 won
/// (National Treasury Act of Korea, article 47: receipts drop fractions under 10 won).
public struct InterestPayment: Hashable, Sendable {
    public let gross: Money
    public let incomeTax: Money
    public let localTax: Money

    /// - Parameters:
    ///   - endOfDayBalances: one for each day of the period; days below zero earn nothing.
    ///   - tiers: ascending slices, the last one without an end.
    /// - Throws: `MoneyError` for mixed currencies or amounts out of range.
    public init(endOfDayBalances: [Money], tiers: [InterestTier], currency: Currency) throws(MoneyError) {
        var earned: Int128 = 0  // minor units times basis points
        for balance in endOfDayBalances {
            guard balance.currency == currency else { throw .currencyMismatch(balance.currency, currency) }
            var from: Int64 = 0
            for tier in tiers {
                if let end = tier.upTo, end.currency != currency { throw .currencyMismatch(end.currency, currency) }
                let until = min(balance.minorUnits, tier.upTo?.minorUnits ?? .max)
                if until > from {
                    earned += Int128(until - from) * Int128(tier.rate.rawValue)
                    from = until
                }
            }
        }
        try self.init(gross: Money(exactly: RoundingRule.floor.quotient(earned, by: 10_000 * 365), currency))
    }

    /// The taxes on `gross`, which is not negative.
    init(gross: Money) {
        self.gross = gross
        let income = Self.floorToTen(Int128(gross.minorUnits) * 14 / 100)
        incomeTax = Money(minorUnits: income, currency: gross.currency)
        localTax = Money(minorUnits: Self.floorToTen(Int128(income) / 10), currency: gross.currency)
    }

    /// What the customer receives.
    public var net: Money {
        Money(minorUnits: gross.minorUnits - incomeTax.minorUnits - localTax.minorUnits, currency: gross.currency)
    }

    /// Below one won nothing is paid, and it keeps accruing: the last paid day stays.
    public var isPayable: Bool { gross.isPositive }

    /// The days a claim on `today` pays for: from the day after the last paid one to yesterday, Seoul dates. Nil when
    /// there are none.
    public static func period(lastPaid: CivilDate, today: CivilDate) -> ClosedRange<CivilDate>? {
        let first = lastPaid + 1
        let last = today - 1
        return first <= last ? first...last : nil
    }

    private static func floorToTen(_ amount: Int128) -> Int64 { Int64(amount / 10 * 10) }
}
