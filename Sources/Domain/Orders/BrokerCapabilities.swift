/// The facts about one broker that decide how its unknown orders are resolved. Data: a new broker is a new record.
public struct BrokerCapabilities: Hashable, Sendable {
    public var broker: BrokerID
    public var idempotencyMode: IdempotencyMode
    /// For how long the broker remembers ids.
    public var deduplicationWindow: Duration
    /// A look-up may miss an accepted order for this long after it was sent.
    public var visibilityDelay: Duration
    /// Whether a look-up finds an order by our id.
    public var looksUpByClientID: Bool
    /// Whether a cancel finds an order by our id.
    public var cancelsByClientID: Bool
    /// Whether a cancel of an id that the broker does not know makes sure that the id can never be accepted later.
    public var cancelSealsUnknownID: Bool
    /// Whether each execution carries an id of its own.
    public var identifiesExecutions: Bool
    /// Whether the feed resumes from a cursor.
    public var resumesFromCursor: Bool
    /// The longest client order id that the broker takes.
    public var maximumIDLength: Int
    /// The order types and times in force that are taken, pair by pair.
    public var orderKinds: Set<OrderKind>

    public init(
        broker: BrokerID, idempotencyMode: IdempotencyMode, deduplicationWindow: Duration, visibilityDelay: Duration,
        looksUpByClientID: Bool, cancelsByClientID: Bool, cancelSealsUnknownID: Bool = false,
        identifiesExecutions: Bool = true, resumesFromCursor: Bool = true, maximumIDLength: Int = 36,
        orderKinds: Set<OrderKind> = OrderKind.all
    ) {
        self.broker = broker
        self.idempotencyMode = idempotencyMode
        self.deduplicationWindow = deduplicationWindow
        self.visibilityDelay = visibilityDelay
        self.looksUpByClientID = looksUpByClientID
        self.cancelsByClientID = cancelsByClientID
        self.cancelSealsUnknownID = cancelSealsUnknownID
        self.identifiesExecutions = identifiesExecutions
        self.resumesFromCursor = resumesFromCursor
        self.maximumIDLength = maximumIDLength
        self.orderKinds = orderKinds
    }
}
