import Contracts
import Domain
import EventLoop
import Limits
import Logging
import Postgres
import RPCCore
import ServiceKit
import Synchronization
import TestSupport

@testable import Trading

/// The trading service on a real database, with fakes only for its peers.
final class World: Sendable {
    static let customer = "customer-1"
    static let account = "usd-1"
    static let funding = "krw-1"

    private static let gate = Gate(6)

    let time = TestTime()
    let bus = MemoryBus()
    let gateway = FakeGateway()
    let money = FakeAccount()
    let exchange: FakeExchange
    let crash = CrashPlan()
    let postgres: PostgresClient
    let service: Trading.TradingService
    let client: TradingServiceClient
    let environment: ServiceEnvironment
    private let configuration: TradingConfiguration
    private let lastReceived = Mutex<Int64>(0)

    private init(_ postgres: PostgresClient, _ configure: (inout TradingConfiguration) -> Void) throws {
        self.postgres = postgres
        exchange = FakeExchange(money)
        money.open(Self.account, customer: Self.customer, balance: 100_000)
        var configuration = TradingConfiguration(
            instruments: [
                Instrument(id: try InstrumentID("AAPL"), name: "Apple", currency: .usd),
                Instrument(id: try InstrumentID("MSFT"), name: "Microsoft", currency: .usd),
            ],
            lastPrices: [try InstrumentID("AAPL"): try Price("200.00"), try InstrumentID("MSFT"): try Price("400.00")])
        configuration.fees = .none
        configuration.pollInterval = .milliseconds(20)
        configuration.parkedRetryInterval = .milliseconds(20)
        configure(&configuration)
        let time = time
        environment = ServiceEnvironment(
            group: TestLoops.group, log: Logger(label: "trading-test") { _ in SwiftLogNoOpLogHandler() },
            now: { time.now })
        self.configuration = configuration
        service = Self.makeService(configuration, environment, postgres, bus, gateway, money, exchange, crash)
        client = Self.makeClient(service)
    }

    /// Another process on the same database, with the same peers.
    func makeTwin() -> Trading.TradingService {
        var configuration = configuration
        configuration.instance = "trading-2"
        return Self.makeService(configuration, environment, postgres, MemoryBus(), gateway, money, exchange, crash)
    }

    private static func makeService(
        _ configuration: TradingConfiguration, _ environment: ServiceEnvironment, _ postgres: PostgresClient,
        _ bus: MemoryBus, _ gateway: FakeGateway, _ money: FakeAccount, _ exchange: FakeExchange, _ crash: CrashPlan
    ) -> Trading.TradingService {
        Trading.TradingService(
            configuration: configuration, environment: environment, postgres: postgres, subscriber: bus,
            publisher: bus, gateway: CrashChannel(gateway, crash), account: CrashChannel(money, crash),
            fx: CrashChannel(exchange, crash))
    }

    private static func makeClient(_ service: Trading.TradingService) -> TradingServiceClient {
        TradingServiceClient(LocalChannel(service.rpcServices[0]))
    }

    /// Runs `body` in a world whose database is new. The service's background work runs unless `isRunning` is false.
    static func with(
        on server: PrivatePostgres? = nil, isRunning: Bool = true,
        configure: (inout TradingConfiguration) -> Void = { _ in }, _ body: @Sendable (World) async throws -> Void
    ) async throws {
        try await gate.pass {
            try await ScratchDatabase.with(on: server) { database in
                let postgres = PostgresClient(database.configuration, group: TestLoops.group)
                do {
                    let world = try World(postgres, configure)
                    try await Migrator.migrate(
                        postgres, to: Trading.TradingService.migrations, environment: world.environment)
                    if isRunning {
                        try await world.running { try await body(world) }
                    } else {
                        try await body(world)
                    }
                    await postgres.shutDown()
                } catch {
                    await postgres.shutDown()
                    throw error
                }
            }
        }
    }

