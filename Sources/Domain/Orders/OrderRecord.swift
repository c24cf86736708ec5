/// An order as plain columns: what a store keeps beside the terms and the executions.
///
/// Every field is a number, a flag, an instant or a short text, so that one row of a table holds it. Terms are stored in
/// columns of their own; executions in rows of their own, from which the `ExecutionBook` is booked again.
public struct OrderRecord: Hashable, Sendable {
    /// RECEIVED, HELD, QUEUED, WORKING, CLOSED or DENIED.
    public var lifecycle: String
    /// FILLED, CANCELED, REJECTED or EXPIRED, when CLOSED.
    public var closing: String?
    /// READY, SENT, UNKNOWN, CONFIRMED or REFUSED.
    public var submission: String
    /// PROBE, RESEND, CONCLUDE or REVIEW, when UNKNOWN.
    public var plannedStep: String?
    /// When the planned probe or resend is due.
    public var plannedAt: UnixTime?
    public var attempts: Int
    public var unsentAttempts: Int
    public var firstSentAt: UnixTime?
    public var lastSentAt: UnixTime?
    public var unknownSince: UnixTime?
    public var probes: Int
    public var misses: Int
    public var isSealed: Bool
    public var brokerOrder: BrokerOrderID?
    /// NONE, WANTED, SENT, UNKNOWN, CONFIRMED or REFUSED.
    public var cancellation: String
    public var cancelReason: ReasonCode?
    public var cancelAttempts: Int
    public var brokerCumQuantity: Quantity
    /// FILLED, CANCELED, REJECTED or EXPIRED: an end that waits for executions.
    public var pendingClosing: String?
    public var pendingCumQuantity: Quantity?
    public var holdAmount: Money?
    public var hold: HoldID?
    public var reason: ReasonCode?
    public var needsReview: Bool
    public var version: Int64

    /// Columns as a store read them; `Order(record:)` judges whether they make sense.
    public init(
        lifecycle: String, closing: String?, submission: String, plannedStep: String?, plannedAt: UnixTime?,
        attempts: Int, unsentAttempts: Int, firstSentAt: UnixTime?, lastSentAt: UnixTime?, unknownSince: UnixTime?,
        probes: Int, misses: Int, isSealed: Bool, brokerOrder: BrokerOrderID?, cancellation: String,
        cancelReason: ReasonCode?, cancelAttempts: Int, brokerCumQuantity: Quantity, pendingClosing: String?,
        pendingCumQuantity: Quantity?, holdAmount: Money?, hold: HoldID?, reason: ReasonCode?, needsReview: Bool,
        version: Int64
    ) {
        self.lifecycle = lifecycle
        self.closing = closing
        self.submission = submission
        self.plannedStep = plannedStep
        self.plannedAt = plannedAt
        self.attempts = attempts
        self.unsentAttempts = unsentAttempts
        self.firstSentAt = firstSentAt
        self.lastSentAt = lastSentAt
        self.unknownSince = unknownSince
        self.probes = probes
        self.misses = misses
        self.isSealed = isSealed
        self.brokerOrder = brokerOrder
        self.cancellation = cancellation
        self.cancelReason = cancelReason
        self.cancelAttempts = cancelAttempts
        self.brokerCumQuantity = brokerCumQuantity
        self.pendingClosing = pendingClosing
        self.pendingCumQuantity = pendingCumQuantity
        self.holdAmount = holdAmount
        self.hold = hold
        self.reason = reason
        self.needsReview = needsReview
        self.version = version
    }

    /// The columns of `order`.
    public init(_ order: Order) {
        let (lifecycle, closing) = Self.columns(order.lifecycle)
        let (submission, plannedStep, plannedAt) = Self.columns(order.submission.state)
        let (cancellation, cancelReason) = Self.columns(order.cancellation)
        self.init(
            lifecycle: lifecycle, closing: closing, submission: submission, plannedStep: plannedStep,
            plannedAt: plannedAt, attempts: order.submission.attempts, unsentAttempts: order.submission.unsentAttempts,
            firstSentAt: order.submission.firstSentAt, lastSentAt: order.submission.lastSentAt,
            unknownSince: order.submission.unknownSince, probes: order.submission.probes,
            misses: order.submission.misses, isSealed: order.submission.isSealed,
            brokerOrder: order.submission.brokerOrder, cancellation: cancellation, cancelReason: cancelReason,
            cancelAttempts: order.cancelAttempts, brokerCumQuantity: order.brokerCumQuantity,
            pendingClosing: order.pendingClose?.closing.rawValue,
            pendingCumQuantity: order.pendingClose?.brokerCumQuantity, holdAmount: order.holdAmount, hold: order.hold,
            reason: order.reason, needsReview: order.needsReview, version: order.version)
    }

    private static func columns(_ lifecycle: OrderLifecycle) -> (String, String?) {
        switch lifecycle {
        case .received: ("RECEIVED", nil)
        case .held: ("HELD", nil)
        case .queued: ("QUEUED", nil)
        case .working: ("WORKING", nil)
        case .closed(let closing): ("CLOSED", closing.rawValue)
        case .denied: ("DENIED", nil)
        }
    }

