import Contracts
import EventBus
import Limits
import Protobuf
import Synchronization

/// A bus that a test takes down and brings back, and whose deliveries it makes itself.
final class WeatheredBus: EventPublisher, EventSubscriber {
    struct Down: Error {}

    private typealias Handler = @Sendable (EventEnvelope) async throws -> Void
    private struct State {
        var isDown = false
        var published: [EventEnvelope] = []
        var refusals = 0
        var subscriptions = 0
        var handler: Handler?
    }

    private let state = Mutex(State())
    private let end = WakeUp()

    var published: [EventEnvelope] { state.withLock { $0.published } }
    /// How often it was asked to publish while down.
    var refusals: Int { state.withLock { $0.refusals } }
    /// How often a consumer has subscribed.
    var subscriptions: Int { state.withLock { $0.subscriptions } }
    var executions: [EventExecutionStored] {
        get throws { try published.map { try EventExecutionStored(decoding: $0.payload) } }
    }

    func setDown(_ isDown: Bool) {
        state.withLock { $0.isDown = isDown }
        if isDown { end.wake() }
    }

    func publish(_ events: [EventEnvelope]) async throws {
        try state.withLock { state in
            if state.isDown {
                state.refusals += 1
                throw Down()
            }
            state.published += events
        }
    }

    func run(
        group: String, consumer: String, topics: [String],
        handler: @escaping @Sendable (EventEnvelope) async throws -> Void
    ) async throws {
        try state.withLock { state in
            if state.isDown { throw Down() }
            state.handler = handler
            state.subscriptions += 1
        }
        await end.wait()
        state.withLock { $0.handler = nil }
        throw Down()
    }

    /// Tells the receiver what trading has applied.
    func deliverApplied(_ broker: String, upTo sequence: Int64) async throws {
        guard let handler = state.withLock({ $0.handler }) else { throw Down() }
        try await handler(
            EventEnvelope(
                id: "\(broker)/\(sequence)", topic: "executions-applied", key: broker,
                payload: EventExecutionsApplied(brokerID: broker, receiverSequence: sequence).encoded(), occurredAt: 0))
    }
}
