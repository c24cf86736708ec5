/// What can happen to an order. Facts from the broker are accepted in every state; commands only where they are legal.
public enum OrderEvent: Hashable, Sendable {
    // Ours, before anything is sent.

    /// Validation, limits or the account refused it.
    case denied(ReasonCode)
    /// Validation passed; this much has to be held (nil where no money is held, as for sells).
    case validated(hold: Money?)
    /// The account holds the money or the shares.
    case held(HoldID)
    /// Written as PENDING together with its dispatch row.
    case queued(at: UnixTime)
    /// The session ended, or its entry closed, before anything was sent. The dispatcher's duty, since an attempt after
    /// the session's end is refused.
    case lapsed

    // The request in flight.

    /// The "about to send" row of this attempt is durable; attempts count from 1.
    case sending(attempt: Int, at: UnixTime)
    /// The gateway proves that the last attempt never left.
    case notSent(at: UnixTime)
    /// The last attempt ended without proof either way: time-out, reset, 5xx, unreadable reply, crash.
    case outcomeUnknown(at: UnixTime)
    /// The broker has the order: by its answer, by its answer "duplicate id", or by a report of its feed.
    case acknowledged(BrokerOrderID?)
    /// The broker's structured answer to the last attempt, which its table of definitive codes calls proof that it
    /// does not and will not have the order. A status code alone is none.
    case refused(ReasonCode)
    /// The broker's feed reports that it rejected the order, perhaps after having accepted it.
    case rejected(ReasonCode)
    /// A planned resend was due, but is not allowed any more.
    case resendWithdrawn(at: UnixTime)
    /// A look-up asked at this instant did not find the id.
    case lookUpMissed(at: UnixTime)
    /// A look-up asked at this instant had no answer: no information.
    case lookUpFailed(at: UnixTime)
    /// A look-up or a status report tells how the broker sees the order.
    case reported(BrokerOrderView)

    // Executions.

    case filled(Execution)
    /// The venue took an execution back.
    case busted(ExecutionID, by: ExecutionID)
    /// The venue replaced an execution.
    case corrected(ExecutionID, with: Execution)
    /// All fees of an execution, reported after it.
    case feeReported(Money, of: ExecutionID)

    // Cancels and ends.

    case cancelRequested(at: UnixTime)
    /// The "about to send" row of this attempt to cancel is durable; attempts count from 1.
    case cancelSending(attempt: Int, at: UnixTime)
    /// The broker took the request on.
    case cancelAcknowledged
    /// The broker refused it: too late, or another reason.
    case cancelRefused(ReasonCode)
    /// The broker answers the cancel that it does not know the order.
    case cancelFoundNoOrder(at: UnixTime)
    /// The cancel's outcome is unknown, or it certainly was not sent.
    case cancelOutcomeUnknown(at: UnixTime)
    /// The order is cancelled at the broker, asked for or not, with this much filled.
    case canceled(cumQuantity: Quantity)
    /// The order expired at the broker, with this much filled.
    case expired(cumQuantity: Quantity)
    /// The executions that an end counts did not arrive in time.
    case closeOverdue

    // Operators, through audited commands.

    /// A person has established with the broker that it never accepted the order.
    case concludedNeverAccepted
    /// A person gives the order back to automation.
    case resumed(at: UnixTime)

    /// The kind of event as it is recorded, for example `FILLED`.
    public var name: String {
        switch self {
        case .denied: "DENIED"
        case .validated: "VALIDATED"
        case .held: "HELD"
        case .queued: "QUEUED"
        case .lapsed: "LAPSED"
        case .sending: "ATTEMPT_SENDING"
        case .notSent: "ATTEMPT_NOT_SENT"
        case .outcomeUnknown: "OUTCOME_UNKNOWN"
        case .acknowledged: "ACKNOWLEDGED"
        case .refused: "REFUSED"
        case .rejected: "REJECTED"
        case .resendWithdrawn: "RESEND_WITHDRAWN"
        case .lookUpMissed: "LOOK_UP_MISSED"
        case .lookUpFailed: "LOOK_UP_FAILED"
        case .reported: "REPORTED"
        case .filled: "FILL"
        case .busted: "BUST"
        case .corrected: "CORRECTION"
        case .feeReported: "FEE"
        case .cancelRequested: "CANCEL_REQUESTED"
        case .cancelSending: "CANCEL_SENDING"
        case .cancelAcknowledged: "CANCEL_ACKNOWLEDGED"
        case .cancelRefused: "CANCEL_REFUSED"
        case .cancelFoundNoOrder: "CANCEL_FOUND_NO_ORDER"
        case .cancelOutcomeUnknown: "CANCEL_OUTCOME_UNKNOWN"
        case .canceled: "CANCELED"
        case .expired: "EXPIRED"
        case .closeOverdue: "CLOSE_OVERDUE"
        case .concludedNeverAccepted: "CONCLUDED_NEVER_ACCEPTED"
        case .resumed: "RESUMED"
        }
    }
}
