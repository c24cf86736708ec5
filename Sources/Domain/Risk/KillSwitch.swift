/// A switch that stops new orders at one level. Cancels and work under way are never stopped.
public enum KillSwitch: Hashable, Sendable {
    case everything
    case broker(BrokerID)
    case instrument(InstrumentID)
    case customer(CustomerID)
    /// All orders of one side, for example purchases while money cannot be held.
    case side(Side)

    /// Whether this switch stops an order with these terms at this broker.
    public func stops(_ terms: OrderTerms, broker: BrokerID) -> Bool {
        switch self {
        case .everything: true
        case .broker(let stopped): stopped == broker
        case .instrument(let stopped): stopped == terms.instrument
        case .customer(let stopped): stopped == terms.customer
        case .side(let stopped): stopped == terms.side
        }
    }

    /// The level, for contexts and logs.
    public var level: String {
        switch self {
        case .everything: "everything"
        case .broker: "broker"
        case .instrument: "instrument"
        case .customer: "customer"
        case .side: "side"
        }
    }
}
