import EventBus
import Limits
import Synchronization

/// A bus in memory that delivers at least once and remembers what was published.
final class TestBus: EventPublisher, EventSubscriber {
    private struct State {
        var published: [EventEnvelope] = []
        var channels: [String: BatchChannel<EventEnvelope>] = [:]
        var dropped: [String: Int] = [:]
    }

    private let state = Mutex(State())

    var published: [EventEnvelope] { state.withLock(\.published) }

    /// The next events of this topic reach nobody although they are confirmed.
    func drop(_ topic: String, next count: Int) { state.withLock { $0.dropped[topic] = count } }

    func publish(_ events: [EventEnvelope]) async throws {
        for event in events {
            let isDropped = state.withLock { state in
                state.published.append(event)
                guard let left = state.dropped[event.topic], left > 0 else { return false }
                state.dropped[event.topic] = left - 1
                return true
            }
            if !isDropped { _ = await channel(event.topic).send(event) }
        }
    }

    func run(
        group: String, consumer: String, topics: [String],
        handler: @escaping @Sendable (EventEnvelope) async throws -> Void
    ) async throws {
        precondition(topics.count == 1, "one topic is all that the tests need")
        let channel = channel(topics[0])
        while let events = await channel.receiveBatch(maximum: 1) {
            for event in events {
                do { try await handler(event) } catch { _ = channel.trySend(event) }
            }
        }
    }

    private func channel(_ topic: String) -> BatchChannel<EventEnvelope> {
        state.withLock { state in
            if let known = state.channels[topic] { return known }
            let made = BatchChannel<EventEnvelope>(capacity: 1_000)
            state.channels[topic] = made
            return made
        }
    }
}
