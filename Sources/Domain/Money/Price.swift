/// The price of one share in the currency of its instrument, exact to 0.0001.
///
/// Scale 4 is the finest tick of United States equities (Rule 612). The currency belongs to the instrument.
public struct Price: FixedPoint {
    public static let scale = 4
    public static let minimumDecimals = 2
    public let unscaled: Int64

    public init(unscaled: Int64) { self.unscaled = unscaled }

    /// The average price of executions worth `value` (unscaled price times unscaled quantity), ties to even.
    ///
    /// For display and statistics; the books keep the exact sum.
    static func average(value: Int128, over quantity: Quantity) -> Price? {
        guard quantity.isPositive else { return nil }
        return Int64(exactly: RoundingRule.halfEven.quotient(value, by: Int128(quantity.unscaled))).map(Price.init)
    }
}
