/// What has to be held for a purchase, and how that was computed: kept with the hold and shown to whoever asks.
public struct HoldPlan: Hashable, Sendable {
    /// The highest price at which a share may trade: the limit, or the last price plus the collar.
    public let worstPrice: Price
    /// The part of `worstPrice` above the last price, for market orders.
    public let collar: BasisPoints?
    public let quantity: Quantity
    /// Worst price times quantity, rounded up.
    public let value: Money
    /// All fees on that.
    public let fees: Money
    /// What is held: value plus fees.
    public let total: Money

    /// - Parameters:
    ///   - lastPrice: needed for market orders only.
    ///   - collar: how far a market order may run above the last price.
    /// - Throws: `Denial` when a market order has no last price, or the amount does not fit.
    public init(
        buying terms: OrderTerms, lastPrice: Price?, collar: BasisPoints, fees schedule: FeeSchedule,
        tradeDate: CivilDate
    ) throws(Denial) {
        switch terms.type {
        case .limit(let price):
            worstPrice = price
            self.collar = nil
        case .market:
            guard let lastPrice, lastPrice.isPositive, let highest = PriceCollar.highest(from: lastPrice, collar) else {
                throw Denial(
                    .noReferencePrice, "a market order needs a last price", ["symbol": terms.instrument.text])
            }
            worstPrice = highest
            self.collar = collar
        }
        quantity = terms.quantity
        do {
            value = try Money(worstPrice, times: quantity, in: terms.currency, rounding: .ceiling)
            fees = try schedule.fees(
                on: TradedSum(value: value, quantity: quantity), side: .buy, tradeDate: tradeDate)
            total = try value + fees
        } catch {
            throw Denial(.notionalExceedsLimit, "the order is worth more than can be held")
        }
    }
}
