import Contracts
import Cryptography
import Domain
import Logging
import Postgres
import RPC
import RPCCore
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Channel

/// The door, with a real database behind its switches and fakes behind its calls.
struct Door: Sendable {
    static let key = Ed25519PrivateKey()
    static let now = UnixTime(seconds: 1_800_000_000)

    /// What a test changes in the default configuration.
    struct Setup {
        let change: (inout ChannelConfiguration) -> Void
        static var `default`: Setup { Setup(change: { _ in }) }
        static func set(_ change: @escaping (inout ChannelConfiguration) -> Void) -> Setup { Setup(change: change) }
    }

    let postgres: PostgresClient
    let trading: FakeTrading
    let dollars: FakeOwners
    let won: FakeOwners
    let channel: Channel
    let client: ChannelServiceClient
    let log: LogLines

    /// - Parameters:
    ///   - way: to trading, instead of the fake.
    ///   - ledger: what every question to the ledgers ends with.
    static func with(
        _ setup: Setup = .default, way: (any RPCChannel)? = nil,
        ledger: Status? = nil, _ body: @Sendable (Door) async throws -> Void
    ) async throws {
        var configuration = ChannelConfiguration()
        configuration.entryRefresh = .milliseconds(10)
        setup.change(&configuration)
        let log = LogLines()
        let environment = ServiceEnvironment(
            group: TestLoops.group, log: Logger(label: "test") { _ in log }, now: { now })
        try await ScratchDatabase.withClient { postgres in
            try await Migrator.migrate(postgres, to: Channel.migrations, environment: environment)
            let trading = FakeTrading()
            let dollars = FakeOwners(["usd-1": "alice", "usd-2": "mallory"], failure: ledger)
            let won = FakeOwners(["krw-1": "alice", "krw-2": "mallory"], failure: ledger)
            let channel = Channel(
                configuration: configuration, environment: environment, postgres: postgres, tokenKey: key.publicKey,
                trading: way ?? InProcessChannel(services: ServiceRegistry([trading])), wonLedger: won,
                dollarLedger: dollars)
            let entrance = InProcessChannel(
                services: ServiceRegistry(channel.rpcServices), interceptors: [ServerObservation(environment)])
            try await body(
                Door(
                    postgres: postgres, trading: trading, dollars: dollars, won: won, channel: channel,
                    client: ChannelServiceClient(entrance), log: log))
        }
    }

    static func options(
        _ customer: String = "alice", expires: UnixTime = now + .seconds(60), key: Ed25519PrivateKey = key
    ) throws -> CallOptions {
        try options(
            header: "Bearer "
                + CustomerToken(customer: try CustomerID(customer), expires: expires).signed(with: key))
    }

    static func options(header: String?) throws -> CallOptions {
        var options = CallOptions.defaults
        if let header { try options.metadata.append(header, for: "authorization") }
        return options
    }

    func place(
        _ account: String = "usd-1", funding: String = "", options: CallOptions? = nil
    ) async throws -> ChannelPlaceOrderResponse {
        try await client.placeOrder(
            ChannelPlaceOrderRequest(
                clientOrderID: "c-1", symbol: "AAPL", accountID: account, fundingAccountID: funding),
            options: options ?? Self.options())
    }
}

/// Keeps log lines with the trace in which they were written.
final class LogLines: LogHandler, @unchecked Sendable {
    // @unchecked: the only mutable state that is used is behind the lock; metadata and level are set by nobody.

    struct Line: Sendable {
        let event: String
        let facts: [String: String]
        let traceID: String?
    }

    private let written = Mutex<[Line]>([])
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    var lines: [Line] { written.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = (event.metadata ?? [:]).mapValues { "\($0)" }
        written.withLock {
            $0.append(Line(event: "\(event.message)", facts: facts, traceID: TraceContext.current?.traceID))
        }
    }
}

/// How a call was refused.
struct Refused: Equatable {
    var code: Status.Code
    var reason: String
    var certainty = WireCertainty.definitelyNotDone
    var retry = WireRetryAdvice.never
}

/// The refusal with which `body` ends; a failure of the test when it succeeds.
func refusal(
    _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> some Any
) async -> Refused? {
    do {
        let answer = try await body()
        Issue.record("not refused: \(answer)", sourceLocation: location)
        return nil
    } catch {
        let status = Status(describing: error)
        guard let detail = WireErrorDetail(status) else {
            Issue.record("no reason: \(error)", sourceLocation: location)
            return nil
        }
        return Refused(code: status.code, reason: detail.reason, certainty: detail.certainty, retry: detail.retry)
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
