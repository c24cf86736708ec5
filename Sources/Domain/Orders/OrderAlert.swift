/// What a person has to look at.
public enum OrderAlert: Hashable, Sendable {
    /// More was filled than ordered; all of it is booked.
    case overfilled(by: Quantity)
    /// An execution arrived after the order was over.
    case lateExecution(ExecutionID)
    /// The broker's evidence contradicts our own record.
    case contradiction(Contradiction)
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

    /// What the broker says against what we have.
    public enum Contradiction: Hashable, Sendable {
        /// It has an order that we had not queued.
        case acceptedBeforeQueued
        /// It has an order of which no attempt was recorded.
        case acceptedBeforeSent
        /// It has an order that we denied.
        case acceptedAfterDenial
        /// It has an order that ended here without ever being confirmed.
        case acceptedAfterEnd(OrderLifecycle.Closing)
        /// It rejects an order that we had not queued.
        case rejectedBeforeQueued
        /// It rejects an order that it has partly filled.
        case rejectedAfterFill
    }
}
