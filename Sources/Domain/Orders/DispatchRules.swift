/// The circumstances under which an order's requests travel: whose broker, which policy, which session.
public struct DispatchRules: Hashable, Sendable {
    public var policy: UnknownOrderPolicy
    public var broker: BrokerCapabilities
    /// The end of the session for which the order was entered; nil when it does not end with a session.
    public var sessionEndsAt: UnixTime?
    /// Whether the kill switch or an open circuit stops new submits.
    public var isHalted: Bool

    public init(
        policy: UnknownOrderPolicy, broker: BrokerCapabilities, sessionEndsAt: UnixTime? = nil, isHalted: Bool = false
    ) {
        self.policy = policy
        self.broker = broker
        self.sessionEndsAt = sessionEndsAt
        self.isHalted = isHalted
    }
}
