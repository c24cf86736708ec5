import EventBus
import Limits
import Synchronization

/// A bus in memory that delivers at least once, to one of the subscribers of a topic, and remembers what was published.
final class TestBus: EventPublisher, EventSubscriber {
    private struct Topic {
        var waiting: [EventEnvelope] = []
        var subscribers: [WakeUp] = []
        /// So many of the next events reach nobody although they are confirmed.
        var toDrop = 0
    }

    private let topics = Mutex<[String: Topic]>([:])
    private let log = Mutex<[EventEnvelope]>([])

    var published: [EventEnvelope] { log.withLock { $0 } }

    func drop(_ topic: String, next count: Int) { topics.withLock { $0[topic, default: Topic()].toDrop = count } }

    func publish(_ events: [EventEnvelope]) async throws {
        for event in events {
            log.withLock { $0.append(event) }
            let isDropped = topics.withLock { topics in
                guard let left = topics[event.topic]?.toDrop, left > 0 else { return false }
                topics[event.topic]?.toDrop = left - 1
                return true
            }
            if !isDropped { put(event) }
        }
    }

    func run(
        group: String, consumer: String, topics names: [String],
        handler: @escaping @Sendable (EventEnvelope) async throws -> Void
    ) async throws {
        precondition(names.count == 1, "one topic is all that the tests need")
        let name = names[0]
        let wakeUp = WakeUp()
        topics.withLock { $0[name, default: Topic()].subscribers.append(wakeUp) }
        defer { topics.withLock { $0[name]?.subscribers.removeAll { $0 === wakeUp } } }
        while !Task.isCancelled {
            let event = topics.withLock { topics -> EventEnvelope? in
                guard let topic = topics[name], !topic.waiting.isEmpty else { return nil }
                return topics[name]?.waiting.removeFirst()
            }
            guard let event else {
                await wakeUp.wait()
                continue
            }
            // What was not consumed comes again, here or elsewhere.
            do { try await handler(event) } catch { put(event) }
        }
    }

    private func put(_ event: EventEnvelope) {
        let subscribers = topics.withLock { topics in
            topics[event.topic, default: Topic()].waiting.append(event)
            return topics[event.topic]?.subscribers ?? []
        }
        for subscriber in subscribers { subscriber.wake() }
    }
}