    private static func columns(_ state: SubmissionState) -> (String, String?, UnixTime?) {
        switch state {
        case .ready: ("READY", nil, nil)
        case .sent: ("SENT", nil, nil)
        case .unknown(.probe(let at)): ("UNKNOWN", "PROBE", at)
        case .unknown(.resend(let at)): ("UNKNOWN", "RESEND", at)
        case .unknown(.conclude): ("UNKNOWN", "CONCLUDE", nil)
        case .unknown(.review): ("UNKNOWN", "REVIEW", nil)
        case .confirmed: ("CONFIRMED", nil, nil)
        case .refused: ("REFUSED", nil, nil)
        }
    }

    private static func columns(_ cancellation: Cancellation) -> (String, ReasonCode?) {
        switch cancellation {
        case .none: ("NONE", nil)
        case .wanted: ("WANTED", nil)
        case .sent: ("SENT", nil)
        case .unknown: ("UNKNOWN", nil)
        case .confirmed: ("CONFIRMED", nil)
        case .refused(let reason): ("REFUSED", reason)
        }
    }
}

/// Columns that no order can have written.
public struct InvalidOrderRecord: Error, Hashable, Sendable {
    public let order: OrderID
    /// The column that makes no sense.
    public let column: String
}

extension Order {
    /// The order that wrote `record`, with its executions booked again.
    ///
    /// - Throws: `InvalidOrderRecord`, naming the column that makes no sense.
    public init(
        id: OrderID, terms: OrderTerms, record: OrderRecord, executions: ExecutionBook
    ) throws(InvalidOrderRecord) {
        func invalid(_ column: String) -> InvalidOrderRecord { InvalidOrderRecord(order: id, column: column) }
        guard let lifecycle = record.storedLifecycle else { throw invalid("lifecycle") }
        guard let state = record.storedSubmission else { throw invalid("submission") }
        guard let cancellation = record.storedCancellation else { throw invalid("cancellation") }
        guard (record.pendingClosing == nil) == (record.pendingCumQuantity == nil) else {
            throw invalid("pending_closing")
        }
        var pendingClose: PendingClose?
        if let text = record.pendingClosing, let quantity = record.pendingCumQuantity {
            guard let closing = OrderLifecycle.Closing(rawValue: text) else { throw invalid("pending_closing") }
            pendingClose = PendingClose(closing: closing, brokerCumQuantity: quantity)
        }
        guard record.attempts >= record.unsentAttempts, record.unsentAttempts >= 0 else { throw invalid("attempts") }
        guard record.version >= 0 else { throw invalid("version") }
        self.init(
            id: id, terms: terms, lifecycle: lifecycle,
            submission: Submission(
                state: state, attempts: record.attempts, unsentAttempts: record.unsentAttempts,
                firstSentAt: record.firstSentAt, lastSentAt: record.lastSentAt, unknownSince: record.unknownSince,
                probes: record.probes, misses: record.misses, isSealed: record.isSealed,
                brokerOrder: record.brokerOrder),
            cancellation: cancellation, cancelAttempts: record.cancelAttempts, executions: executions,
            brokerCumQuantity: record.brokerCumQuantity, pendingClose: pendingClose, holdAmount: record.holdAmount,
            hold: record.hold, reason: record.reason, needsReview: record.needsReview, version: record.version)
    }
}

extension OrderRecord {
    fileprivate var storedLifecycle: OrderLifecycle? {
        switch lifecycle {
        case "RECEIVED": .received
        case "HELD": .held
        case "QUEUED": .queued
        case "WORKING": .working
        case "CLOSED": closing.flatMap(OrderLifecycle.Closing.init(rawValue:)).map { .closed($0) }
        case "DENIED": reason.map { .denied($0) }
        default: nil
        }
    }

    fileprivate var storedSubmission: SubmissionState? {
        switch (submission, plannedStep) {
        case ("READY", nil): .ready
        case ("SENT", nil): .sent
        case ("UNKNOWN", "PROBE"): plannedAt.map { .unknown(.probe(at: $0)) }
        case ("UNKNOWN", "RESEND"): plannedAt.map { .unknown(.resend(at: $0)) }
        case ("UNKNOWN", "CONCLUDE"): .unknown(.conclude)
        case ("UNKNOWN", "REVIEW"): .unknown(.review)
        case ("CONFIRMED", nil): .confirmed
        case ("REFUSED", nil): .refused
        default: nil
        }
    }

    fileprivate var storedCancellation: Cancellation? {
        switch cancellation {
        case "NONE": Cancellation.none
        case "WANTED": .wanted
        case "SENT": .sent(attempt: cancelAttempts)
        case "UNKNOWN": .unknown(attempt: cancelAttempts)
        case "CONFIRMED": .confirmed
        case "REFUSED": cancelReason.map { .refused($0) }
        default: nil
        }
    }
}
