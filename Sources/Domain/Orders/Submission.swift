/// Axis B for the order itself: the request in flight to the broker.
public enum SubmissionState: Hashable, Sendable {
    /// No attempt is under way; the next one may start.
    case ready
    /// An attempt may have left; its answer is awaited.
    case sent
    /// Nobody knows whether the broker has it; the step is what comes next.
    case unknown(UnknownOrderStep)
    /// The broker has it: an answer, a look-up, a report or an execution proves it.
    case confirmed
    /// The broker will never have it.
    case refused
}

/// The request in flight with what is known about it.
public struct Submission: Hashable, Sendable {
    public internal(set) var state: SubmissionState
    /// "About to send" rows written so far.
    public internal(set) var attempts: Int
    /// Of these, attempts that certainly never left the gateway.
    public internal(set) var unsentAttempts: Int
    public internal(set) var firstSentAt: UnixTime?
    public internal(set) var lastSentAt: UnixTime?
    public internal(set) var unknownSince: UnixTime?
    /// Look-ups since the last attempt.
    public internal(set) var probes: Int
    /// Look-ups past the visibility delay that did not find the id, since the last attempt.
    public internal(set) var misses: Int
    /// Whether the broker can never accept the id any more.
    public internal(set) var isSealed: Bool
    /// OrderID (37) at the broker, once known.
    public internal(set) var brokerOrder: BrokerOrderID?

    public init(
        state: SubmissionState = .ready, attempts: Int = 0, unsentAttempts: Int = 0, firstSentAt: UnixTime? = nil,
        lastSentAt: UnixTime? = nil, unknownSince: UnixTime? = nil, probes: Int = 0, misses: Int = 0,
        isSealed: Bool = false, brokerOrder: BrokerOrderID? = nil
    ) {
        self.state = state
        self.attempts = attempts
        self.unsentAttempts = unsentAttempts
        self.firstSentAt = firstSentAt
        self.lastSentAt = lastSentAt
        self.unknownSince = unknownSince
        self.probes = probes
        self.misses = misses
        self.isSealed = isSealed
        self.brokerOrder = brokerOrder
    }

    /// Attempts that may have reached the broker.
    public var sentAttempts: Int { attempts - unsentAttempts }
}
