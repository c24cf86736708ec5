public import Contracts
internal import Domain
public import EventLoop
internal import FoundationEssentials
internal import Logging
internal import MockBroker
internal import Protobuf
internal import RPC
internal import RPCCore
internal import ServiceKit
internal import Synchronization

/// A mock broker for a test, in this process: real sockets on the loopback address, real faults, a journal of its own.
///
/// ```swift
/// try await TestBroker.run(rules: [.loseReplies(attempts: 1...1)]) { broker in
///     let adapter = MyAdapter(address: broker.address)
///     try await adapter.place(order)
///     try await broker.expectOrders(1)
/// }
/// ```
public final class TestBroker: Sendable {
    /// Where clients of the broker connect, in plaintext.
    public let address: SocketAddress
    /// Where the control service is served, for tools.
    public let controlAddress: SocketAddress
    /// A client of the broker, as a reference to compare with.
    public let client: BrokerServiceClient
    /// Everything that a test may tell and ask.
    public let control: BrokerControlServiceClient

    private init(
        address: SocketAddress, controlAddress: SocketAddress, client: BrokerServiceClient,
        control: BrokerControlServiceClient
    ) {
        self.address = address
        self.controlAddress = controlAddress
        self.client = client
        self.control = control
    }

    /// Runs `body` with a broker, and ends it.
    ///
    /// - Parameters:
    ///   - preset: where behaviour and rules begin; see `meridian broker preset --help`.
    ///   - seed: of every draw. The same seed decides the same, whatever the timing.
    ///   - behavior: instead of the preset's.
    ///   - rules: besides the preset's; one of the same id takes its place.
    ///   - prices: what trades, in US dollars with up to four decimals; nil means Apple at 223.02.
    /// - Throws: what `body` throws, or an error that says why the broker cannot start.
    public static func run<Output: Sendable>(
        preset: String = "calm", seed: Int64 = 0, behavior: BrokerBehavior? = nil, rules: [BrokerRule] = [],
        prices: [String: WireDecimal]? = nil, _ body: (TestBroker) async throws -> Output
    ) async throws -> Output {
        let folder = FileManager.default.temporaryDirectory.appending(path: "test-broker-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let group = try EventLoopGroup(name: "test-broker", count: 1)
        defer { group.shutDown() }
        let log = Logger(label: "test-broker") { _ in SwiftLogNoOpLogHandler() }
        let broker = try MockBroker(
            MockBrokerConfiguration(journalPath: folder.appending(path: "journal").path),
            ServiceEnvironment(group: group, log: log))
        let server = RPCServer(group: group, services: ServiceRegistry(broker.rpcServices))
        let controlServer = RPCServer(group: group, services: ServiceRegistry(broker.controlServices))
        broker.attach(server)
        let address = try await server.bind(to: .tcp(host: "127.0.0.1", port: 0))
        let controlAddress = try await controlServer.bind(to: .tcp(host: "127.0.0.1", port: 0))
        let channel = RPCClientChannel(target: Endpoint(address), group: group)
        let controlChannel = RPCClientChannel(target: Endpoint(controlAddress), group: group)
        let test = TestBroker(
            address: address, controlAddress: controlAddress, client: BrokerServiceClient(channel),
            control: BrokerControlServiceClient(controlChannel))
        let outcome = try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await broker.run() }
            let result: Result<Output, any Error>
            do {
                try await test.begin(preset, seed, behavior, rules, prices)
                result = .success(try await body(test))
            } catch {
                result = .failure(error)
            }
            tasks.cancelAll()
            try await tasks.waitForAll()
            return result
        }
        await channel.shutDown()
        await controlChannel.shutDown()
        await server.shutDown(grace: .zero)
        await controlServer.shutDown(grace: .zero)
        return try outcome.get()
    }

    private func begin(
        _ preset: String, _ seed: Int64, _ behavior: BrokerBehavior?, _ rules: [BrokerRule],
        _ prices: [String: WireDecimal]?
    ) async throws {
        let loaded = try await control.loadPreset(BrokerLoadPresetRequest(preset: preset, seed: seed))
        if var behavior {
            behavior.seed = seed
            _ = try await control.setBehavior(BrokerSetBehaviorRequest(behavior: behavior))
        }
        if !rules.isEmpty {
            let own = Set(rules.map(\.ruleID))
            let others = loaded.rules.compactMap(\.rule).filter { !own.contains($0.ruleID) }
            try await set(others + rules)
        }
        for (symbol, price) in prices ?? [:] {
            _ = try await control.setPrice(BrokerSetPriceRequest(symbol: symbol, price: price))
        }
    }

    // MARK: While it runs

    /// Replaces all rules.
    public func set(_ rules: [BrokerRule]) async throws {
        _ = try await control.setRules(BrokerSetRulesRequest(rules: rules))
    }

    /// What the broker really has.
    public func truth() async throws -> BrokerTruth { try await control.getTruth(BrokerGetTruthRequest()) }

    /// Every decision so far, in its one order: equal for equal seeds and requests.
    public func decisions() async throws -> [BrokerDecision] {
        try await control.exportDecisions(BrokerExportDecisionsRequest()) { stream in
            var decisions: [BrokerDecision] = []
            for try await decision in stream { decisions.append(decision) }
            return decisions
        }
    }

    /// Stops the clock, so that delays pass only when `advance` says so.
    public func freezeClock() async throws { _ = try await control.setClock(BrokerSetClockRequest(mode: .frozen)) }

    /// Moves the clock.
    public func advance(by duration: Duration) async throws {
        _ = try await control.setClock(BrokerSetClockRequest(change: .advance(Google_Protobuf_Duration(duration))))
    }
}
