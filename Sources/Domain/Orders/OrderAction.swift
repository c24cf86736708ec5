/// What has to be done because an order changed. Perform the actions in order, in the transaction of the change or
/// through its outbox; each that moves money carries the key that makes it repeatable.
public enum OrderAction: Hashable, Sendable {
    /// Hold this much.
    case placeHold(Money)
    /// Start this attempt, not before the instant.
    case dispatch(attempt: Int, at: UnixTime)
    /// Send the same id again as this attempt, not before the instant; any evidence before then cancels it.
    case resend(attempt: Int, at: UnixTime)
    /// A planned resend or probe is void.
    case cancelPlannedStep
    /// Ask the broker by our id at this instant.
    case probe(at: UnixTime)
    /// Send (again) the cancel of this order, as this attempt, not before the instant.
    case requestCancel(attempt: Int, at: UnixTime)
    /// Fetch the order's executions from the broker: it counts more than we have.
    case fetchExecutions
    /// Take this much of the hold for an execution; what exceeds the hold comes from the available balance.
    case captureHold(Money, execution: ExecutionID, key: OperationKey)
    /// Pay this much to the account: proceeds of a sale, or a purchase taken back.
    case credit(Money, execution: ExecutionID, key: OperationKey)
    /// Take this much from the account: a sale taken back, or fees above the proceeds.
    case debit(Money, execution: ExecutionID, key: OperationKey)
    /// Give back what is left of the hold.
    case releaseHold
    /// Book the shares of an execution.
    case bookPosition(Execution)
    /// Take the shares of an execution back.
    case reversePosition(Execution)
    /// Tell the customer.
    case notifyCustomer(OrderStatus, cumQuantity: Quantity)
    /// Tell a person.
    case alert(OrderAlert)
}

/// What a person has to look at.
public enum OrderAlert: Hashable, Sendable {
    /// More was filled than ordered; all of it is booked.
    case overfilled(by: Quantity)
    /// An execution arrived after the order was over.
    case lateExecution(ExecutionID)
    /// An execution or an acceptance of an order that we never sent, or had refused.
    case unexpectedEvidence(String)
    /// An execution id came again with other content; the first report stands.
    case conflictingExecution(ExecutionID)
    /// Another id for an execution that is booked; it was not booked again.
    case suspiciousTwin(ExecutionID, of: ExecutionID)
    /// The broker took an execution back, or replaced it.
    case reversed(ExecutionID)
    /// Two broker order ids for one order.
    case brokerOrderChanged(from: BrokerOrderID, to: BrokerOrderID)
    /// The broker ended the order with less filled than it reported before.
    case brokerCountsLess(Quantity)
    /// The order ended at the broker, but the executions that it counts are missing.
    case executionsMissing(brokerCumQuantity: Quantity)
    /// Automation has found out nothing; the hold stays until a person decides.
    case outcomeUnresolved
    /// A cancel has been sent this many times without an answer; it is sent on.
    case cancelUnanswered(attempts: Int)
}

/// A command that is not legal in the order's state, or a report that cannot be booked. The order is unchanged.
public struct InvalidTransition: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Problem: Hashable, Sendable {
        case notInThisState
        /// Attempts go up by one; this one is not the next.
        case attemptOutOfTurn(expected: Int)
        /// The policy does not allow this attempt (any more).
        case notAllowedNow
        case booking(BookingError)
    }

    public let order: OrderID
    public let status: OrderStatus
    /// The event's recorded name.
    public let event: String
    public let problem: Problem

    public init(order: OrderID, status: OrderStatus, event: String, problem: Problem) {
        self.order = order
        self.status = status
        self.event = event
        self.problem = problem
    }

    public var description: String { "order \(order) is \(status.rawValue): \(event) refused, \(problem)" }
}
