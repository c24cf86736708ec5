/// One fee: what it is taken on, its bounds and its rounding.
public struct FeeRule: Hashable, Sendable {
    /// What the fee is a share of.
    public enum Basis: Hashable, Sendable {
        /// Of the traded value, in thousand millionths: 1,000,000 is 0.1 percent.
        case value(partsPerBillion: Int64)
        /// For each share, in thousand millionths of the major unit: 166,000 is 0.000166 dollars.
        case share(billionths: Int64)
    }

    /// For example `COMMISSION`.
    public let name: ReasonCode
    public let sides: Set<Side>
    public let basis: Basis
    /// Charged at least, once per order, in minor units.
    public let minimumMinorUnits: Int64
    /// Charged at most, once per order, in minor units; nil without a cap.
    public let maximumMinorUnits: Int64?
    public let rounding: RoundingRule

    public init(
        name: ReasonCode, sides: Set<Side>, basis: Basis, minimumMinorUnits: Int64 = 0,
        maximumMinorUnits: Int64? = nil, rounding: RoundingRule
    ) {
        self.name = name
        self.sides = sides
        self.basis = basis
        self.minimumMinorUnits = minimumMinorUnits
        self.maximumMinorUnits = maximumMinorUnits
        self.rounding = rounding
    }

    /// The fee on everything that an order has traded so far.
    ///
    /// - Throws: `MoneyError.overflow` when it does not fit.
    func fee(onValue value: Money, quantity: Quantity) throws(MoneyError) -> Money {
        let exact: Int128
        switch basis {
        case .value(let parts):
            exact = rounding.quotient(Int128(value.minorUnits) * Int128(parts), by: 1_000_000_000)
        case .share(let billionths):
            let minorPerMajor = DecimalText.powerOfTen128(value.currency.scale)
            let (product, overflow) = (Int128(quantity.unscaled) * Int128(billionths))
                .multipliedReportingOverflow(by: minorPerMajor)
            guard !overflow else { throw .overflow }
            exact = rounding.quotient(product, by: DecimalText.powerOfTen128(18))
        }
        let atLeast = max(exact, Int128(minimumMinorUnits))
        return try Money(exactly: min(atLeast, Int128(maximumMinorUnits ?? .max)), value.currency)
    }
}
