package import Contracts
public import EventBus
public import Postgres
public import RPCCore
public import Redis
public import ServiceKit

/// The double-entry ledger of one currency group: accounts, holds, money operations, and the giving back of
/// withdrawals that an exchange could not use.
///
/// Any number of processes may serve one ledger's database.
public final class AccountsService: Sendable {
    /// What makes an empty database this ledger's.
    public static let migrations: [Migration] = [
        Migration(1, "create_ledger", String(decoding: PackageResources.m0001_create_ledger_sql, as: UTF8.self)),
        .inbox(2),
        .outbox(3),
        Migration(
            4, "create_dead_letter", String(decoding: PackageResources.m0004_create_dead_letter_sql, as: UTF8.self)),
    ]

    private let configuration: AccountsConfiguration
    private let handlers: AccountHandlers
    private let cancels: WithdrawalCancels
    private let relay: OutboxRelay
    private let subscriber: any EventSubscriber

    /// - Parameters:
    ///   - redis: where processes lock accounts from each other; without it they are slower under contention, and as
    ///     right.
    ///   - publisher: takes the topic "withdrawal-cancelled".
    ///   - subscriber: gives the topic "withdrawal-cancels".
    public init(
        configuration: AccountsConfiguration, environment: ServiceEnvironment, postgres: PostgresClient,
        redis: RedisClient?, publisher: any EventPublisher, subscriber: any EventSubscriber
    ) {
        let metrics = AccountsMetrics(environment.metrics)
        let accounts = AccountGuard(
            lanes: AccountLanes(waitersPerAccount: configuration.waitersPerAccount),
            locks: AccountLocks(redis: redis, configuration: configuration, metrics: metrics, log: environment.log),
            configuration: configuration, metrics: metrics, log: environment.log, random: environment.random)
        let ledger = Ledger(
            postgres: postgres, accounts: accounts, configuration: configuration, metrics: metrics,
            log: environment.log)
        let relay = OutboxRelay(postgres, to: publisher, environment: environment)
        self.configuration = configuration
        self.subscriber = subscriber
        self.relay = relay
        handlers = AccountHandlers(ledger: ledger, group: environment.group)
        cancels = WithdrawalCancels(ledger: ledger, group: environment.group) { relay.wake() }
    }

    /// `meridian.account.v1.AccountService`.
    public var rpcServices: [any RPCService] { [handlers] }

    /// Takes cancels from the bus and gives their results to it, until the task is cancelled.
    ///
    /// - Throws: `InvalidAccountsConfiguration` at once, later what the subscriber throws.
    public func run() async throws {
        try configuration.validate()
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { [relay] in await relay.run() }
            tasks.addTask { [configuration, subscriber, cancels] in
                try await subscriber.run(
                    group: "account-\(configuration.ledger)", consumer: configuration.instance,
                    topics: [WithdrawalCancel.topic]
                ) { try await cancels.consumeThroughAnyWeather($0) }
            }
            defer { tasks.cancelAll() }
            // Both run for ever: whoever ends first ends the other.
            try await tasks.next()
        }
    }

    /// Takes one event of the topic "withdrawal-cancels". When it throws, the event has had no effect.
    package func consume(_ envelope: EventEnvelope) async throws { try await cancels.consume(envelope) }

    /// The calls themselves, for tests without a server.
    package var accountService: any AccountService { handlers }
}
