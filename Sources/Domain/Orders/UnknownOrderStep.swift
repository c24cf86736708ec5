/// What to do next about an order of which nobody knows whether the broker has it.
public enum UnknownOrderStep: Hashable, Sendable {
    /// Ask the broker by our id at this instant.
    case probe(at: UnixTime)
    /// Send the same id again at this instant.
    case resend(at: UnixTime)
    /// It is proven that the broker never accepted the id and never will.
    case conclude
    /// Automation can find out nothing more: a person decides, and the hold stays.
    case review
}
