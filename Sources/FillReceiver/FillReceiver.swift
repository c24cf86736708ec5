public import Contracts
internal import Domain
public import EventBus
internal import Limits
internal import Logging
public import Postgres
internal import Protobuf
public import RPCCore
public import ServiceKit

/// Takes executions from every broker: stores first, removes duplicates, numbers them, publishes, and proves that it is
/// complete. It keeps taking them while trading or the bus is down.
public final class FillReceiver: FillReceiverService {
    public static let databaseName = "meridian_fills"
    public static let migrations: [Migration] = [
        Migration(
            1, "create_executions", String(decoding: PackageResources.m0001_create_executions_sql, as: UTF8.self)),
        .outbox(2),
        Migration(3, "seal_executions", String(decoding: PackageResources.m0003_seal_executions_sql, as: UTF8.self)),
    ]

    /// Trading's word about what it has applied.
    static let appliedTopic = "executions-applied"

    private let configuration: FillReceiverConfiguration
    private let environment: ServiceEnvironment
    private let postgres: PostgresClient
    private let subscriber: any EventSubscriber
    private let relay: OutboxRelay
    private let readers: [FeedReader]
    private let stores: [ExecutionStore]

    /// - Parameter brokers: the name of each broker and the way to it.
    public init(
        configuration: FillReceiverConfiguration, environment: ServiceEnvironment, postgres: PostgresClient,
        publisher: any EventPublisher, subscriber: any EventSubscriber, brokers: [(id: String, channel: any RPCChannel)]
    ) {
        self.configuration = configuration
        self.environment = environment
        self.postgres = postgres
        self.subscriber = subscriber
        let relay = OutboxRelay(postgres, to: publisher, environment: environment)
        self.relay = relay
        let stores = brokers.map {
            ExecutionStore(
                brokerID: $0.id, configuration: configuration, environment: environment, postgres: postgres)
        }
        self.stores = stores
        readers = zip(brokers, stores).map { broker, store in
            FeedReader(
                brokerID: broker.id, channel: broker.channel, store: store, configuration: configuration,
                environment: environment, onStored: { relay.wake() })
        }
    }

    public var rpcServices: [any RPCService] { [self] }

    /// Reads all feeds, publishes, and listens for what was applied, until the task is cancelled.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for reader in readers { group.addTask { await reader.run() } }
            for store in stores { group.addTask { await self.republish(store) } }
            group.addTask { await self.relay.run() }
            group.addTask { await self.listen() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    // MARK: The way back from trading

    /// A subscription that ends or fails is begun again: nothing that happens to the bus may stop the receiving.
    private func listen() async {
        let backoff = Backoff(initial: .milliseconds(50), maximum: .seconds(5))
        var failures = 0
        while !Task.isCancelled {
            let start = ContinuousClock.now
            var cause = "the subscription has ended"
            do {
                try await subscribe()
            } catch {
                cause = String(describing: error)
            }
            if Task.isCancelled { return }
            if start.duration(to: .now) >= .seconds(10) { failures = 0 }
            failures += 1
            if failures == 1 { environment.log.warning("subscription.lost", metadata: ["error": "\(cause)"]) }
            // Ends early by cancellation only.
            try? await Task.sleep(for: backoff.delay(afterAttempt: failures, random: environment.random()))
        }
    }

    private func subscribe() async throws {
        try await subscriber.run(
            group: "fill-receiver", consumer: "fill-receiver", topics: [Self.appliedTopic]
        ) { [postgres] event in
            let applied = try EventExecutionsApplied(decoding: event.payload)
            // A maximum: any order and any number of deliveries gives the same row.
            _ = try await postgres.execute(
                RecordApplied(brokerID: applied.brokerID, receiverSequence: applied.receiverSequence))
        }
    }

    /// Looks for unapplied executions each `applyPatience`; up to 32 times more rarely while nothing at all is applied,
    /// so that a trading service that is down for hours does not come back to a bus full of copies.
    private func republish(_ store: ExecutionStore) async {
        var applied: Int64 = -1
        var fruitless = 0
        while !Task.isCancelled {
            // Ends early by cancellation only.
            try? await Task.sleep(for: configuration.applyPatience * (1 << min(fruitless, 5)))
            do {
                let round = try await store.publishUnapplied()
                fruitless = round.count > 0 && round.applied == applied ? fruitless + 1 : 0
                applied = round.applied
                guard round.count > 0 else { continue }
                relay.wake()
                environment.log.warning(
                    "executions.republished",
                    metadata: ["broker_id": "\(store.brokerID)", "count": .stringConvertible(round.count)])
            } catch {
                if Task.isCancelled { return }
                environment.log.warning("executions.waiting", metadata: ["error": "\(String(describing: error))"])
            }
        }
    }

    // MARK: Calls

    public func listExecutions(
        _ request: FillsListExecutionsRequest, context: ServerContext
    ) async throws -> FillsListExecutionsResponse {
        guard (0...1000).contains(request.pageSize) else {
            throw Refusal(
                .invalidArgument, "PAGE_SIZE_OUT_OF_RANGE", "page_size is 0 to 1000",
                context: ["page_size": "\(request.pageSize)"])
        }
        let rows = try await postgres.query(
            ListStoredExecutions(
                after: request.afterReceiverSequence, limit: Int64(request.pageSize == 0 ? 200 : request.pageSize),
                clientOrderID: request.clientOrderID))
        return FillsListExecutionsResponse(
            executions: try rows.map { row in
                FillsStoredExecution(
                    brokerID: row.brokerID, receiverSequence: row.receiverSequence,
                    report: try BrokerExecutionReport(decoding: row.report),
                    receivedAt: Google_Protobuf_Timestamp(UnixTime(nanoseconds: row.receivedAt * 1000)),
                    duplicates: row.duplicates, conflicts: row.conflicts, published: row.published)
            })
    }

    public func getHighWater(
        _ request: FillsGetHighWaterRequest, context: ServerContext
    ) async throws -> FillsGetHighWaterResponse {
        let rows = try await postgres.query(ListFeeds())
        return FillsGetHighWaterResponse(
            brokers: rows.map { row in
                let sight = readers.first { $0.brokerID == row.brokerID }?.currentSight
                return FillsHighWater(
                    brokerID: row.brokerID, cursor: row.feed.cursor, storedSequence: row.feed.storedSequence,
                    brokerSequence: max(sight?.brokerSequence ?? 0, row.feed.storedSequence),
                    connected: sight?.connected ?? false, unpublished: row.unpublished)
            })
    }
}
