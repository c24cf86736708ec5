/// Why money cannot move so. Nothing was changed.
public enum LedgerError: Error, Hashable, Sendable {
    case tooFewPostings
    case zeroPosting(LedgerAccount)
    case unbalanced(Currency, by: Int128)
    case notPositive(Money)
    case currencyMismatch(Currency, Currency)
    case insufficientFunds(available: Money, required: Money)
    /// The hold has been released.
    case holdClosed(HoldID)
    case outOfRange
}
