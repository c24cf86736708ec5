/// The fees in force from a trade date on.
public struct FeeTable: Hashable, Sendable {
    public let effectiveFrom: CivilDate
    public let rules: [FeeRule]

    public init(effectiveFrom: CivilDate, rules: [FeeRule]) {
        self.effectiveFrom = effectiveFrom
        self.rules = rules
    }
}

/// What one order has traded so far, as the base of its fees.
public struct TradedSum: Hashable, Sendable {
    public let value: Money
    public let quantity: Quantity

    public init(value: Money, quantity: Quantity) {
        self.value = value
        self.quantity = quantity
    }
}

/// Fees by effective date.
public struct FeeSchedule: Hashable, Sendable {
    /// Ascending by effective date.
    public let tables: [FeeTable]

    public init(tables: [FeeTable]) { self.tables = tables.sorted { $0.effectiveFrom < $1.effectiveFrom } }

    /// No fees at all.
    public static let none = FeeSchedule(tables: [])

    /// The rules in force on a trade date; none before the first table.
    public func rules(on tradeDate: CivilDate) -> [FeeRule] {
        tables.last { $0.effectiveFrom <= tradeDate }?.rules ?? []
    }

    /// All fees on what an order has traded so far; zero when that is nothing.
    public func fees(on sum: TradedSum, side: Side, tradeDate: CivilDate) throws(MoneyError) -> Money {
        var total = Money.zero(sum.value.currency)
        guard sum.quantity.isPositive else { return total }
        for rule in rules(on: tradeDate) where rule.sides.contains(side) {
            try total += rule.fee(onValue: sum.value, quantity: sum.quantity)
        }
        return total
    }

    /// What one more execution costs: the fees after it less the fees before it, so that the parts of an order add up to
    /// the fees of the whole. Negative after a bust.
    public func increment(
        from before: TradedSum, to after: TradedSum, side: Side, tradeDate: CivilDate
    ) throws(MoneyError) -> Money {
        try fees(on: after, side: side, tradeDate: tradeDate) - fees(on: before, side: side, tradeDate: tradeDate)
    }
}
