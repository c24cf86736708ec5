import Accounts
import Contracts
import Domain
import EventBus
import Logging
import Postgres
import RPCCore
import Redis
import ServiceKit
import TestSupport

/// A ledger on a database of its own: as many services of it as a test wants, and a look behind them.
struct TestLedger: Sendable {
    let database: PostgresClient
    let service: AccountsService
    let metrics: Metrics
    let bus: InMemoryEventBus
    private let redis: RedisClient?
    private let configuration: AccountsConfiguration

    static func with(
        _ configuration: AccountsConfiguration = .testing, redis: RedisClient? = nil,
        _ body: (TestLedger) async throws -> Void
    ) async throws {
        try await ScratchDatabase.withClient { client in
            let environment = ServiceEnvironment(group: TestLoops.group, log: .silent)
            try await Migrator.migrate(client, to: AccountsService.migrations, environment: environment)
            try await body(TestLedger(database: client, redis: redis, configuration: configuration))
        }
    }

    /// A ledger on a server of its own, which the test may stop, and another process of it that does not wait for long
    /// when the server is away.
    static func withServer(
        _ body: (_ server: PrivatePostgres, _ patient: TestLedger, _ impatient: TestLedger) async throws -> Void
    ) async throws {
        let server = try await PrivatePostgres.start()
        let database = try await ScratchDatabase.create(on: server)
        let patient = PostgresClient(database.configuration, group: TestLoops.group)
        var limits = PostgresLimits()
        limits.connectionWait = .milliseconds(20)
        let impatient = PostgresClient(database.configuration, group: TestLoops.group, limits: limits)
        let environment = ServiceEnvironment(group: TestLoops.group, log: .silent)
        try await Migrator.migrate(patient, to: AccountsService.migrations, environment: environment)
        // An event is tried once: whoever waits for the database has to do so himself.
        let bus = InMemoryEventBus(policy: DeliveryPolicy(attempts: 1))
        try await body(
            server, TestLedger(database: patient, redis: nil, configuration: .testing, bus: bus),
            TestLedger(database: impatient, redis: nil, configuration: .testing, bus: bus))
        await patient.shutDown()
        await impatient.shutDown()
        try await server.stop(.crash)
    }

    init(
        database: PostgresClient, redis: RedisClient?, configuration: AccountsConfiguration,
        bus: InMemoryEventBus = InMemoryEventBus()
    ) {
        self.database = database
        self.redis = redis
        self.configuration = configuration
        metrics = Metrics()
        self.bus = bus
        let environment = ServiceEnvironment(group: TestLoops.group, log: .silent, metrics: metrics)
        service = AccountsService(
            configuration: configuration, environment: environment, postgres: database, redis: redis, publisher: bus,
            subscriber: bus)
    }

    /// Another process of the same ledger: same database and Redis, lanes and metrics of its own.
    func another(_ change: (inout AccountsConfiguration) -> Void = { _ in }) -> TestLedger {
        var configuration = configuration
        change(&configuration)
        return TestLedger(database: database, redis: redis, configuration: configuration)
    }

    // MARK: Calls

    private var calls: any AccountService { service.accountService }
    private var context: ServerContext { .test }

    @discardableResult
    func open(
        _ account: String, _ minor: Int64 = 0, _ currency: String = "KRW", customer: String = "C-1"
    ) async throws -> AccountBalance {
        try await calls.openAccount(
            AccountOpenAccountRequest(
                accountID: account, customerID: customer, currency: currency,
                openingBalance: WireMoney(currency: currency, minor: minor)),
            context: context)
    }

    func balance(_ account: String) async throws -> AccountBalance {
        try await calls.getBalance(AccountGetBalanceRequest(accountID: account), context: context)
    }

    func list(_ customer: String) async throws -> [AccountBalance] {
        try await calls.listBalances(AccountListBalancesRequest(customerID: customer), context: context).balances
    }

    @discardableResult
    func withdraw(
        _ key: String, _ account: String, _ minor: Int64, _ currency: String = "KRW", purpose: String = "test"
    ) async throws -> AccountMoneyOperation {
        try await calls.withdraw(request(key, account, minor, currency, purpose), context: context)
    }

    @discardableResult
    func deposit(
        _ key: String, _ account: String, _ minor: Int64, _ currency: String = "KRW", purpose: String = "test"
    ) async throws -> AccountMoneyOperation {
        try await calls.deposit(request(key, account, minor, currency, purpose), context: context)
    }

    @discardableResult
    func hold(
        _ hold: String, _ account: String, _ minor: Int64, order: String? = nil, _ currency: String = "KRW"
    ) async throws -> AccountHoldResponse {
        try await calls.placeHold(
            AccountPlaceHoldRequest(
                holdID: hold, accountID: account, amount: WireMoney(currency: currency, minor: minor),
                orderID: order ?? hold),
            context: context)
    }

    @discardableResult
    func capture(
        _ hold: String, _ key: String, _ minor: Int64, _ currency: String = "KRW"
    ) async throws -> AccountHoldResponse {
        try await calls.captureHold(
            AccountCaptureHoldRequest(
                holdID: hold, operationKey: key, amount: WireMoney(currency: currency, minor: minor)),
            context: context)
    }

    @discardableResult
    func release(_ hold: String, key: String? = nil) async throws -> AccountHoldResponse {
        try await calls.releaseHold(
            AccountReleaseHoldRequest(holdID: hold, operationKey: key ?? "\(hold)/release"), context: context)
    }

    func findHold(_ hold: String) async throws -> AccountHold {
        try await calls.getHold(AccountGetHoldRequest(holdID: hold), context: context)
    }

    @discardableResult
    func resolve(_ key: String) async throws -> AccountMoneyOperation {
        try await calls.resolveOperation(AccountResolveOperationRequest(operationKey: key), context: context)
    }

    func operation(_ key: String) async throws -> AccountMoneyOperation {
        try await calls.getOperation(AccountGetOperationRequest(operationKey: key), context: context)
    }

    func trialBalance() async throws -> [AccountTrialBalanceLine] {
        try await calls.getTrialBalance(AccountGetTrialBalanceRequest(), context: context).lines
    }

    private func request(
        _ key: String, _ account: String, _ minor: Int64, _ currency: String, _ purpose: String
    ) -> AccountMoneyOperationRequest {
        AccountMoneyOperationRequest(
            operationKey: key, accountID: account, amount: WireMoney(currency: currency, minor: minor),
            purpose: purpose)
    }

    // MARK: A look behind

    func count(_ sql: String) async throws -> Int64 {
        try await database.query(sql: sql) { try $0.int64(0) }[0]
    }

    /// The value of a counter, 0 when it was never touched.
    func counter(_ name: String) -> Int { metrics.counter("meridian_account_\(name)_total", help: "").value }
}

extension AccountsConfiguration {
    /// Both currencies in one ledger, and time enough for a machine that is busy with something else.
    static var testing: AccountsConfiguration {
        var configuration = AccountsConfiguration(ledger: "test", currencies: [.krw, .usd])
        configuration.operationTimeout = .seconds(30)
        configuration.lockTimeToLive = .seconds(60)
        return configuration
    }
}

extension ServerContext {
    static var test: ServerContext { ServerContext(testing: "/test") }
}

extension Logger {
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
