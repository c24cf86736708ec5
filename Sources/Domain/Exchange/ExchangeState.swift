/// Where an exchange stands. Intents are logged before they are sent, so that a crash never hides a request.
public enum ExchangeState: String, Hashable, Sendable, CaseIterable {
    /// Written down, nothing sent.
    case requested = "REQUESTED"
    /// The withdrawal is about to leave, or has left.
    case withdrawRequested = "WITHDRAW_REQUESTED"
    case withdrawSucceeded = "WITHDRAW_SUCCEEDED"
    /// Passed through on the way to FAILED.
    case withdrawRefused = "WITHDRAW_REFUSED"
    /// The withdrawal's outcome is not known; its key is being resolved.
    case withdrawUnknown = "WITHDRAW_UNKNOWN"
    /// The deposit is about to leave, or has left.
    case depositRequested = "DEPOSIT_REQUESTED"
    /// Passed through on the way to COMPLETED.
    case depositSucceeded = "DEPOSIT_SUCCEEDED"
    /// The deposit can never apply; passed through on the way to CANCEL_REQUESTED.
    case depositRefused = "DEPOSIT_REFUSED"
    /// The deposit's outcome is not known; its key is being resolved.
    case depositUnknown = "DEPOSIT_UNKNOWN"
    /// The withdrawal is being given back by message.
    case cancelRequested = "CANCEL_REQUESTED"
    /// Both legs are done.
    case completed = "COMPLETED"
    /// The withdrawal was refused; nothing moved.
    case failed = "FAILED"
    /// The deposit was refused and the withdrawal given back.
    case cancelled = "CANCELLED"
    /// Automation has given up; a person re-drives it.
    case parked = "PARKED"

    /// Whether nothing follows.
    public var isTerminal: Bool { successors.isEmpty }

    /// Whether an exchange is found in this state between two transactions, and not only passes through it.
    public var rests: Bool {
        switch self {
        case .withdrawRefused, .depositSucceeded, .depositRefused: false
        case .requested, .withdrawRequested, .withdrawSucceeded, .withdrawUnknown, .depositRequested, .depositUnknown,
            .cancelRequested, .completed, .failed, .cancelled, .parked:
            true
        }
    }

    /// The states that may follow in the log: the whole transition table.
    public var successors: Set<ExchangeState> {
        switch self {
        case .requested: [.withdrawRequested]
        case .withdrawRequested: [.withdrawSucceeded, .withdrawRefused, .withdrawUnknown]
        case .withdrawUnknown: [.withdrawSucceeded, .withdrawRefused, .parked]
        case .withdrawRefused: [.failed]
        case .withdrawSucceeded: [.depositRequested]
        case .depositRequested: [.depositSucceeded, .depositRefused, .depositUnknown]
        case .depositUnknown: [.depositSucceeded, .depositRefused, .parked]
        case .depositSucceeded: [.completed]
        case .depositRefused: [.cancelRequested]
        case .cancelRequested: [.cancelled, .parked]
        case .parked: [.withdrawUnknown, .depositUnknown, .cancelRequested, .cancelled]
        case .completed, .failed, .cancelled: []
        }
    }
}
