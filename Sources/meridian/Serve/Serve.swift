import ArgumentParser
import Configuration
import SystemPackage

/// `meridian serve`: one service as a process of its own.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run one service until it is told to stop (SIGTERM or SIGINT).",
        discussion: """
            Settings come from the environment, and from a file of NAME=value lines; the environment wins.

              MERIDIAN_LISTEN            where it serves: host:port or unix:PATH, with commas between several (required)
              MERIDIAN_CONTROL_LISTEN    mock-broker: where its control service is served
              MERIDIAN_METRICS_LISTEN    where Prometheus finds /metrics: 127.0.0.1:9100; none by default
              MERIDIAN_CERTS             the folder that Certs/generate filled (required); files that change
                                         there are read again, and used for new connections
              MERIDIAN_REVOCATION_LIST   PEM file with the revocation list (CRL) of every authority in use, read again
                                         like those; peers that it names are refused, and all when it is out of date
              MERIDIAN_POSTGRES          how to reach its database, as libpq writes it: "host=/run/pg dbname=x"
              MERIDIAN_POSTGRES_CONNECTIONS  to its database at most, for each loop (8)
              MERIDIAN_REDIS             unix:PATH or host:port
              MERIDIAN_DATA              mock-broker: the folder of its journal (required)
              MERIDIAN_PEER_NAME         where another service is, as MERIDIAN_PEER_TRADING=unix:/run/trading.sock; also
                                         host:port, dns:///host:port, or addresses that are tried in turn:
                                         ipv4:10.0.0.1:7443,10.0.0.2:7443 and ipv6:[::1]:7443
              MERIDIAN_INSTANCE          trading, fx: the process's name, NAME-1 by default; the same after a restart, and
                                         different where several processes share a database
              MERIDIAN_REFLECTION        true lets whoever may call the service ask for its contracts; false by default
              MERIDIAN_LOG_LEVEL         trace, debug, info (default), notice, warning, error, critical
              MERIDIAN_LOOPS             event loops, 1 by default

            Of trading alone:

              MERIDIAN_SUBMIT_DEADLINE_MS      how long one attempt may take (3000)
              MERIDIAN_FIRST_RESEND_MS         before an unknown order is sent again (1000, then 3 and 10 times that)
              MERIDIAN_ASKS_BEFORE_RESENDING   false sends again without a look-up where that is safe
              MERIDIAN_LEASE_MS                before another process takes up what one had that died (20000)
              MERIDIAN_BROKER_CONCURRENCY      requests to brokers at a time (16; broker-gateway: to each broker, 64)

            EXAMPLES
              meridian serve account-krw --env account-krw.env
              MERIDIAN_LISTEN=127.0.0.1:7443 MERIDIAN_CERTS=certs meridian serve channel
            """)

    @Argument(help: "Which one: \(ServiceName.allCases.map(\.rawValue).joined(separator: ", ")).")
    var service: ServiceName

    @Option(name: .customLong("env"), help: "A file of NAME=value lines.")
    var environmentFile: String?

    func run() async throws {
        var providers: [any ConfigProvider] = [EnvironmentVariablesProvider()]
        if let environmentFile {
            providers.append(try await EnvironmentVariablesProvider(environmentFilePath: FilePath(environmentFile)))
        }
        let settings = ServiceSettings(reader: ConfigReader(providers: providers).scoped(to: "meridian"))
        try await ServiceProcess(service: service, settings: settings).run()
    }
}
