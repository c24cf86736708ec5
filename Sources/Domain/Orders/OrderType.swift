/// OrdType (FIX 40) with the price that belongs to it.
public enum OrderType: Sendable, Hashable {
    /// At the best price there is.
    case market
    /// At this price or better.
    case limit(Price)

    public var name: Name {
        switch self {
        case .market: .market
        case .limit: .limit
        }
    }

    public var limitPrice: Price? {
        switch self {
        case .market: nil
        case .limit(let price): price
        }
    }

    /// The type without its price, as capability records list it.
    public enum Name: String, Sendable, Hashable, CaseIterable {
        case market = "MARKET"
        case limit = "LIMIT"
    }
}
