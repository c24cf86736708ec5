internal import Domain

/// The price of an exchange: both amounts and everything from which they follow.
struct ExchangePrice: Hashable, Sendable {
    /// What arrives, exactly.
    let buy: Money
    /// What is paid.
    let sell: Money
    /// The rate as published, before the spread.
    let published: PublishedRate
    let spread: BasisPoints
    /// Names the rounding; another rule is another name.
    let roundingPolicy: String

    /// What is paid is the exact worth, rounded up to a whole minor unit.
    static let currentRoundingPolicy = "pays-ceiling/1"

    /// The price of receiving exactly `buy`.
    ///
    /// - Throws: `ExchangeTermsError` when the amount cannot be priced with this rate.
    init(buying buy: Money, selling currency: Currency, at published: PublishedRate, spread: BasisPoints)
        throws(ExchangeTermsError)
    {
        let terms = try ExchangeTerms(buy: buy, selling: currency, midRate: published.rate, spread: spread)
        self.init(
            buy: buy, sell: terms.sell, published: published, spread: spread,
            roundingPolicy: Self.currentRoundingPolicy)
    }

    /// The price as it was stored.
    init(buy: Money, sell: Money, published: PublishedRate, spread: BasisPoints, roundingPolicy: String) {
        self.buy = buy
        self.sell = sell
        self.published = published
        self.spread = spread
        self.roundingPolicy = roundingPolicy
    }
}

/// What was accepted, fixed for ever: who, between which accounts, at which price.
struct ExchangeSnapshot: Hashable, Sendable {
    let id: ExchangeID
    let customer: CustomerID
    let source: AccountID
    let target: AccountID
    let price: ExchangePrice
    let purpose: String
    /// The trace in which it was accepted, or empty.
    let traceparent: String

    var withdrawKey: OperationKey { Self.key(id, "withdraw") }
    var depositKey: OperationKey { Self.key(id, "deposit") }

    private static func key(_ id: ExchangeID, _ leg: String) -> OperationKey {
        do {
            return try OperationKey("\(id.text)/\(leg)")
        } catch {
            preconditionFailure("an exchange id has at most 64 characters, so its keys fit: \(error)")
        }
    }
}
