/// What is known about an order whose outcome is unknown.
public struct UnknownOrderFacts: Hashable, Sendable {
    /// Gives the jitter, so that a replay gives the same schedule.
    public var order: OrderID
    public var type: OrderType.Name
    public var timeInForce: TimeInForce
    /// Attempts that may have reached the broker, 1 or more.
    public var attempts: Int
    public var firstSentAt: UnixTime
    public var lastSentAt: UnixTime
    /// When the last attempt's outcome became unknown.
    public var unknownSince: UnixTime
    /// Look-ups since then, whatever they answered.
    public var probes: Int
    /// Of these, how many were asked past the visibility delay and answered that the broker does not know the id.
    public var misses: Int
    /// Whether a cancel made sure that the id can never be accepted.
    public var isSealed: Bool
    /// Whether the customer wants the order cancelled.
    public var isCancelWanted: Bool

    public init(
        order: OrderID, type: OrderType.Name, timeInForce: TimeInForce, attempts: Int, firstSentAt: UnixTime,
        lastSentAt: UnixTime, unknownSince: UnixTime, probes: Int, misses: Int, isSealed: Bool, isCancelWanted: Bool
    ) {
        self.order = order
        self.type = type
        self.timeInForce = timeInForce
        self.attempts = attempts
        self.firstSentAt = firstSentAt
        self.lastSentAt = lastSentAt
        self.unknownSince = unknownSince
        self.probes = probes
        self.misses = misses
        self.isSealed = isSealed
        self.isCancelWanted = isCancelWanted
    }
}
