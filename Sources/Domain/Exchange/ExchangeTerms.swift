/// The snapshot of an exchange: everything that decides its amounts, fixed when it is accepted.
public struct ExchangeTerms: Hashable, Sendable {
    /// The mid rate of the source.
    public let midRate: FXRate
    public let spread: BasisPoints
    /// The rate at which this customer exchanges: the mid rate less favourable by the spread, exactly.
    public let customerRate: FXRate
    /// What arrives, exactly as asked.
    public let buy: Money
    /// What is paid for it, rounded up to a whole minor unit.
    public let sell: Money

    /// - Throws: `ExchangeTermsError` when `buy` is not above zero, or rate, spread and currencies do not fit together.
    public init(
        buy: Money, selling currency: Currency, midRate: FXRate, spread: BasisPoints = .zero
    ) throws(ExchangeTermsError) {
        guard buy.isPositive else { throw .notPositive(buy) }
        guard BasisPoints.zero <= spread, spread < .whole else { throw .spreadOutOfRange(spread) }
        let pair: Set = [midRate.base, midRate.quote]
        guard pair == [buy.currency, currency] else { throw .wrongPair(buy.currency, currency) }
        self.midRate = midRate
        self.spread = spread
        self.buy = buy
        do {
            // Who buys the base pays more of the quote; who sells the base receives less of it.
            let factor = buy.currency == midRate.base ? 10_000 + spread.rawValue : 10_000 - spread.rawValue
            customerRate = try midRate.scaled(byTenThousandths: Int64(factor))
        } catch { throw .rate(error) }
        do { sell = try customerRate.cost(toBuy: buy) } catch { throw .amount(error) }
        guard sell.isPositive else { throw .notPositive(sell) }
    }
}

public enum ExchangeTermsError: Error, Hashable, Sendable {
    case notPositive(Money)
    case spreadOutOfRange(BasisPoints)
    case wrongPair(Currency, Currency)
    case rate(FXRateError)
    case amount(MoneyError)
}

extension FXRate {
    /// The rate times `factor / 10,000`, exactly.
    func scaled(byTenThousandths factor: Int64) throws(FXRateError) -> FXRate {
        guard factor != 10_000 else { return self }
        var exact = Int128(mantissa) * Int128(factor)
        var places = scale + 4
        while places > 0, exact % 10 == 0 {
            exact /= 10
            places -= 1
        }
        guard let mantissa = Int64(exactly: exact) else { throw .outOfRange }
        return try FXRate(base: base, quote: quote, mantissa: mantissa, scale: places, unit: unit)
    }
}
