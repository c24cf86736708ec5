/// How a money operation ended. Failures are sticky: a key that did not apply never will.
public enum OperationOutcome: Hashable, Sendable {
    /// The money moved.
    case applied
    /// Refused by rule, for example for lack of funds.
    case refused(ReasonCode)
    /// Asked about before it arrived: a late request can never apply.
    case sealed
    /// It applied and was given back by a later entry.
    case reversed

    /// The stored name.
    public var name: String {
        switch self {
        case .applied: "APPLIED"
        case .refused: "REFUSED"
        case .sealed: "SEALED"
        case .reversed: "REVERSED"
        }
    }
}
