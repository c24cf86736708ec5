/// TimeInForce (FIX 59).
public enum TimeInForce: String, Sendable, Hashable, CaseIterable {
    /// Until the close of the session it was entered for.
    case day = "DAY"
    /// Until cancelled.
    case goodTillCancel = "GTC"
    /// What can be filled at once; the rest is cancelled.
    case immediateOrCancel = "IOC"
    /// All at once or nothing.
    case fillOrKill = "FOK"
}
