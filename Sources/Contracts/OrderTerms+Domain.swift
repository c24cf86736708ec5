public import Domain

extension WireSide {
    public init(_ side: Side) {
        switch side {
        case .buy: self = .buy
        case .sell: self = .sell
        }
    }

    /// Nil when missing or unknown.
    public var domain: Side? {
        switch self {
        case .buy: .buy
        case .sell: .sell
        case .unspecified, .unrecognized: nil
        }
    }
}

extension WireOrdType {
    public init(_ name: OrderType.Name) {
        switch name {
        case .market: self = .market
        case .limit: self = .limit
        }
    }

    /// Nil when missing or unknown.
    public var domain: OrderType.Name? {
        switch self {
        case .market: .market
        case .limit: .limit
        case .unspecified, .unrecognized: nil
        }
    }
}

extension WireTimeInForce {
    public init(_ time: TimeInForce) {
        switch time {
        case .day: self = .day
        case .goodTillCancel: self = .gtc
        case .immediateOrCancel: self = .ioc
        case .fillOrKill: self = .fok
        }
    }

    /// Nil when missing or unknown.
    public var domain: TimeInForce? {
        switch self {
        case .day: .day
        case .gtc: .goodTillCancel
        case .ioc: .immediateOrCancel
        case .fok: .fillOrKill
        case .unspecified, .unrecognized: nil
        }
    }
}
