import Contracts
import EventBus
import Protobuf
import Synchronization

/// A bus whose deliveries a test makes itself, and waits for.
final class MemoryBus: EventSubscriber, EventPublisher {
    private typealias Handler = @Sendable (EventEnvelope) async throws -> Void
    private struct State {
        var handler: Handler?
        var waiting: [CheckedContinuation<Void, Never>] = []
        var published: [EventEnvelope] = []
    }

    private let state = Mutex(State())

    func run(
        group: String, consumer: String, topics: [String],
        handler: @escaping @Sendable (EventEnvelope) async throws -> Void
    ) async throws {
        let waiting = state.withLock { state in
            state.handler = handler
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        for await _ in stream {}
        continuation.finish()
        state.withLock { $0.handler = nil }
    }

    func publish(_ events: [EventEnvelope]) async throws { state.withLock { $0.published += events } }

    var published: [EventEnvelope] { state.withLock { $0.published } }

    /// Hands an event to the consumer and returns when it has been consumed.
    func deliver(_ event: EventExecutionStored) async throws {
        await waitForConsumer()
        guard let handler = state.withLock({ $0.handler }) else { throw CancellationError() }
        try await handler(
            EventEnvelope(
                id: "executions/\(event.receiverSequence)", topic: "executions",
                key: event.report?.clientOrderID ?? "", payload: event.encoded(), occurredAt: 0))
    }

    private func waitForConsumer() async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                guard state.handler == nil else { return true }
                state.waiting.append(continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}
