import Contracts
import Logging
import Postgres
import RPC
import RPCCore
import ServiceKit
import TestSupport

@testable import FillReceiver

/// A receiver on a real database, with one scripted broker and a bus that a test holds in its hand.
final class Stage: Sendable {
    static let brokerID = "mock"

    /// What a test changes in the default configuration.
    struct Setup {
        let change: (inout FillReceiverConfiguration) -> Void
        static var `default`: Setup { Setup(change: { _ in }) }
        static func set(_ change: @escaping (inout FillReceiverConfiguration) -> Void) -> Setup {
            Setup(change: change)
        }
    }

    let postgres: PostgresClient
    let broker = ScriptedBroker()
    let bus = WeatheredBus()
    let environment: ServiceEnvironment
    let receiver: FillReceiver
    let client: FillReceiverServiceClient
    private let configuration: FillReceiverConfiguration

    private init(_ postgres: PostgresClient, _ setup: Setup) {
        self.postgres = postgres
        var configuration = FillReceiverConfiguration()
        configuration.gapPatience = .milliseconds(50)
        // Nothing is fetched because of the time alone, unless a test wants it.
        configuration.pullInterval = .seconds(60)
        configuration.applyPatience = .seconds(60)
        setup.change(&configuration)
        self.configuration = configuration
        environment = Self.makeEnvironment()
        receiver = FillReceiver(
            configuration: configuration, environment: environment, postgres: postgres, publisher: bus,
            subscriber: bus, brokers: [(Self.brokerID, Self.channel(to: broker))])
        client = FillReceiverServiceClient(InProcessChannel(services: ServiceRegistry(receiver.rpcServices)))
    }

    static func makeEnvironment() -> ServiceEnvironment {
        ServiceEnvironment(group: TestLoops.group, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    static func channel(to broker: ScriptedBroker) -> InProcessChannel {
        InProcessChannel(services: ServiceRegistry([broker]), group: TestLoops.group)
    }

    static func with(
        _ setup: Setup = .default,
        _ body: @Sendable (Stage) async throws -> Void
    ) async throws {
        try await ScratchDatabase.withClient { postgres in
            let stage = Stage(postgres, setup)
            try await Migrator.migrate(postgres, to: FillReceiver.migrations, environment: stage.environment)
            try await body(stage)
        }
    }

    /// Another receiver of the same brokers on the same database, with a bus of its own.
    func makeTwin(bus: WeatheredBus, broker other: ScriptedBroker? = nil) -> FillReceiver {
        FillReceiver(
            configuration: configuration, environment: Self.makeEnvironment(), postgres: postgres, publisher: bus,
            subscriber: bus, brokers: [(Self.brokerID, Self.channel(to: other ?? broker))])
    }

    /// Runs the receivers for as long as `body` takes.
    func running(_ others: FillReceiver..., body: @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for receiver in [receiver] + others {
                group.addTask {
                    do { try await receiver.run() } catch is CancellationError {}
                }
            }
            defer { group.cancelAll() }
            try await body()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    func makeStore() -> ExecutionStore {
        ExecutionStore(
            brokerID: Self.brokerID, configuration: configuration, environment: environment, postgres: postgres)
    }

    // MARK: What is there

    struct Row: Equatable, Sendable {
        var exec: String
        var number: Int64
        var duplicates: Int64 = 0
        var conflicts: Int64 = 0
    }

    func stored() async throws -> [Row] {
        try await postgres.query(
            sql: "SELECT exec_id, receiver_sequence, duplicates, conflicts FROM execution ORDER BY receiver_sequence"
        ) { row in
            Row(
                exec: try row.string(0), number: try row.int64(1), duplicates: try row.int64(2),
                conflicts: try row.int64(3))
        }
    }

    func count(_ table: String) async throws -> Int64 {
        try await postgres.query(sql: "SELECT count(*) FROM \(table)") { row in try row.int64(0) }[0]
    }

    func cursor() async throws -> String? {
        try await postgres.query(sql: "SELECT cursor FROM feed") { row in try row.string(0) }.first
    }

    var gaps: Int {
        environment.metrics.counter("meridian_feed_gaps_total", help: "", labels: ["broker": Self.brokerID]).value
    }

    func deliveries(_ outcome: String) -> Int {
        environment.metrics.counter(
            "meridian_executions_total", help: "", labels: ["broker": Self.brokerID, "outcome": outcome]
        ).value
    }
}

/// Waits until `condition` holds, for at most 20 seconds.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    struct WaitedInVain: Error, CustomStringConvertible { let description: String }
    let limit = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < limit {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw WaitedInVain(description: "waited in vain until \(what)")
}
