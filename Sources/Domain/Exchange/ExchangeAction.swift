/// What has to be done next. Calls are made after the states of the step are durable.
public enum ExchangeAction: Hashable, Sendable {
    /// Withdraw under the withdrawal's key.
    case withdraw
    /// Find the outcome of the withdrawal's key, or seal it.
    case resolveWithdrawal
    /// Deposit under the deposit's key.
    case deposit
    /// Find the outcome of the deposit's key, or seal it.
    case resolveDeposit
    /// Publish (through the outbox) the message that gives the withdrawal back.
    case publishCancel
    /// Look again after this long.
    case recheck(after: Duration)
    /// Count the reserved limit as used: in the transaction of the terminal state.
    case finalizeLimit
    /// Give the reserved limit back: in the transaction of the terminal state.
    case releaseLimit
    /// Tell a person that the exchange is parked.
    case alertParked
}
