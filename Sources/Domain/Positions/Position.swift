/// The shares of one account in one instrument: the sum of its signed executions, first in, first out.
///
/// A pure function of the set of executions: order of arrival, duplicates and busts in between leave no trace. A short
/// position is possible after a bust of shares that were sold; it is the caller's duty to raise it.
public struct Position: Hashable, Sendable {
    public let currency: Currency
    private var executions: [ExecutionID: SignedExecution] = [:]
    private var cachedQuantity: Int64 = 0

    public init(currency: Currency) { self.currency = currency }

    /// Bought less sold.
    public var quantity: Quantity { Quantity(unscaled: cachedQuantity) }

    /// Whether more was sold than bought.
    public var isShort: Bool { cachedQuantity < 0 }

    /// Takes an execution in; a known one changes nothing.
    ///
    /// - Throws: `BookingError.outOfRange` when the sum does not fit, `.notPositive` for an empty execution.
    public mutating func book(_ execution: SignedExecution) throws(BookingError) {
        let id = execution.execution.id
        guard execution.execution.quantity.isPositive, execution.execution.price.isPositive else {
            throw .notPositive(id)
        }
        guard executions[id] == nil else { return }
        let (sum, overflow) = cachedQuantity.addingReportingOverflow(execution.signedQuantity)
        guard !overflow else { throw .outOfRange }
        cachedQuantity = sum
        executions[id] = execution
    }

    /// Takes a void execution out; an unknown one changes nothing.
    public mutating func reverse(_ id: ExecutionID) throws(BookingError) {
        guard let known = executions[id] else { return }
        let (sum, overflow) = cachedQuantity.subtractingReportingOverflow(known.signedQuantity)
        guard !overflow else { throw .outOfRange }
        cachedQuantity = sum
        executions[id] = nil
    }

    /// The open lots, oldest first, and every closing on the way, by first in, first out.
    ///
    /// Costs a sort of all executions: for reports, not for each order.
    public var lots: (open: [TaxLot], closings: [LotClosing]) {
        var open: [TaxLot] = []
        var first = 0  // Lots before it are used up.
        var closings: [LotClosing] = []
        for signed in executions.values.sorted(by: Self.cameFirst) {
            var left = signed.signedQuantity
            while left != 0, first < open.count, (open[first].quantity.unscaled < 0) != (left < 0) {
                let lot = open[first]
                let taken = min(left.magnitude, lot.quantity.unscaled.magnitude)
                let part = Int64(taken)  // Not above the magnitude of a quantity that was booked as positive.
                closings.append(
                    LotClosing(
                        opened: lot.execution, closed: signed.execution.id, quantity: Quantity(unscaled: part),
                        openPrice: lot.price, closePrice: signed.execution.price, wasShort: lot.quantity.isNegative))
                left += left < 0 ? part : -part
                let rest = lot.quantity.unscaled + (lot.quantity.isNegative ? part : -part)
                open[first].quantity = Quantity(unscaled: rest)
                if rest == 0 { first += 1 }
            }
            if left != 0 {
                open.append(
                    TaxLot(
                        execution: signed.execution.id, openedAt: signed.execution.transactTime,
                        price: signed.execution.price, quantity: Quantity(unscaled: left)))
            }
        }
        return (Array(open[first...]), closings)
    }

    /// What the open lots cost at trade prices, without fees, rounded once (half up); negative when short.
    ///
    /// - Throws: `MoneyError.overflow` when it does not fit.
    public var cost: Money {
        get throws(MoneyError) {
            var exact: Int128 = 0
            for lot in lots.open {
                let (sum, overflow) = exact.addingReportingOverflow(
                    Int128(lot.price.unscaled) * Int128(lot.quantity.unscaled))
                guard !overflow else { throw .overflow }
                exact = sum
            }
            let places = Price.scale + Quantity.scale - currency.scale
            return try Money(
                exactly: RoundingRule.halfUp.quotient(exact, by: DecimalText.powerOfTen128(places)), currency)
        }
    }

    /// The average price of the open lots; nil when there are none or the position is short.
    public var averageCost: Price? {
        var exact: Int128 = 0
        for lot in lots.open {
            let (sum, overflow) = exact.addingReportingOverflow(
                Int128(lot.price.unscaled) * Int128(lot.quantity.unscaled))
            guard !overflow else { return nil }
            exact = sum
        }
        return Price.average(value: exact, over: quantity)
    }

    private static func cameFirst(_ a: SignedExecution, _ b: SignedExecution) -> Bool {
        (a.execution.transactTime, a.execution.id) < (b.execution.transactTime, b.execution.id)
    }
}
