internal import Domain
public import EventBus
internal import EventLoop
internal import Limits
internal import Logging
public import Postgres
public import RPCCore
public import ServiceKit

/// The exchange service: quotes, and exchanges between two account services as orchestrated sagas.
///
/// Several instances may share a database. Apply `migrations` before `run`; calls are served while `run` runs.
public final class FXSagaService: Sendable {
    private let configuration: FXSagaConfiguration
    private let environment: ServiceEnvironment
    private let subscriber: any EventSubscriber
    private let handlers: FXHandlers
    private let driver: ExchangeDriver
    private let drives: DriveQueue
    private let stopped: StoppedDrives
    private let relay: OutboxRelay
    private let listener: CancelledListener
    private let store: ExchangeStore
    private let metrics: FXSagaMetrics

    /// The schema, in order.
    public static let migrations: [Migration] = [
        Migration(
            1, "create_exchanges", String(decoding: PackageResources.m0001_create_exchanges_sql, as: UTF8.self)),
        .outbox(2),
        .inbox(3),
    ]

    /// - Parameters:
    ///   - krw: to the account service that keeps won.
    ///   - fx: to the account service that keeps foreign currencies.
    ///   - configuration: traps when it is not valid; see `FXSagaConfiguration.validate`.
    public init(
        configuration: FXSagaConfiguration = FXSagaConfiguration(), environment: ServiceEnvironment,
        postgres: PostgresClient, publisher: any EventPublisher, subscriber: any EventSubscriber,
        krw: any RPCChannel, fx: any RPCChannel, rates: any RateProvider = DailyRates()
    ) {
        do {
            try configuration.validate()
        } catch {
            preconditionFailure("\(error)")
        }
        self.configuration = configuration
        self.environment = environment
        self.subscriber = subscriber
        let metrics = FXSagaMetrics(environment.metrics)
        let store = ExchangeStore(
            postgres: postgres, owner: configuration.instance ?? "fx-\(String(environment.random(), radix: 16))",
            lease: configuration.lease, timeout: configuration.storeTimeout)
        let waiters = ExchangeWaiters()
        let drives = DriveQueue(capacity: configuration.waitingDrives, concurrency: configuration.concurrentDrives)
        let stopped = StoppedDrives(capacity: configuration.waitingDrives)
        let relay = OutboxRelay(
            postgres, to: publisher, environment: environment, interval: configuration.relayInterval)
        driver = ExchangeDriver(
            store: store, participants: Participants(krw: krw, fx: fx, timeout: configuration.callTimeout),
            rules: configuration.rules, environment: environment, metrics: metrics, waiters: waiters,
            stopped: stopped, messageWaits: { relay.wake() })
        handlers = FXHandlers(
            configuration: configuration, environment: environment, store: store,
            acceptance: Acceptance(store: store, rates: rates, configuration: configuration), drives: drives,
            waiters: waiters, metrics: metrics)
        listener = CancelledListener(
            store: store, rules: configuration.rules, environment: environment, metrics: metrics, waiters: waiters)
        self.relay = relay
        self.metrics = metrics
        self.store = store
        self.drives = drives
        self.stopped = stopped
    }

    public var rpcServices: [any RPCService] { [handlers] }

    /// Drives, recovers, publishes, listens and watches until the task is cancelled.
    public func run() async throws {
        // What we drove before a restart need not wait for its leases to run out. Should another process bear our name,
        // the epochs keep the two apart.
        if configuration.instance != nil { await attempt("restart") { try await self.store.expireOwnLeases() } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.drives.run(self.driver, on: self.environment.group) }
            group.addTask { await self.repeating("recovery", every: self.configuration.recoveryInterval, self.recover) }
            group.addTask { await self.repeating("watch", every: self.configuration.watchInterval, self.watch) }
            group.addTask { await self.relay.run() }
            group.addTask { try await self.listen() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Takes over what stopped and has it driven. Returns how many exchanges that were.
    @discardableResult
    func recover() async throws -> Int {
        try await stopped.giveBack(store.giveBack)
        let room = min(configuration.recoveryBatch, drives.roomForRecovery)
        guard room > 0 else { return 0 }
        let claims = try await store.claimStopped(limit: room)
        for claim in claims { drives.start(ExchangeDriver.Drive(claim: claim)) }
        if !claims.isEmpty {
            metrics.recovered.increment(by: claims.count)
            environment.log.info("exchanges.recovered", metadata: ["count": "\(claims.count)"])
        }
        return claims.count
    }

    /// Raises what has not ended in time, counts what is open, and removes what nobody needs any more.
    func watch() async throws {
        let (postgres, age) = (store.postgres, configuration.alertAge)
        let (overdue, counts) = try await Deadline.within(store.timeout) {
            (
                try await postgres.query(RaiseOverdueAlerts(age: age, limit: 100)),
                try await postgres.queryOne(CountOpen(age: age))
            )
        }
        for exchange in overdue {
            environment.log.error(
                "exchange.overdue", metadata: ["exchange_id": "\(exchange.id)", "detail": "\(exchange.detail)"])
        }
        if let counts {
            metrics.open.set(Int(counts.open))
            metrics.overdue.set(Int(counts.overdue))
            metrics.parked.set(Int(counts.parked))
        }
        _ = try await Deadline.within(store.timeout) {
            try await postgres.execute(DeleteExpiredQuotes(age: configuration.quoteRetention, limit: 1_000))
        }
    }

    private func listen() async throws {
        try await subscriber.run(
            group: CancelledListener.consumer, consumer: store.owner, topics: [Topic.withdrawalCancelled.rawValue],
            handler: listener.consume)
    }

    /// Runs `work` at once and then again and again; an error is logged and the next turn tries again.
    private func repeating(_ name: String, every interval: Duration, _ work: () async throws -> some Any) async {
        let never = WakeUp()
        while !Task.isCancelled {
            await attempt(name, work)
            await never.wait(atMost: interval)
        }
    }

    private func attempt(_ name: String, _ work: () async throws -> some Any) async {
        do {
            _ = try await work()
        } catch {
            guard !Task.isCancelled else { return }
            environment.log.warning("work.failed", metadata: ["work": "\(name)", "error": "\(error)"])
        }
    }
}
