import EventBus
import Limits
import Synchronization

/// A bus of one topic's length inside the test: what is published stays, what is sent comes once more after each failure.
final class TestBus: EventPublisher, EventSubscriber {
    private let published = Mutex<[EventEnvelope]>([])
    private let arrivals = BatchChannel<EventEnvelope>(capacity: 64)
    private let handled = BatchChannel<String>(capacity: 64)
    private let results = BatchChannel<EventEnvelope>(capacity: 64)

    var events: [EventEnvelope] { published.withLock { $0 } }

    func publish(_ events: [EventEnvelope]) async throws {
        published.withLock { $0 += events }
        for event in events { _ = await results.send(event) }
    }

    func run(
        group: String, consumer: String, topics: [String],
        handler: @escaping @Sendable (EventEnvelope) async throws -> Void
    ) async throws {
        while let batch = await arrivals.receiveBatch(maximum: 1) {
            for event in batch where topics.contains(event.topic) {
                try await handler(event)
                _ = await handled.send(event.id)
            }
        }
    }

    func send(_ event: EventEnvelope) async { _ = await arrivals.send(event) }

    /// The next published event.
    func nextResult() async -> EventEnvelope? { await results.receiveBatch(maximum: 1)?.first }

    /// The id of the next event that was consumed.
    func nextHandled() async -> String? { await handled.receiveBatch(maximum: 1)?.first }
}
