/// Shares that were bought (or sold short) together and are still there.
public struct TaxLot: Hashable, Sendable {
    /// The execution that opened the lot.
    public let execution: ExecutionID
    public let openedAt: UnixTime
    public let price: Price
    /// What is left of it: above zero when long, below zero when short.
    public internal(set) var quantity: Quantity
}

/// Shares of a lot that a later execution closed.
public struct LotClosing: Hashable, Sendable {
    public let opened: ExecutionID
    public let closed: ExecutionID
    /// Above zero.
    public let quantity: Quantity
    public let openPrice: Price
    public let closePrice: Price
    /// Whether the lot was short, so that a lower closing price is a gain.
    public let wasShort: Bool
}
