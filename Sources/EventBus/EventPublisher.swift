/// The writing side of the bus.
public protocol EventPublisher: Sendable {
    /// Returns when the bus has confirmed every event. When it throws, any of them may be on the bus or not: publish
    /// all again, consumers recognise what they know. Obeys `Deadline.current`.
    func publish(_ events: [EventEnvelope]) async throws
}
