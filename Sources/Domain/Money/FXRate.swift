/// An exchange rate: `unit` of `base` cost `mantissa / 10^scale` of `quote`.
///
/// For example 1 USD = 1,378.35 KRW: base USD, quote KRW, mantissa 137835, scale 2, unit 1.
public struct FXRate: Hashable, Sendable {
    public let base: Currency
    public let quote: Currency
    /// Positive.
    public let mantissa: Int64
    /// Decimal places of the mantissa, 0 to 9.
    public let scale: Int
    /// How many of `base` the rate is quoted for: 1, or 100 where that is the custom (yen). At most 1000.
    public let unit: Int64

    /// - Throws: `FXRateError` when the two currencies are one, or a number is outside its range.
    public init(
        base: Currency, quote: Currency, mantissa: Int64, scale: Int, unit: Int64 = 1
    ) throws(FXRateError) {
        guard base != quote else { throw .sameCurrency(base) }
        guard mantissa > 0, (0...9).contains(scale), (1...1000).contains(unit) else { throw .outOfRange }
        self.base = base
        self.quote = quote
        self.mantissa = mantissa
        self.scale = scale
        self.unit = unit
    }

    /// The rate written in `text`, for example `"1378.35"`, at the scale in which it is written.
    public init(base: Currency, quote: Currency, _ text: String, unit: Int64 = 1) throws(FXRateError) {
        let places = text.utf8.firstIndex(of: UInt8(ascii: ".")).map {
            text.utf8.distance(from: $0, to: text.utf8.endIndex) - 1
        }
        let scale = places ?? 0
        guard (0...9).contains(scale) else { throw .outOfRange }
        let mantissa: Int64
        do { mantissa = try DecimalText.parse(text, scale: scale) } catch { throw .malformed(error) }
        try self.init(base: base, quote: quote, mantissa: mantissa, scale: scale, unit: unit)
    }

    /// The rate as plain decimal text, with all of its places.
    public var text: String { DecimalText.print(mantissa, scale: scale, minimumDecimals: scale) }

    /// `money` in the other currency of this rate, rounded once.
    ///
    /// - Throws: `MoneyError` when the rate does not quote the currency of `money`, or the result does not fit.
    public func convert(_ money: Money, rounding rule: RoundingRule) throws(MoneyError) -> Money {
        if money.currency == base {
            return try multiply(
                money.minorUnits, by: Int128(mantissa), over: Int128(unit), exponent: quote.scale - base.scale - scale,
                into: quote, rule)
        }
        guard money.currency == quote else { throw .currencyMismatch(money.currency, base) }
        return try multiply(
            money.minorUnits, by: Int128(unit), over: Int128(mantissa), exponent: base.scale - quote.scale + scale,
            into: base, rule)
    }

    /// What a customer pays in the other currency in order to receive `bought`: never less than its worth.
    public func cost(toBuy bought: Money) throws(MoneyError) -> Money { try convert(bought, rounding: .ceiling) }

    /// What a customer receives in the other currency for `sold`: never more than its worth.
    public func proceeds(ofSelling sold: Money) throws(MoneyError) -> Money { try convert(sold, rounding: .floor) }

    /// `amount * factor / divisor * 10^exponent`.
    private func multiply(
        _ amount: Int64, by factor: Int128, over divisor: Int128, exponent: Int, into currency: Currency,
        _ rule: RoundingRule
    ) throws(MoneyError) -> Money {
        let up = DecimalText.powerOfTen128(max(0, exponent))
        let down = DecimalText.powerOfTen128(max(0, -exponent))
        let (product, overflow) = (Int128(amount) * factor).multipliedReportingOverflow(by: up)
        guard !overflow else { throw .overflow }
        return try Money(exactly: rule.quotient(product, by: divisor * down), currency)
    }
}

extension FXRate: CustomStringConvertible {
    public var description: String { "\(unit) \(base) = \(text) \(quote)" }
}
