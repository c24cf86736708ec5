/// A share of an amount in hundredths of a percent: 100 is one percent.
public struct BasisPoints: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }
    public init(_ value: Int32) { self.init(rawValue: value) }

    public static let zero = BasisPoints(0)
    /// The whole: 100 percent.
    public static let whole = BasisPoints(10_000)

    public static func < (a: BasisPoints, b: BasisPoints) -> Bool { a.rawValue < b.rawValue }

    /// This share of `money`.
    ///
    /// - Throws: `MoneyError.overflow` when the result does not fit.
    public func share(of money: Money, rounding rule: RoundingRule) throws(MoneyError) -> Money {
        let exact = Int128(money.minorUnits) * Int128(rawValue)
        return try Money(exactly: rule.quotient(exact, by: 10_000), money.currency)
    }

    /// This share of `price`, to the nearest unit that `rule` names.
    ///
    /// - Throws: `DecimalError.outOfRange` when the result does not fit.
    public func share(of price: Price, rounding rule: RoundingRule) throws(DecimalError) -> Price {
        let exact = Int128(price.unscaled) * Int128(rawValue)
        guard let unscaled = Int64(exactly: rule.quotient(exact, by: 10_000)) else { throw .outOfRange }
        return Price(unscaled: unscaled)
    }
}

extension BasisPoints: CustomStringConvertible {
    public var description: String { "\(rawValue)bp" }
}
