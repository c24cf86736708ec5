/// What can happen to an exchange.
public enum ExchangeEvent: Hashable, Sendable {
    /// Whoever holds the lease begins, or goes on from the stored state.
    case drive
    /// The account service answered the withdrawal, or the resolution of its key.
    case withdrawal(LegResult)
    /// The account service answered the deposit, or the resolution of its key.
    case deposit(LegResult)
    /// The account service has handled the message that gives the withdrawal back.
    case withdrawalCancelled(OperationOutcome)
    /// A delayed look is due.
    case recheckDue
    /// A person, whose name and reason are recorded, gives a parked exchange back to automation.
    case redriven
}

/// How a call about one leg ended.
public enum LegResult: Hashable, Sendable {
    case applied
    case refused(ReasonCode)
    /// Resolved before it applied: it never will.
    case sealed
    /// No answer, or none that says whether it applied.
    case unknown
}
