import Contracts
import Logging
import Postgres
import RPC
import RPCCore
import ServiceKit
import TestSupport
import Testing

@testable import BrokerGateway

/// A gateway with a real journal and a broker that a test holds in its hand.
struct Desk: Sendable {
    /// What a test changes in the default configuration.
    struct Setup {
        let change: (inout BrokerGatewayConfiguration) -> Void
        static var `default`: Setup { Setup(change: { _ in }) }
        static func set(_ change: @escaping (inout BrokerGatewayConfiguration) -> Void) -> Setup {
            Setup(change: change)
        }
    }

    let postgres: PostgresClient
    let broker: FakeBroker
    let client: BrokerGatewayServiceClient

    static func with(
        _ setup: Setup = .default, channel: (any RPCChannel)? = nil,
        migrated: Bool = true, _ body: @Sendable (Desk) async throws -> Void
    ) async throws {
        var configuration = BrokerGatewayConfiguration()
        configuration.brokerTimeout = .seconds(10)
        setup.change(&configuration)
        let environment = ServiceEnvironment(
            group: TestLoops.group, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await ScratchDatabase.withClient { postgres in
            if migrated {
                try await Migrator.migrate(postgres, to: BrokerGateway.migrations, environment: environment)
            }
            let broker = FakeBroker()
            let way = channel ?? InProcessChannel(services: ServiceRegistry([broker]))
            let gateway = BrokerGateway(
                configuration: configuration, environment: environment, postgres: postgres,
                adapters: [ContractAdapter(brokerID: "mock", channel: way, timeout: configuration.brokerTimeout)])
            try await body(
                Desk(
                    postgres: postgres, broker: broker,
                    client: BrokerGatewayServiceClient(
                        InProcessChannel(services: ServiceRegistry(gateway.rpcServices)))))
        }
    }

    func submit(
        _ id: String = "order-1", attempt: Int32 = 1, symbol: String = "AAPL", broker: String = "mock"
    ) async throws -> GatewaySubmitOrderResponse {
        try await client.submitOrder(
            GatewaySubmitOrderRequest(
                brokerID: broker, attempt: attempt,
                order: BrokerPlaceOrderRequest(clientOrderID: id, account: "a", symbol: symbol)))
    }

    func cancel(_ id: String = "cancel-1", of order: String = "order-1") async throws -> GatewayCancelResponse {
        try await client.cancelOrder(
            GatewayCancelRequest(
                brokerID: "mock", attempt: 1,
                cancel: BrokerCancelOrderRequest(clientOrderID: id, origClientOrderID: order, account: "a")))
    }

    /// "kind id attempt outcome reason" of each row.
    func journal() async throws -> [String] {
        try await postgres.query(
            sql: """
                SELECT concat_ws(' ', kind, client_order_id, attempt, coalesce(outcome, 'OPEN'), reason)
                FROM attempt ORDER BY sent_at
                """
        ) { row in try row.string(0) }
    }
}

/// The refusal with which `body` ends; a failure of the test when it succeeds.
func refusal(
    _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> some Any
) async -> (code: Status.Code, detail: WireErrorDetail?)? {
    do {
        let answer = try await body()
        Issue.record("not refused: \(answer)", sourceLocation: location)
        return nil
    } catch {
        let status = Status(describing: error)
        return (status.code, WireErrorDetail(status))
    }
}
