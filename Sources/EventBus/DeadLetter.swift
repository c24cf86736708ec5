/// An event that its consumers could not handle, set aside so that the others go on.
public struct DeadLetter: Sendable, Hashable {
    /// As it was published; its payload is empty when the bus could not read it.
    public var event: EventEnvelope
    /// Who gave it up.
    public var group: String
    public var consumer: String
    /// Where on the bus it lay.
    public var origin: String
    /// How often it was tried.
    public var attempts: Int
    /// The last error, as text of at most 1000 characters.
    public var reason: String

    public init(
        event: EventEnvelope, group: String, consumer: String, origin: String, attempts: Int, reason: String
    ) {
        self.event = event
        self.group = group
        self.consumer = consumer
        self.origin = origin
        self.attempts = attempts
        self.reason = String(reason.prefix(1000))
    }
}

/// Stores a dead letter; when it throws, it is called again until it succeeds, and the event stays unconsumed.
public typealias DeadLetterSink = @Sendable (DeadLetter) async throws -> Void
