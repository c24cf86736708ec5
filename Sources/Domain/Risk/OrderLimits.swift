/// The limits that an order has to respect.
public struct OrderLimits: Hashable, Sendable {
    public var maximumQuantity: Quantity
    /// The greatest worth of one order, in the instrument's currency.
    public var maximumNotional: Money
    /// How far a limit price may lie on the expensive side of the last price (above it for a purchase, below it for a
    /// sale), and by how much a market order may run.
    public var collar: BasisPoints
    /// The sessions in which orders are taken.
    public var sessions: Set<MarketSession>
    /// Takes orders at any time, for demonstrations and against a mock broker.
    public var ignoresSessions: Bool

    public init(
        maximumQuantity: Quantity, maximumNotional: Money, collar: BasisPoints, sessions: Set<MarketSession> = [.core],
        ignoresSessions: Bool = false
    ) {
        self.maximumQuantity = maximumQuantity
        self.maximumNotional = maximumNotional
        self.collar = collar
        self.sessions = sessions
        self.ignoresSessions = ignoresSessions
    }
}
