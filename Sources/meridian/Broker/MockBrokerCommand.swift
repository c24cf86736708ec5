import ArgumentParser
import Contracts
import Domain
import Foundation
import Logging
import MockBroker
import RPCTool

/// `meridian mock-broker`: the broker alone, for other people's tests.
struct MockBrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mock-broker",
        abstract: "Run the mock overseas broker with nothing else beside it, until SIGTERM or SIGINT.",
        discussion: """
            Serves meridian.broker.v1.BrokerService for clients and, on a port of its own, BrokerControlService for tests;
            both with health and reflection. Once it serves it prints one line with both addresses. It needs no database, no
            certificates and no prepared folder; without --journal its truth is gone when it ends.

            On loopback it speaks in the clear unless --tls names a folder with server.pem and server.key.

            Clients name their namespace in the metadata entry x-mock-namespace; without it they mean `default`. What
            --preset, --seed, --behavior and --rules say holds for `default` and for each --namespace.

            FILES, all JSON as `meridian describe meridian.broker.v1.Rule` tells:
              --rules      a rule, a list of rules, or {"rules":[...]}
              --behavior   a meridian.broker.v1.Behavior
              --prices     {"AAPL":"223.02","MSFT":"28.80"}

            EXIT CODES
              0   told to stop    1   could not start, or the journal failed    64   the command or a file is not valid

            EXAMPLES
              meridian mock-broker
              meridian mock-broker --port 0 --control-port 0 --json
              meridian mock-broker --port 7460 --rules rules.json --seed 7 --price MSFT=28.80
              meridian mock-broker --journal truth.journal --namespace team-a --namespace team-b
            """)

    @Option(name: .long, help: "For clients; 0 lets the kernel choose.")
    var port: UInt16 = 7460

    @Option(
        name: .customLong("control-port"),
        help: "For tests; 0 lets the kernel choose; the port after --port if missing.")
    var controlPort: UInt16?

    @Option(name: .long, help: "The address to listen at.")
    var host: String = "127.0.0.1"

    @Option(name: .long, help: "Speak TLS with the server.pem and server.key of this folder.", completion: .directory)
    var tls: String?

    @Flag(name: .long, help: "Speak in the clear also where others than this machine can connect.")
    var plaintext = false

    @Option(name: .long, help: "Behaviour and rules to start with; `meridian broker preset` lists them.")
    var preset: String?

    @Option(name: .long, help: "The seed of every draw.")
    var seed: Int64?

    @Option(name: .long, help: "Rules to start with.", completion: .file())
    var rules: String?

    @Option(name: .long, help: "The behaviour to start with.", completion: .file())
    var behavior: String?

    @Option(
        name: .long, help: "The file that keeps the broker's truth; made when it is not there.", completion: .file())
    var journal: String?

    @Option(name: .long, help: "What trades here besides AAPL at 223.02.", completion: .file())
    var prices: String?

    @Option(name: .long, help: "What trades here: AAPL=223.02. May be repeated.")
    var price: [String] = []

    @Option(name: .long, help: "A further namespace. May be repeated.")
    var namespace: [String] = []

    @Option(name: .long, help: "Event loops, each a thread, 1 to 64.")
    var loops = 1

    @Option(
        name: .customLong("log-level"), help: "trace, debug, info, notice, warning, error, critical; to standard error."
    )
    var logLevel: String = "warning"

    @Flag(name: .long, help: "Print the line as JSON.")
    var json = false

    func validate() throws {
        guard (1...64).contains(loops) else { throw ValidationError("--loops goes from 1 to 64.") }
        guard tls == nil || !plaintext else { throw ValidationError("--tls and --plaintext contradict each other.") }
        guard tls != nil || plaintext || host == "127.0.0.1" || host == "::1" else {
            throw ValidationError(
                "\(host) is not loopback: say --tls FOLDER, or --plaintext if it shall be in the clear.")
        }
        guard controlPort != nil || port < .max else {
            throw ValidationError("--port leaves no room for --control-port.")
        }
        guard preset == nil || (rules == nil && behavior == nil) else {
            throw ValidationError("--preset brings behaviour and rules; --behavior and --rules go without it.")
        }
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError("--log-level \(logLevel) is unknown.")
        }
        for text in price { _ = try Self.price(text) }
    }

    func run() async throws {
        let stop = StopSignal()
        try await Terminal.run {
            var setup = MockBrokerProcess.Setup()
            setup.host = host
            setup.port = port
            setup.controlPort = controlPort ?? (port == 0 ? 0 : port + 1)
            setup.tlsFolder = tls
            setup.loops = loops
            setup.logLevel = Logger.Level(rawValue: logLevel) ?? .warning
            setup.journalPath = journal
            setup.namespaces = namespace
            setup.preset = preset
            setup.seed = seed
            setup.rules = try rules.map { try BrokerFiles.rules($0) } ?? []
            setup.behavior = try behavior.map { try BrokerFiles.behavior($0) } ?? BrokerBehavior()
            if let seed { setup.behavior.seed = seed }
            setup.prices = try listed()
            try await MockBrokerProcess(setup).run(until: stop) { addresses in
                say(json ? addresses.json : addresses.text)
            }
        }
    }

    private func listed() throws -> [InstrumentID: Price] {
        var all = try prices.map { try BrokerFiles.prices($0) } ?? [:]
        for text in price {
            let (symbol, value) = try Self.price(text)
            all[symbol] = value
        }
        return all
    }

    private static func price(_ text: String) throws -> (InstrumentID, Price) {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let symbol = InstrumentID(rawValue: String(parts[0])),
            let price = try? Price(String(parts[1])), price.isPositive
        else { throw ValidationError("--price \(text) is not SYMBOL=PRICE, for example AAPL=223.02.") }
        return (symbol, price)
    }
}
