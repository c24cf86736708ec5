/// What is on an account and what of it is reserved. Neither ever exceeds the other's bounds: 0 <= held <= balance.
public struct Balance: Hashable, Sendable {
    /// Everything on the account, reserved or not.
    public private(set) var balance: Money
    /// Reserved by open holds.
    public private(set) var held: Money

    /// An account with this much on it.
    ///
    /// - Throws: `LedgerError` unless 0 <= held <= balance, in one currency.
    public init(balance: Money, held: Money) throws(LedgerError) {
        guard balance.currency == held.currency else { throw .currencyMismatch(balance.currency, held.currency) }
        guard !held.isNegative else { throw .notPositive(held) }
        guard held.minorUnits <= balance.minorUnits else {
            throw .insufficientFunds(available: balance, required: held)
        }
        self.balance = balance
        self.held = held
    }

    public init(_ currency: Currency) {
        balance = .zero(currency)
        held = .zero(currency)
    }

    public var currency: Currency { balance.currency }

    /// What may be withdrawn or held: balance less held, never negative.
    public var available: Money { Money(minorUnits: balance.minorUnits - held.minorUnits, currency: currency) }

    public mutating func deposit(_ amount: Money) throws(LedgerError) {
        try check(amount)
        do { try balance += amount } catch { throw .outOfRange }
    }

    public mutating func withdraw(_ amount: Money) throws(LedgerError) {
        try check(amount)
        try require(amount)
        balance = Money(minorUnits: balance.minorUnits - amount.minorUnits, currency: currency)
    }

    /// Reserves part of what is available.
    public mutating func hold(_ amount: Money) throws(LedgerError) {
        try check(amount)
        try require(amount)
        held = Money(minorUnits: held.minorUnits + amount.minorUnits, currency: currency)
    }

    /// Takes `capture` off the account: its reserved part first, the excess from what is available.
    public mutating func take(_ capture: Hold.Capture) throws(LedgerError) {
        guard capture.fromHold.currency == currency else {
            throw .currencyMismatch(currency, capture.fromHold.currency)
        }
        try require(capture.fromAvailable)
        held = Money(minorUnits: held.minorUnits - capture.fromHold.minorUnits, currency: currency)
        let taken = capture.fromHold.minorUnits + capture.fromAvailable.minorUnits
        balance = Money(minorUnits: balance.minorUnits - taken, currency: currency)
    }

    /// Makes what a released hold gives back available again.
    public mutating func free(_ released: Money) throws(LedgerError) {
        guard released.currency == currency else { throw .currencyMismatch(currency, released.currency) }
        guard !released.isNegative, released.minorUnits <= held.minorUnits else { throw .outOfRange }
        held = Money(minorUnits: held.minorUnits - released.minorUnits, currency: currency)
    }

    private func check(_ amount: Money) throws(LedgerError) {
        guard amount.currency == currency else { throw .currencyMismatch(currency, amount.currency) }
        guard amount.isPositive else { throw .notPositive(amount) }
    }

    private func require(_ amount: Money) throws(LedgerError) {
        guard amount.minorUnits <= available.minorUnits else {
            throw .insufficientFunds(available: available, required: amount)
        }
    }
}
