import Contracts
import Domain
import EventLoop
import Logging
import MockBroker
import Protobuf
import RPC
import RPCCore
import ServiceKit

/// A broker behind real sockets, and clients of both its ports.
struct BrokerFixture {
    let broker: BrokerServiceClient
    let control: BrokerControlServiceClient
    let clock: ManualClock

    /// What a test changes in the default configuration.
    struct Setup {
        let change: (inout MockBrokerConfiguration) -> Void
        static func with(_ change: @escaping (inout MockBrokerConfiguration) -> Void) -> Setup { Setup(change: change) }
    }

    /// Runs `body` with a broker whose journal is in `scratch`, and stops it gracefully afterwards.
    static func run(
        _ scratch: Scratch, _ setup: Setup = .with { _ in },
        _ body: (BrokerFixture) async throws -> Void
    ) async throws {
        let clock = ManualClock()
        var configuration = MockBrokerConfiguration(journalPath: scratch.path("journal"))
        configuration.clock = clock
        setup.change(&configuration)
        let group = try EventLoopGroup(name: "broker-test", count: 2)
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let environment = ServiceEnvironment(group: group, log: log, now: { clock.now })
        let mock = try MockBroker(configuration, environment)
        let server = RPCServer(group: group, services: ServiceRegistry(mock.rpcServices))
        let controlServer = RPCServer(group: group, services: ServiceRegistry(mock.controlServices))
        mock.attach(server)
        let address = try await server.bind(to: .unix(path: scratch.path("broker")))
        let controlAddress = try await controlServer.bind(to: .unix(path: scratch.path("control")))
        let channel = RPCClientChannel(target: Endpoint(address), group: group)
        let controlChannel = RPCClientChannel(target: Endpoint(controlAddress), group: group)
        let run = Task { try await mock.run() }
        let result: Result<Void, any Error>
        do {
            result = .success(
                try await body(
                    BrokerFixture(
                        broker: BrokerServiceClient(channel), control: BrokerControlServiceClient(controlChannel),
                        clock: clock)))
        } catch {
            result = .failure(error)
        }
        run.cancel()
        try await run.value
        await channel.shutDown()
        await controlChannel.shutDown()
        await server.shutDown(grace: .zero)
        await controlServer.shutDown(grace: .zero)
        group.shutDown()
        try result.get()
    }

    static func request(
        _ id: String, account: String = "alice", symbol: String = "AAPL", side: WireSide = .buy, shares: Int64 = 1,
        price: String? = nil, timeInForce: WireTimeInForce = .day
    ) throws -> BrokerPlaceOrderRequest {
        BrokerPlaceOrderRequest(
            clientOrderID: id, account: account, symbol: symbol, side: side, ordType: price == nil ? .market : .limit,
            orderQty: WireDecimal(unscaled: shares, scale: 0), price: try price.map { WireDecimal(try Price($0)) },
            timeInForce: timeInForce)
    }

    func place(_ id: String, shares: Int64 = 1, price: String? = nil) async throws -> BrokerPlaceOrderResponse {
        try await broker.placeOrder(Self.request(id, shares: shares, price: price))
    }

    func truth() async throws -> BrokerTruth { try await control.getTruth(BrokerGetTruthRequest()) }

    func setBehavior(_ behavior: BrokerBehavior) async throws {
        _ = try await control.setBehavior(BrokerSetBehaviorRequest(behavior: behavior))
    }

    func setRules(_ rules: [BrokerRule]) async throws {
        _ = try await control.setRules(BrokerSetRulesRequest(rules: rules))
    }

    /// The first `count` reports of a stream from `cursor` on, heartbeats left out, as a list would show them.
    func stream(_ count: Int, from cursor: String = "") async throws -> [BrokerSequencedReport] {
        try await broker.streamExecutions(BrokerStreamExecutionsRequest(cursor: cursor)) { events in
            var reports: [BrokerSequencedReport] = []
            for try await event in events {
                if case .report(var report) = event.event {
                    report.replayed = false
                    reports.append(report)
                }
                if reports.count == count { break }
            }
            return reports
        }
    }
}

/// The error that `body` ends with, or nil.
func status(of body: () async throws -> some Any) async -> Status? {
    do {
        _ = try await body()
        return nil
    } catch {
        return Status(describing: error)
    }
}

extension BrokerFixture {
    /// Stops the namespace's clock at a time that is not earlier than it is.
    func setClock(_ time: String, namespace: String = "") async throws {
        guard let time = UnixTime(time) else { preconditionFailure("\(time) is no time") }
        _ = try await control.setClock(
            BrokerSetClockRequest(namespace: namespace, change: .set(Google_Protobuf_Timestamp(time)), mode: .frozen))
    }
}
