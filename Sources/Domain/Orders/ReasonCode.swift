/// A stable upper-case code that tells programs why something was refused, for example `LIMIT_PRICE_OFF_TICK`.
public struct ReasonCode: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
    public init(stringLiteral value: StaticString) { rawValue = "\(value)" }
    public var description: String { rawValue }
}

extension ReasonCode {
    public static let customerCanceled: ReasonCode = "CUSTOMER_CANCELED"
    public static let neverAccepted: ReasonCode = "NEVER_ACCEPTED"
    public static let insufficientFunds: ReasonCode = "INSUFFICIENT_FUNDS"
    public static let sealed: ReasonCode = "SEALED"
    /// Each exchange that was to fund the order was broken off before it moved anything.
    public static let exchangeInterrupted: ReasonCode = "EXCHANGE_INTERRUPTED"
}
