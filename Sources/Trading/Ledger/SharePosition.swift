import Domain

/// Which position.
struct PositionKey: Hashable, Comparable, Sendable {
    let account: AccountID
    let instrument: InstrumentID

    static func < (a: Self, b: Self) -> Bool { (a.account, a.instrument) < (b.account, b.instrument) }
}

/// The shares of one instrument in one account, and what they cost without fees.
///
/// A purchase adds its value; a sale takes the average cost of what it sells. Negative quantities happen only where a
/// bust takes back shares that were sold since; they are kept as they are.
struct SharePosition: Hashable, Sendable {
    let key: PositionKey
    let customer: CustomerID
    var quantity = Quantity.zero
    /// Set aside for open sell orders.
    var held = Quantity.zero
    var cost: Money
    /// Counts every change; 0 before the first.
    var version: Int64 = 0

    init(_ key: PositionKey, customer: CustomerID, currency: Currency) {
        self.key = key
        self.customer = customer
        cost = .zero(currency)
    }

    /// What a new sell order may take.
    var available: Quantity { Quantity(unscaled: max(0, quantity.unscaled - held.unscaled)) }

    /// Sets `amount` aside for an order; false and no change when there is not as much.
    mutating func reserve(_ amount: Quantity) -> Bool {
        guard amount <= available else { return false }
        held = Quantity(unscaled: held.unscaled + amount.unscaled)
        return true
    }

    /// Gives back what was set aside.
    mutating func release(_ amount: Quantity) {
        precondition(amount <= held, "an order gives back what was set aside for it")
        held = Quantity(unscaled: held.unscaled - amount.unscaled)
    }

    /// Books shares that changed hands.
    ///
    /// - Throws: `PositionOverflow` when the sum does not fit; nothing is changed then.
    mutating func book(_ side: Side, _ execution: Execution) throws(PositionOverflow) {
        switch side {
        case .buy: try add(execution.quantity, worth: try value(execution))
        case .sell: try remove(execution.quantity, worth: averageCost(of: execution.quantity) ?? .zero(cost.currency))
        }
    }

    /// Takes back what `book` did. What a sale took at average cost comes back at today's average, or at the price of
    /// the sale when nothing is left to take an average of.
    mutating func reverse(_ side: Side, _ execution: Execution) throws(PositionOverflow) {
        switch side {
        case .buy: try remove(execution.quantity, worth: try value(execution))
        case .sell:
            let worth: Money
            if let average = averageCost(of: execution.quantity) {
                worth = average
            } else {
                worth = try value(execution)
            }
            try add(execution.quantity, worth: worth)
        }
    }

    private mutating func add(_ shares: Quantity, worth: Money) throws(PositionOverflow) {
        do { (quantity, cost) = (try quantity + shares, try cost + worth) } catch { throw PositionOverflow(key: key) }
    }

    private mutating func remove(_ shares: Quantity, worth: Money) throws(PositionOverflow) {
        do {
            quantity = try quantity - shares
            cost = quantity.isZero ? .zero(cost.currency) : try cost - worth
        } catch { throw PositionOverflow(key: key) }
    }

    /// Half-even; nil when there are no shares.
    private func averageCost(of shares: Quantity) -> Money? {
        guard quantity.isPositive else { return nil }
        let exact = RoundingRule.halfEven.quotient(
            Int128(cost.minorUnits) * Int128(min(shares, quantity).unscaled), by: Int128(quantity.unscaled))
        return Money(minorUnits: Int64(clamping: exact), currency: cost.currency)
    }

    private func value(_ execution: Execution) throws(PositionOverflow) -> Money {
        do {
            return try Money(
                execution.price, times: execution.quantity, in: cost.currency, rounding: ExecutionBook.rounding)
        } catch { throw PositionOverflow(key: key) }
    }
}

/// A position grew past 64 bits: a report that cannot be true.
struct PositionOverflow: Error, Hashable, CustomStringConvertible {
    let key: PositionKey
    var description: String { "the position of \(key.account) in \(key.instrument) would be out of range" }
}
