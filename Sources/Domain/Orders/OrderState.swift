/// Axis A: where the order stands with us. Written by the trading service only.
public enum OrderLifecycle: Hashable, Sendable {
    /// Taken in, nothing held, nothing sent.
    case received
    /// The money (or the shares) is held.
    case held
    /// Written as PENDING with its dispatch row; the broker may or may not have it.
    case queued
    /// The broker has accepted it.
    case working
    /// Over. Late executions, busts and corrections still change its quantities, never its label.
    case closed(Closing)
    /// Refused by us; nothing was ever sent.
    case denied(ReasonCode)

    public enum Closing: String, Hashable, Sendable, CaseIterable {
        case filled = "FILLED"
        case canceled = "CANCELED"
        case rejected = "REJECTED"
        case expired = "EXPIRED"
    }
}

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

/// Axis B for a cancel: the customer's wish and its request in flight.
public enum Cancellation: Hashable, Sendable {
    case none
    /// The customer wants it; no request has left, perhaps because the broker may not have the order yet.
    case wanted
    /// A request may have left.
    case sent(attempt: Int)
    /// Nobody knows whether the broker has the request; the same one is sent again.
    case unknown(attempt: Int)
    /// The broker has taken the request on; its report tells when the order is cancelled.
    case confirmed
    /// The broker refused the request; the order goes on as before.
    case refused(ReasonCode)

    /// Whether the customer's wish stands.
    public var isWanted: Bool {
        switch self {
        case .wanted, .sent, .unknown, .confirmed: true
        case .none, .refused: false
        }
    }
}

/// An end that the broker has reported, held back until the executions it counts have arrived.
public struct PendingClose: Hashable, Sendable {
    public let closing: OrderLifecycle.Closing
    /// What the broker says was filled.
    public let brokerCumQuantity: Quantity

    public init(closing: OrderLifecycle.Closing, brokerCumQuantity: Quantity) {
        self.closing = closing
        self.brokerCumQuantity = brokerCumQuantity
    }
}

/// OrdStatus (FIX 39) as the customer sees it, derived from the axes and never stored as truth.
public enum OrderStatus: String, Hashable, Sendable, CaseIterable {
    case pendingNew = "PENDING_NEW"
    case new = "NEW"
    case partiallyFilled = "PARTIALLY_FILLED"
    case filled = "FILLED"
    case pendingCancel = "PENDING_CANCEL"
    case canceled = "CANCELED"
    case rejected = "REJECTED"
    case expired = "EXPIRED"
    /// Refused by us before anything was sent.
    case denied = "DENIED"
    /// Sent, outcome unknown; the broker is being asked and the hold stays.
    case unconfirmed = "UNCONFIRMED"
    /// Automation has given up; a person decides and the hold stays.
    case needsReview = "NEEDS_REVIEW"

    /// Whether the order is over.
    public var isFinal: Bool {
        switch self {
        case .filled, .canceled, .rejected, .expired, .denied: true
        case .pendingNew, .new, .partiallyFilled, .pendingCancel, .unconfirmed, .needsReview: false
        }
    }
}
