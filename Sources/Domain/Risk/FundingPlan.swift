/// How a shortfall of one currency is covered from another.
public struct FundingPlan: Hashable, Sendable {
    /// What is needed.
    public let required: Money
    /// What is there.
    public let available: Money
    /// What is missing, which is exactly what an exchange has to bring: zero or more.
    public let shortfall: Money
    public let rate: FXRate
    /// What the shortfall costs at `rate`, rounded up.
    public let cost: Money
    /// What is kept ready on top, because the rate may move before the exchange.
    public let buffer: Money
    public let bufferShare: BasisPoints
    /// Cost plus buffer: what the funding account has to have.
    public let needed: Money

    /// - Throws: `MoneyError` when currencies do not fit together or an amount does not fit.
    public init(
        required: Money, available: Money, rate: FXRate, bufferShare: BasisPoints
    ) throws(MoneyError) {
        let missing = try required - available
        self.required = required
        self.available = available
        shortfall = missing.isPositive ? missing : .zero(required.currency)
        self.rate = rate
        cost = try rate.cost(toBuy: shortfall)
        self.bufferShare = bufferShare
        buffer = try bufferShare.share(of: cost, rounding: .ceiling)
        needed = try cost + buffer
    }

    public var needsExchange: Bool { shortfall.isPositive }
}
