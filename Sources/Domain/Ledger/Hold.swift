/// Reserved money: always amount = captured + released + remaining.
///
/// It resolves by captures, one for each execution, and one release. No timer resolves it.
public struct Hold: Hashable, Sendable {
    public let id: HoldID
    public let amount: Money
    /// What executions took of it.
    public private(set) var captured: Money
    /// What was given back.
    public private(set) var released: Money
    /// Whether it has been released; afterwards nothing remains.
    public private(set) var isClosed: Bool

    /// How one capture is paid.
    public struct Capture: Hashable, Sendable {
        /// The part that was reserved.
        public let fromHold: Money
        /// The part above the hold, from the available balance.
        public let fromAvailable: Money
    }

    /// - Throws: `LedgerError.notPositive` unless `amount` is above zero.
    public init(id: HoldID, amount: Money) throws(LedgerError) {
        guard amount.isPositive else { throw .notPositive(amount) }
        self.id = id
        self.amount = amount
        captured = .zero(amount.currency)
        released = .zero(amount.currency)
        isClosed = false
    }

    /// A hold as a store kept it; nil when it does not add up.
    public init?(id: HoldID, amount: Money, captured: Money, released: Money, isClosed: Bool) {
        guard amount.isPositive, !captured.isNegative, !released.isNegative else { return nil }
        guard captured.currency == amount.currency, released.currency == amount.currency else { return nil }
        guard let used = try? captured + released, used.minorUnits <= amount.minorUnits else { return nil }
        guard isClosed ? used == amount : released.isZero else { return nil }
        self.id = id
        self.amount = amount
        self.captured = captured
        self.released = released
        self.isClosed = isClosed
    }

    /// What is still reserved.
    public var remaining: Money {
        Money(
            minorUnits: amount.minorUnits - captured.minorUnits - released.minorUnits, currency: amount.currency)
    }

    /// Takes `cost` of it. What exceeds the hold, all of it once the hold is released, comes from what is available.
    ///
    /// - Throws: `LedgerError` when `cost` is negative or of another currency.
    public mutating func capture(_ cost: Money) throws(LedgerError) -> Capture {
        guard cost.currency == amount.currency else { throw .currencyMismatch(amount.currency, cost.currency) }
        guard !cost.isNegative else { throw .notPositive(cost) }
        let part = Money(minorUnits: min(cost.minorUnits, remaining.minorUnits), currency: amount.currency)
        let excess = Money(minorUnits: cost.minorUnits - part.minorUnits, currency: amount.currency)
        captured = Money(minorUnits: captured.minorUnits + part.minorUnits, currency: amount.currency)
        return Capture(fromHold: part, fromAvailable: excess)
    }

    /// Gives the rest back and closes the hold.
    ///
    /// - Returns: the rest, zero or more.
    /// - Throws: `LedgerError.holdClosed` the second time.
    public mutating func release() throws(LedgerError) -> Money {
        guard !isClosed else { throw .holdClosed(id) }
        let rest = remaining
        released = rest
        isClosed = true
        return rest
    }
}
