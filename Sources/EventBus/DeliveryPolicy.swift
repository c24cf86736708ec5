public import Limits

/// What a bus does when a handler throws.
public struct DeliveryPolicy: Sendable {
    /// What a handler's error says about the event.
    public enum Verdict: Sendable, Hashable {
        /// The event is not to blame (a store is away): try again for as long as it takes.
        case transient
        /// It may be the event's fault: try again, `attempts` times in all.
        case suspect
        /// It will never succeed: a dead letter at once.
        case permanent
    }

    /// Attempts at an event whose errors are `suspect`, at least 1. The default gives a fault half a minute to pass.
    public var attempts: Int
    /// Delays between attempts. Later events of the same key wait meanwhile.
    public var backoff: Backoff
    public var verdict: @Sendable (any Error) -> Verdict

    public init(
        attempts: Int = 12, backoff: Backoff = Backoff(initial: .milliseconds(20), maximum: .seconds(10)),
        verdict: @escaping @Sendable (any Error) -> Verdict = { _ in .suspect }
    ) {
        precondition(attempts >= 1, "an event is tried at least once")
        self.attempts = attempts
        self.backoff = backoff
        self.verdict = verdict
    }
}
