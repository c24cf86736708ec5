/// Why we refuse an order before anything is held or sent. Nothing was done; the same request is refused again.
public struct Denial: Error, Hashable, Sendable {
    /// For programs: one of the codes below.
    public let reason: ReasonCode
    /// For people.
    public let message: String
    /// The facts behind the reason, for example `tick` = `0.01`.
    public let context: [String: String]

    public init(_ reason: ReasonCode, _ message: String, _ context: [String: String] = [:]) {
        self.reason = reason
        self.message = message
        self.context = context
    }
}

extension Denial: CustomStringConvertible {
    public var description: String { "\(reason): \(message)" }
}

extension ReasonCode {
    public static let unknownSymbol: ReasonCode = "UNKNOWN_SYMBOL"
    public static let instrumentNotTradable: ReasonCode = "INSTRUMENT_NOT_TRADABLE"
    public static let instrumentHalted: ReasonCode = "INSTRUMENT_HALTED"
    public static let currencyMismatch: ReasonCode = "CURRENCY_MISMATCH"
    public static let quantityNotPositive: ReasonCode = "QUANTITY_NOT_POSITIVE"
    public static let quantityTooLarge: ReasonCode = "QUANTITY_TOO_LARGE"
    public static let quantityOffLot: ReasonCode = "QUANTITY_OFF_LOT"
    public static let limitPriceNotPositive: ReasonCode = "LIMIT_PRICE_NOT_POSITIVE"
    public static let limitPriceOffTick: ReasonCode = "LIMIT_PRICE_OFF_TICK"
    public static let limitPriceOutsideCollar: ReasonCode = "LIMIT_PRICE_OUTSIDE_COLLAR"
    public static let noReferencePrice: ReasonCode = "NO_REFERENCE_PRICE"
    public static let notionalExceedsLimit: ReasonCode = "NOTIONAL_EXCEEDS_LIMIT"
    public static let orderKindNotSupported: ReasonCode = "ORDER_KIND_NOT_SUPPORTED"
    public static let marketClosed: ReasonCode = "MARKET_CLOSED"
    public static let limitOrdersOnly: ReasonCode = "LIMIT_ORDERS_ONLY"
    public static let killSwitchEngaged: ReasonCode = "KILL_SWITCH_ENGAGED"
    public static let insufficientShares: ReasonCode = "INSUFFICIENT_SHARES"
}
