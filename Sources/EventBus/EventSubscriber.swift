/// The reading side of the bus: at least once, in order per key.
public protocol EventSubscriber: Sendable {
    /// Gives each event of `topics` to one consumer of `group`, until the task is cancelled. An event counts as
    /// consumed when `handler` returns; when it throws, the event comes again, here or at another consumer of the
    /// group, or is set aside as the bus' `DeliveryPolicy` says. Handlers of different keys may run at the same time.
    ///
    /// - Parameters:
    ///   - group: the consumers that share the events, by name.
    ///   - consumer: who this is within the group; the same name after a restart takes up where it stopped.
    func run(
        group: String, consumer: String, topics: [String],
        handler: @escaping @Sendable (EventEnvelope) async throws -> Void
    ) async throws
}
