import Contracts
import Domain
public import EventBus
import EventLoop
import Limits
public import Postgres
public import RPCCore
public import ServiceKit

/// The trading service: the overseas ledger and the life of orders.
///
/// Serve `rpcServices` and keep `run` running. Several processes may share one database; each piece of work is taken by
/// one of them.
public final class TradingService: Sendable {
    let ledger: Ledger
    let hub: UpdateHub
    private let handler: TradingHandler
    private let gateway: BrokerGatewayServiceClient
    private let money: MoneyClient
    private let driver: ReceptionDriver
    private let consumer: ExecutionConsumer

    /// The schema of the trading database.
    public static let migrations = [
        Migration(1, "create_ledger", String(decoding: PackageResources.m0001_create_ledger_sql, as: UTF8.self)),
        Migration(
            2, "hold_work_by_name", String(decoding: PackageResources.m0002_hold_work_by_name_sql, as: UTF8.self)),
    ]

    /// - Parameters:
    ///   - postgres: a client of the trading database, to which `migrations` were applied.
    ///   - gateway: the way to the broker gateway; `account` to the dollar ledger; `fx` to the exchange.
    public init(
        configuration: TradingConfiguration, environment: ServiceEnvironment, postgres: PostgresClient,
        subscriber: any EventSubscriber, publisher: any EventPublisher, gateway: any RPCChannel,
        account: any RPCChannel, fx: any RPCChannel
    ) {
        let wakeUps = WakeUps()
        let ledger = Ledger(
            configuration: configuration, environment: environment, postgres: postgres,
            capabilities: CapabilityStore(configuration.broker), wakeUps: wakeUps)
        let hub = UpdateHub(
            capacity: configuration.recentUpdates, maximumSubscribers: configuration.maximumSubscribers)
        let money = MoneyClient(
            account: AccountServiceClient(account), fx: FxServiceClient(fx),
            accountDeadline: configuration.accountDeadline, exchangeDeadline: configuration.exchangeDeadline)
        let driver = ReceptionDriver(ledger: ledger, money: money)
        self.ledger = ledger
        self.hub = hub
        self.money = money
        self.driver = driver
        self.gateway = BrokerGatewayServiceClient(gateway)
        handler = TradingHandler(
            ledger: ledger, reception: OrderReception(ledger: ledger, driver: driver),
            cancels: CancelDesk(ledger: ledger), updates: UpdateStream(ledger: ledger, hub: hub))
        consumer = ExecutionConsumer(
            ledger: ledger, subscriber: subscriber, publisher: publisher, consumer: configuration.instance)
    }

    /// What a server has to serve.
    public var rpcServices: [any RPCService] { [handler] }

    /// Does the background work until cancelled: dispatch, money, executions, updates. Returns promptly then; work that
    /// was under way is taken up again by whoever runs next.
    public func run() async throws {
        await ledger.endOwnLeases()
        let configuration = ledger.configuration
        let loops = ledger.environment.group
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                let worker = BrokerWorker(ledger: ledger, gateway: gateway)
                let lane = Lane(
                    lane: .broker, concurrency: configuration.brokerConcurrency, ledger: ledger,
                    wakeUp: ledger.wakeUps.broker, work: worker.perform)
                await loops.nextInTurn.run { await lane.run() }
            }
            group.addTask { [self] in
                let worker = AccountWorker(ledger: ledger, money: money, driver: driver)
                let lane = Lane(
                    lane: .account, concurrency: configuration.accountConcurrency, ledger: ledger,
                    wakeUp: ledger.wakeUps.account, work: worker.perform)
                await loops.nextInTurn.run { await lane.run() }
            }
            group.addTask { [self] in await loops.nextInTurn.run { [self] in await consumer.run() } }
            group.addTask { [self] in
                await loops.nextInTurn.run { [self] in await ParkedExecutions(ledger: ledger).run() }
            }
            group.addTask { [self] in await loops.nextInTurn.run { [self] in await hub.run(ledger) } }
            group.addTask { [self] in
                try await loops.nextInTurn.run { [self] in
                    try await ledger.capabilities.run(
                        gateway: gateway, environment: ledger.environment, deadline: configuration.lookUpDeadline)
                }
            }
            try await group.waitForAll()
        }
    }
}
