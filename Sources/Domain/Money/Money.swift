/// An exact amount in one currency, held as a whole number of minor units (cents, won).
public struct Money: Hashable, Sendable {
    public let minorUnits: Int64
    public let currency: Currency

    public init(minorUnits: Int64, currency: Currency) {
        self.minorUnits = minorUnits
        self.currency = currency
    }

    /// The amount written in `text`, for example `"230.05"`, exactly.
    ///
    /// - Throws: `DecimalError` when the text is no decimal number, has more places than the currency, or is too large.
    public init(_ text: String, _ currency: Currency) throws(DecimalError) {
        self.init(minorUnits: try DecimalText.parse(text, scale: currency.scale), currency: currency)
    }

    /// Nothing, in `currency`.
    public static func zero(_ currency: Currency) -> Money { Money(minorUnits: 0, currency: currency) }

    public var isZero: Bool { minorUnits == 0 }
    public var isNegative: Bool { minorUnits < 0 }
    public var isPositive: Bool { minorUnits > 0 }

    /// The amount without its currency, with all decimal places: `"230.05"`, `"1500000"`.
    public var text: String {
        DecimalText.print(minorUnits, scale: currency.scale, minimumDecimals: currency.scale)
    }
}

extension Money: CustomStringConvertible {
    public var description: String { "\(currency) \(text)" }
}

extension Money {
    public static func + (a: Money, b: Money) throws(MoneyError) -> Money {
        guard a.currency == b.currency else { throw .currencyMismatch(a.currency, b.currency) }
        let (sum, overflow) = a.minorUnits.addingReportingOverflow(b.minorUnits)
        guard !overflow else { throw .overflow }
        return Money(minorUnits: sum, currency: a.currency)
    }

    public static func - (a: Money, b: Money) throws(MoneyError) -> Money {
        guard a.currency == b.currency else { throw .currencyMismatch(a.currency, b.currency) }
        let (difference, overflow) = a.minorUnits.subtractingReportingOverflow(b.minorUnits)
        guard !overflow else { throw .overflow }
        return Money(minorUnits: difference, currency: a.currency)
    }

    public static prefix func - (a: Money) throws(MoneyError) -> Money { try .zero(a.currency) - a }

    public static func += (a: inout Money, b: Money) throws(MoneyError) { a = try a + b }
    public static func -= (a: inout Money, b: Money) throws(MoneyError) { a = try a - b }

    // Amounts of two currencies have no order, hence no `Comparable`.

    public static func < (a: Money, b: Money) throws(MoneyError) -> Bool {
        guard a.currency == b.currency else { throw .currencyMismatch(a.currency, b.currency) }
        return a.minorUnits < b.minorUnits
    }

    public static func > (a: Money, b: Money) throws(MoneyError) -> Bool { try b < a }
    public static func <= (a: Money, b: Money) throws(MoneyError) -> Bool { try !(b < a) }
    public static func >= (a: Money, b: Money) throws(MoneyError) -> Bool { try !(a < b) }

    /// The smaller of two amounts of one currency.
    public static func least(_ a: Money, _ b: Money) throws(MoneyError) -> Money { try b < a ? b : a }

    /// The sum of `amounts` in `currency`; zero when there are none.
    public static func sum(_ amounts: some Sequence<Money>, in currency: Currency) throws(MoneyError) -> Money {
        var total = Money.zero(currency)
        for amount in amounts { try total += amount }
        return total
    }
}

extension Money {
    /// The value of `quantity` at `price`, multiplied in 128 bits and rounded once to the minor unit.
    public init(
        _ price: Price, times quantity: Quantity, in currency: Currency, rounding rule: RoundingRule
    ) throws(MoneyError) {
        let exact = Int128(price.unscaled) * Int128(quantity.unscaled)  // at most 2^126
        let excessPlaces = Price.scale + Quantity.scale - currency.scale
        let rounded = rule.quotient(exact, by: DecimalText.powerOfTen128(excessPlaces))
        try self.init(exactly: rounded, currency)
    }

    init(exactly minorUnits: Int128, _ currency: Currency) throws(MoneyError) {
        guard let minorUnits = Int64(exactly: minorUnits) else { throw .overflow }
        self.init(minorUnits: minorUnits, currency: currency)
    }
}
