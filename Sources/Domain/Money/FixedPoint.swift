/// An exact decimal number with a fixed count of places, held as a 64-bit integer.
public protocol FixedPoint: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Places after the decimal point.
    static var scale: Int { get }
    /// Places that are printed even when they are zero.
    static var minimumDecimals: Int { get }
    /// The number multiplied by ten to the `scale`.
    var unscaled: Int64 { get }
    init(unscaled: Int64)
}

extension FixedPoint {
    public static var zero: Self { Self(unscaled: 0) }

    /// The number written in `text`, for example `"230.05"`, exactly.
    ///
    /// - Throws: `DecimalError` when the text is no plain decimal number, has too many places, or is out of range.
    public init(_ text: String) throws(DecimalError) {
        self.init(unscaled: try DecimalText.parse(text, scale: Self.scale))
    }

    /// The number `unscaled / 10^scale`, as it travels on the wire, exactly.
    ///
    /// - Throws: `DecimalError` when `scale` is not 0 to 18, digits would be lost, or the number is out of range.
    public init(unscaled: Int64, scale: Int) throws(DecimalError) {
        self.init(unscaled: try DecimalText.rescale(unscaled, from: scale, to: Self.scale))
    }

    public var isZero: Bool { unscaled == 0 }
    public var isPositive: Bool { unscaled > 0 }
    public var isNegative: Bool { unscaled < 0 }

    /// The number as plain decimal text, which `init(_:)` reads back exactly.
    public var description: String {
        DecimalText.print(unscaled, scale: Self.scale, minimumDecimals: Self.minimumDecimals)
    }

    public static func < (a: Self, b: Self) -> Bool { a.unscaled < b.unscaled }

    public static func + (a: Self, b: Self) throws(DecimalError) -> Self {
        let (sum, overflow) = a.unscaled.addingReportingOverflow(b.unscaled)
        guard !overflow else { throw .outOfRange }
        return Self(unscaled: sum)
    }

    public static func - (a: Self, b: Self) throws(DecimalError) -> Self {
        let (difference, overflow) = a.unscaled.subtractingReportingOverflow(b.unscaled)
        guard !overflow else { throw .outOfRange }
        return Self(unscaled: difference)
    }

    public static prefix func - (a: Self) throws(DecimalError) -> Self { try .zero - a }
}
