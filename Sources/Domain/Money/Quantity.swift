/// A number of shares, whole or fractional, in nano-shares: at most about 9.2 thousand million shares.
public struct Quantity: FixedPoint {
    public static let scale = 9
    public static let minimumDecimals = 0
    public static let nanosPerShare: Int64 = 1_000_000_000
    public let unscaled: Int64

    public init(unscaled: Int64) { self.unscaled = unscaled }

    /// `shares` whole shares.
    ///
    /// - Throws: `DecimalError.outOfRange` past 9,223,372,036 shares.
    public init(shares: Int64) throws(DecimalError) { try self.init(unscaled: shares, scale: 0) }

    /// Whether no fraction of a share is involved.
    public var isWhole: Bool { unscaled % Self.nanosPerShare == 0 }
}
