/// The world in which an order is judged.
public struct ValidationContext: Hashable, Sendable {
    /// Nil when nobody knows the symbol.
    public var instrument: Instrument?
    /// The last price, if there is one.
    public var lastPrice: Price?
    public var session: MarketSession
    public var broker: BrokerCapabilities
    public var engagedSwitches: Set<KillSwitch>

    public init(
        instrument: Instrument?, lastPrice: Price?, session: MarketSession, broker: BrokerCapabilities,
        engagedSwitches: Set<KillSwitch> = []
    ) {
        self.instrument = instrument
        self.lastPrice = lastPrice
        self.session = session
        self.broker = broker
        self.engagedSwitches = engagedSwitches
    }
}
