public import EventBus
internal import Limits
internal import Logging
public import Postgres
internal import RPCCore

/// Writes events in the transaction that decides them.
public struct AppendToOutbox: Statement {
    public static let sql = String(decoding: PackageResources.outbox_append_sql, as: UTF8.self)
    private let events: [EventEnvelope]

    /// - Parameter events: leave in this order, each with the trace of its `traceparent` header.
    public init(_ events: [EventEnvelope]) { self.events = events }

    public var parameters: [Parameter] {
        [
            .textArray(events.map(\.id)), .textArray(events.map(\.topic)), .textArray(events.map(\.key)),
            .bytesArray(events.map(\.payload)), .textArray(events.map { $0.headers["traceparent"] }),
        ]
    }

    public static func decode(_ row: borrowing RowView) throws {}
}

/// Writes that an event took effect. Zero affected rows: it had taken effect before, do nothing.
public struct RecordInInbox: Statement {
    public static let sql = String(decoding: PackageResources.inbox_insert_sql, as: UTF8.self)
    private let consumer: String
    private let eventID: String

    public init(consumer: String, eventID: String) {
        self.consumer = consumer
        self.eventID = eventID
    }

    public var parameters: [Parameter] { [.text(consumer), .text(eventID)] }
    public static func decode(_ row: borrowing RowView) throws {}
}

/// Moves events from a database's outbox to the bus: at least once, in order per key.
///
/// A row is deleted in the transaction that commits after the bus has confirmed it. When the bus is down, rows wait; a
/// death between the confirmation and the commit publishes them again, which every consumer's inbox recognises.
public struct OutboxRelay: Sendable {
    private let postgres: PostgresClient
    private let publisher: any EventPublisher
    private let environment: ServiceEnvironment
    private let interval: Duration
    private let limit: Duration
    private let wakeUp = WakeUp()

    /// - Parameters:
    ///   - publisher: must end when its task is cancelled.
    ///   - interval: how long a row waits at most when nobody calls `wake`.
    ///   - limit: the longest that one batch may take, and with it the transaction that is open meanwhile.
    public init(
        _ postgres: PostgresClient, to publisher: any EventPublisher, environment: ServiceEnvironment,
        interval: Duration = .milliseconds(500), limit: Duration = .seconds(10)
    ) {
        self.postgres = postgres
        self.publisher = publisher
        self.environment = environment
        self.interval = interval
        self.limit = limit
    }

    /// Says that rows were committed. Never waits.
    public func wake() { wakeUp.wake() }

    /// Moves rows until the task is cancelled.
    public func run() async {
        let published = environment.metrics.counter("meridian_outbox_published_total", help: "Events given to the bus.")
        let failures = environment.metrics.counter("meridian_outbox_failures_total", help: "Batches the bus refused.")
        let backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(5))
        var failed = 0
        while !Task.isCancelled {
            do {
                let count = try await Deadline.within(limit) { try await moveBatch() }
                failed = 0
                published.increment(by: count)
                if count == Self.batch { continue }
                await wakeUp.wait(atMost: interval)
            } catch {
                if Task.isCancelled { return }
                failed += 1
                failures.increment()
                if failed == 1 {
                    environment.log.warning("outbox.stalled", metadata: ["error": "\(String(describing: error))"])
                }
                await wakeUp.wait(atMost: backoff.delay(afterAttempt: failed, random: environment.random()))
            }
        }
    }

    private static let batch = 128

    private func moveBatch() async throws -> Int {
        try await postgres.withTransaction { transaction in
            let events = try await transaction.query(TakeFromOutbox(limit: Int64(Self.batch)))
            if !events.isEmpty { try await publish(events) }
            return events.count
        }
    }

    /// Ends by the limit even when the publisher looks at no deadline: an open transaction holds back the database's
    /// housekeeping, and the lock keeps every other relay out.
    private func publish(_ events: [EventEnvelope]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await publisher.publish(events) }
            group.addTask {
                try await Task.sleep(for: limit)
                throw Status(.deadlineExceeded, "the bus did not confirm within \(limit)", certainty: .unknown)
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

private struct TakeFromOutbox: Statement {
    static let sql = String(decoding: PackageResources.outbox_take_sql, as: UTF8.self)
    var limit: Int64
    var parameters: [Parameter] { [.int64(limit)] }
    static func decode(_ row: borrowing RowView) throws -> EventEnvelope {
        var headers: [String: String] = [:]
        headers["traceparent"] = try row.optionalString(4)
        return EventEnvelope(
            id: try row.string(0), topic: try row.string(1), key: try row.string(2), payload: try row.bytes(3),
            headers: headers, occurredAt: try row.timestamp(5))
    }
}
