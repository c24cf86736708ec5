import Contracts
import Domain
import EventBus
import Limits
import Logging
import Postgres
import Protobuf
import ServiceKit
import Synchronization

/// Takes executions from the bus, applies them in groups, and tells the receiver how far it has come.
///
/// Whatever waits is applied in one transaction: one execution at a time when few come, many when many come. The bus
/// counts a message as consumed only when its transaction has committed.
final class ExecutionConsumer: Sendable {
    static let topic = "executions"
    static let appliedTopic = "executions-applied"
    static let group = "trading"
    private static let patience = Backoff(initial: .milliseconds(10), maximum: .seconds(5))

    /// A message and whoever waits for it to be applied.
    private struct Waiting: Sendable {
        let message: IncomingExecution
        let done: CheckedContinuation<Void, any Error>
    }

    private struct Queue {
        /// As many as one transaction takes; more are delivered again.
        var waiting: BoundedQueue<Waiting>
        var isOpen = false
    }

    private let intake: ExecutionIntake
    private let ledger: Ledger
    private let subscriber: any EventSubscriber
    private let publisher: any EventPublisher
    private let consumer: String
    private let queue: Mutex<Queue>
    private let arrived = WakeUp()
    private let published = Mutex<[String: Int64]>([:])
    private let applied: Counter
    private let duplicates: Counter

    init(ledger: Ledger, subscriber: any EventSubscriber, publisher: any EventPublisher, consumer: String) {
        self.ledger = ledger
        self.subscriber = subscriber
        self.publisher = publisher
        self.consumer = consumer
        intake = ExecutionIntake(ledger: ledger)
        queue = Mutex(Queue(waiting: BoundedQueue(capacity: ledger.configuration.executionBatch)))
        let metrics = ledger.environment.metrics
        applied = metrics.counter("meridian_trading_executions_applied_total", help: "Reports that were applied.")
        duplicates = metrics.counter(
            "meridian_trading_executions_duplicate_total", help: "Reports that had been applied before.")
    }

    /// Consumes until cancelled. A bus that is down is tried again; what it keeps is not lost.
    func run() async {
        queue.withLock { $0.isOpen = true }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.applyWaiting() }
            group.addTask { await self.subscribe() }
        }
    }

    private func subscribe() async {
        let environment = ledger.environment
        while !Task.isCancelled {
            do {
                try await subscriber.run(group: Self.group, consumer: consumer, topics: [Self.topic]) {
                    [self] envelope in
                    try await take(envelope)
                }
            } catch {
                guard !Task.isCancelled else { break }
                environment.log.error("executions.subscription_failed", metadata: ["error": "\(error)"])
            }
            // Ends early by cancellation only, which the loop looks at.
            try? await Task.sleep(for: ledger.configuration.parkedRetryInterval)
        }
    }

    /// Hands a message over and waits until it has been applied, however long the database is away.
    private func take(_ envelope: EventEnvelope) async throws {
        let event: EventExecutionStored
        do {
            event = try EventExecutionStored(decoding: envelope.payload)
            guard !event.brokerID.isEmpty, event.receiverSequence > 0 else { throw UnusableReport("no number") }
        } catch {
            // It can never be read: consumed with a loud line, or it would block everything behind it for ever. The
            // receiver's watermark then stays below its number, which shows.
            TraceContext.$current.withValue(envelope.headers["traceparent"].flatMap(TraceContext.init(traceparent:))) {
                ledger.environment.log.error(
                    "execution.unreadable", metadata: ["event_id": "\(envelope.id)", "error": "\(error)"])
            }
            return
        }
        let message = IncomingExecution(
            event: event, encoded: envelope.payload, traceparent: envelope.headers["traceparent"] ?? "")
        var attempt = 1
        while true {
            do {
                return try await handOver(message)
            } catch  where error is BusyError || Self.isWeather(error) {
                // The message is not to blame: it waits here, since a bus that counts failures might set it aside.
                try Task.checkCancellation()
                try await Task.sleep(
                    for: Self.patience.delay(afterAttempt: attempt, random: ledger.environment.random()))
                attempt += 1
            }
        }
    }

    /// Returns when the message has been applied.
    private func handOver(_ message: IncomingExecution) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            let isTaken = queue.withLock { queue in
                queue.isOpen && queue.waiting.append(Waiting(message: message, done: done))
            }
            if isTaken { arrived.wake() } else { done.resume(throwing: BusyError()) }
        }
    }

    private func applyWaiting() async {
        while !Task.isCancelled {
            let batch = queue.withLock { $0.waiting.drain() }
            if batch.isEmpty { await arrived.wait() } else { await apply(batch) }
        }
        // Nobody applies what is left: the bus delivers it again.
        let rest = queue.withLock { queue in
            queue.isOpen = false
            return queue.waiting.drain()
        }
        for one in rest { one.done.resume(throwing: CancellationError()) }
    }

    private func apply(_ batch: [Waiting]) async {
        do {
            await finish(try await intake.apply(batch.map(\.message)))
            for one in batch { one.done.resume() }
        } catch  where Self.isWeather(error) {
            for one in batch { one.done.resume(throwing: error) }
        } catch {
            // One of them cannot be booked. Alone each shows what it is.
            for one in batch {
                do {
                    await finish(try await intake.applyAlone(one.message))
                    one.done.resume()
                } catch {
                    one.done.resume(throwing: error)
                }
            }
        }
    }

    private static func isWeather(_ error: any Error) -> Bool {
        switch error {
        case let error as PostgresError: error.mayRetry || error.certainty != .notApplied || error.reason == .cancelled
        case is CancellationError: true
        default: false
        }
    }

    // MARK: The watermark

    private func finish(_ result: ExecutionIntake.Result) async {
        applied.increment(by: result.applied)
        duplicates.increment(by: result.duplicates)
        for (broker, sequence) in result.watermarks.sorted(by: { $0.key < $1.key }) {
            // What comes again although it was applied shows that the receiver does not know: it is told once more.
            let isKnown = published.withLock { $0[broker] ?? 0 } >= sequence && result.duplicates == 0
            if !isKnown { await publish(broker, sequence) }
        }
    }

    /// Tells the receiver. A watermark that is lost is no loss: the next one says more, or the receiver asks by publishing
    /// again.
    private func publish(_ broker: String, _ sequence: Int64) async {
        let environment = ledger.environment
        do {
            let event = EventExecutionsApplied(brokerID: broker, receiverSequence: sequence)
            let envelope = EventEnvelope(
                id: "executions-applied/\(broker)/\(sequence)", topic: Self.appliedTopic, key: broker,
                payload: event.encoded(), occurredAt: environment.now().nanoseconds / 1000)
            try await Deadline.within(.seconds(2)) { try await publisher.publish([envelope]) }
            published.withLock { $0[broker] = max($0[broker] ?? 0, sequence) }
        } catch {
            guard !Task.isCancelled else { return }
            environment.log.warning(
                "executions.watermark_unpublished",
                metadata: ["broker_id": "\(broker)", "receiver_sequence": "\(sequence)", "error": "\(error)"])
        }
    }
}

/// More messages wait than one transaction takes, or the consumer is stopping: the bus delivers this one again.
struct BusyError: Error {}
