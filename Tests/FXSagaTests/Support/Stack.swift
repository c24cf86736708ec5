import Contracts
import Domain
import EventBus
import Limits
import Logging
import Postgres
import Protobuf
import RPC
import RPCCore
import ServiceKit
import TestSupport

@testable import FXSaga

/// One exchange service on a database of its own, between two faulty participants.
final class Stack: Sendable {
    let postgres: PostgresClient
    let krw = FakeLedger(balances: ["kim-krw": 10_000_000, "external-krw": 0])
    let usd = FakeLedger(balances: ["kim-usd": 0])
    let bus = TestBus()
    let book: LogBook
    let environment: ServiceEnvironment
    let configuration: FXSagaConfiguration

    private static let turnstile = Turnstile(6)

    private init(_ postgres: PostgresClient, _ configuration: FXSagaConfiguration) {
        self.postgres = postgres
        self.configuration = configuration
        let book = LogBook()
        self.book = book
        environment = ServiceEnvironment(group: TestLoops.group, log: Logger(label: "fx") { _ in book })
    }

    /// Runs `body` with an empty database that has the schema; no service runs yet.
    ///
    /// - Parameter server: nil takes the one that all tests share.
    static func with(
        on server: PrivatePostgres? = nil, _ change: (inout FXSagaConfiguration) -> Void = { _ in },
        _ body: (Stack) async throws -> Void
    ) async throws {
        var configuration = FXSagaConfiguration()
        // Looks are due at once, so that no test waits for a clock.
        configuration.rules.recheck = RecheckPolicy(
            initial: .microseconds(1), maximum: .microseconds(1), maximumChecks: 20, jitterPercent: 0)
        configuration.recoveryInterval = .milliseconds(20)
        configuration.watchInterval = .milliseconds(20)
        configuration.relayInterval = .milliseconds(20)
        configuration.pollInterval = .milliseconds(20)
        change(&configuration)
        let final = configuration
        try await turnstile.within {
            try await ScratchDatabase.with(on: server) { database in
                let postgres = PostgresClient(database.configuration, group: TestLoops.group)
                let stack = Stack(postgres, final)
                do {
                    try await Migrator.migrate(postgres, to: FXSagaService.migrations, environment: stack.environment)
                    try await body(stack)
                    await postgres.shutDown()
                } catch {
                    await postgres.shutDown()
                    throw error
                }
            }
        }
    }

    /// Another instance of the service.
    ///
    /// - Parameter wrap: puts something between the service and its participants.
    func service(
        _ change: (inout FXSagaConfiguration) -> Void = { _ in },
        wrap: (any RPCChannel) -> any RPCChannel = { $0 }
    ) -> FXSagaService {
        var configuration = configuration
        change(&configuration)
        return FXSagaService(
            configuration: configuration, environment: environment, postgres: postgres, publisher: bus,
            subscriber: bus, krw: wrap(channel(krw)), fx: wrap(channel(usd)))
    }

    func client(_ service: FXSagaService) -> FxServiceClient {
        FxServiceClient(InProcessChannel(services: ServiceRegistry(service.rpcServices), group: TestLoops.group))
    }

    /// Runs `body` while the service and the consumers of the participants run.
    func running<Result: Sendable>(
        _ service: FXSagaService, _ body: @Sendable (FxServiceClient) async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            group.addTask { try await self.consumeCancels() }
            defer { group.cancelAll() }
            return try await body(client(service))
        }
    }

    /// Runs `body` while one new instance runs.
    func running<Result: Sendable>(
        _ body: @Sendable (FxServiceClient) async throws -> Result
    ) async throws -> Result { try await running(service(), body) }

    /// What the account service does with the messages that give withdrawals back.
    func consumeCancels() async throws {
        try await bus.run(group: "krw", consumer: "krw", topics: ["withdrawal-cancels"]) { event in
            let request = try EventWithdrawalCancelRequested(decoding: event.payload)
            let outcome = self.krw.cancel(request.operationKey)
            try await self.bus.publish([Self.cancelled(request.exchangeID, outcome, cause: event.id)])
        }
    }

    static func cancelled(_ exchange: String, _ outcome: String, cause: String) -> EventEnvelope {
        let payload = EventWithdrawalCancelled(
            exchangeID: exchange, operationKey: "\(exchange)/withdraw", outcome: outcome)
        return EventEnvelope(
            id: "\(cause)/done", topic: "withdrawal-cancelled", key: exchange, payload: payload.encoded(),
            occurredAt: 0)
    }

    private func channel(_ ledger: FakeLedger) -> any RPCChannel {
        InProcessChannel(services: ServiceRegistry([ledger]), group: TestLoops.group)
    }

    // MARK: What the tests look at

    /// "100.00 dollars for kim".
    static func request(_ id: String, cents: Int64 = 10_000, quote: String = "") -> FXCreateExchangeRequest {
        FXCreateExchangeRequest(
            exchangeID: id, customerID: "kim", sourceAccountID: "kim-krw", targetAccountID: "kim-usd",
            buy: WireMoney(currency: "USD", minor: cents), sellCurrency: "KRW", quoteID: quote, purpose: "test")
    }

    func count(_ sql: String) async throws -> Int64 { try await postgres.query(sql: sql) { try $0.int64(0) }[0] }

    /// The exchange, once it has ended or is parked.
    func ended(_ id: String, _ client: FxServiceClient) async throws -> FXExchange {
        let options = CallOptions(timeout: .seconds(30))
        return try await client.createExchange(Self.request(id), options: options)
    }
}

extension FXExchange {
    /// The states of its log.
    var path: [FXExchangeState] { log.map(\.state) }
}
