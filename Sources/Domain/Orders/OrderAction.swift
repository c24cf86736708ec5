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