    /// Runs the service's background work for as long as `body` takes.
    func running<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [service] in
                do { try await service.run() } catch is CancellationError {}
            }
            do {
                try await waitForCapabilities()
                let result = try await body()
                group.cancelAll()
                try await group.waitForAll()
                return result
            } catch {
                group.cancelAll()
                throw error
            }
        }
    }

    private func waitForCapabilities() async throws {
        while service.ledger.capabilities.current.idempotencyMode == .echoOnly { await Task.yield() }
    }

    /// Cents on the customer's account, and how many of them are held.
    var balance: Int64 { money.truth.accounts[Self.account]?.balance ?? .min }
    var held: Int64 { money.truth.accounts[Self.account]?.held ?? .min }

    // MARK: Requests

    static func buy(
        _ clientOrder: String, quantity: Int64 = 1, price: String? = "200.00", symbol: String = "AAPL",
        funding: String = ""
    ) throws -> TradingPlaceOrderRequest {
        TradingPlaceOrderRequest(
            customerID: customer, clientOrderID: clientOrder, symbol: symbol, side: .buy,
            ordType: price == nil ? .market : .limit, orderQty: WireDecimal(try Quantity(shares: quantity)),
            price: try price.map { WireDecimal(try Price($0)) }, timeInForce: .day, accountID: account,
            fundingAccountID: funding)
    }

    static func sell(_ clientOrder: String, quantity: Int64 = 1, price: String = "200.00") throws
        -> TradingPlaceOrderRequest
    {
        var request = try buy(clientOrder, quantity: quantity, price: price)
        request.side = .sell
        return request
    }

    /// Places an order and returns it as the customer saw it.
    @discardableResult
    func place(_ request: TradingPlaceOrderRequest) async throws -> TradingOrder {
        guard let order = try await client.placeOrder(request).order else { throw Missing() }
        return order
    }

    func order(_ id: String) async throws -> TradingOrder {
        try await client.getOrder(TradingGetOrderRequest(customerID: Self.customer, id: .orderID(id)))
    }

    func events(_ id: String) async throws -> [TradingOrderEvent] {
        try await client.listOrderEvents(TradingListOrderEventsRequest(orderID: id)).events
    }

    func kinds(_ id: String) async throws -> [String] { try await events(id).map(\.kind) }

    // MARK: Waiting

    /// The order as soon as it satisfies `condition`; looks again after each update.
    @discardableResult
    func order(
        _ id: String, until condition: @Sendable (TradingOrder) -> Bool
    ) async throws -> TradingOrder {
        try await eventually {
            let order = try await self.order(id)
            return condition(order) ? order : nil
        }
    }

    @discardableResult
    func order(_ id: String, is status: WireOrdStatus) async throws -> TradingOrder {
        try await order(id) { $0.ordStatus == status }
    }

    /// Waits until the story has an event of this kind, `count` times.
    func event(_ kind: String, of id: String, count: Int = 1) async throws {
        try await eventually {
            try await self.kinds(id).filter { $0 == kind }.count >= count ? () : nil
        }
    }

    /// Waits until nothing is left to do toward accounts, and nothing is due toward brokers.
    func settled() async throws {
        try await eventually {
            let rows = try await self.postgres.query(
                sql: "select count(*) from work_item where parked_reason is null and kind <> 'OVERDUE'"
            ) { row in try row.int64(0) }
            return rows == [0] ? () : nil
        }
    }

    /// Looks again whenever something has happened, until `look` finds what it looks for.
    func eventually<Found: Sendable>(_ look: @Sendable () async throws -> Found?) async throws -> Found {
        let limit = ContinuousClock.now + .seconds(20)
        let found: Found?? = try await service.hub.withSubscription { wakeUp in
            while ContinuousClock.now < limit {
                if let found = try await look() { return found }
                await wakeUp.wait(atMost: .milliseconds(50))
            }
            return nil
        }
        guard case .some(.some(let result)) = found else { throw Missing(state: try await snapshot()) }
        return result
    }

    // MARK: Executions

    /// A trade of an order, as the receiver publishes it.
    func trade(
        _ order: TradingOrder, quantity: Int64 = 1, price: String = "200.00", exec: String, cum: Int64? = nil,
        fee: Int64 = 0, sequence: Int64? = nil
    ) throws -> EventExecutionStored {
        var report = try report(order, .trade, exec: exec)
        report.lastQty = WireDecimal(try Quantity(shares: quantity))
        report.lastPx = WireDecimal(try Price(price))
        report.cumQty = WireDecimal(try Quantity(shares: cum ?? quantity))
        report.commission = WireMoney(currency: "USD", minor: fee)
        return stored(report, sequence)
    }

    func state(
        _ order: TradingOrder, _ type: WireExecType, exec: String, cum: Int64 = 0, reference: String = ""
    ) throws -> EventExecutionStored {
        var report = try report(order, type, exec: exec)
        report.cumQty = WireDecimal(try Quantity(shares: cum))
        report.execRefID = reference
        return stored(report, nil)
    }

    private func report(
        _ order: TradingOrder, _ type: WireExecType, exec: String
    ) throws -> BrokerExecutionReport {
        BrokerExecutionReport(
            execID: exec, execType: type, orderID: gateway.orders[order.orderID]?.orderID ?? "B-later",
            clientOrderID: order.orderID, account: order.accountID, symbol: order.symbol, side: order.side,
            tradeDate: "2024-03-11", transactTime: .init(time.now))
    }

    func stored(_ report: BrokerExecutionReport, _ sequence: Int64?) -> EventExecutionStored {
        let number = lastReceived.withLock { last in
            if let sequence { return sequence }
            last += 1
            return last
        }
        return EventExecutionStored(brokerID: "mock", receiverSequence: number, report: report)
    }

    func deliver(_ events: EventExecutionStored...) async throws {
        for event in events { try await bus.deliver(event) }
    }

    /// What was waited for did not come; the ledger as it is.
    struct Missing: Error, CustomStringConvertible {
        var state = ""
        var description: String { "waited in vain; the ledger is\n\(state)" }
    }

    private func snapshot() async throws -> String {
        let orders = try await postgres.query(
            sql: """
                select o::text || E'\\n    ' || (
                    select string_agg(kind || ' ' || detail, E'\\n    ' order by version)
                    from order_event e where e.order_id = o.order_id)
                from customer_order o where lifecycle not in ('CLOSED', 'DENIED')
                """
        ) { row in try row.string(0) }
        let work = try await postgres.query(sql: "select w::text from work_item w") { row in try row.string(0) }
        return (orders + work + ["now \(time.now.nanoseconds)"]).joined(separator: "\n")
    }
}

extension World {
    /// Rows of a table.
    func rowCount(_ table: String) async throws -> Int64 {
        try await postgres.query(sql: "select count(*) from \(table)") { row in try row.int64(0) }[0]
    }
}
