import ArgumentParser
import EventLoop
import Foundation
import Logging
import RPC
import RPCCore
import ServiceKit
import TLS

/// `meridian bench echo-server`: the RPC runtime alone, to be loaded from outside and compared with others.
struct BenchEchoServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-server",
        abstract: "Serve echo.Echo until interrupted, for load generators.",
        discussion: """
            Serves /echo.Echo/Unary and /echo.Echo/Stream of Protos/echo/echo.proto at 127.0.0.1 with the defaults of every
            server, and counts calls as every service does. Prints one line when it is ready, and logs refused connections to
            standard error.

            Pin it to one core for figures that repeat: taskset -c 0 .build/release/meridian bench echo-server ...

            EXAMPLES
              meridian bench echo-server --port 7700 --loops 1
              meridian bench echo-server --port 7700 --tls certs      # certs/server.pem, certs/server.key
            """)

    @Option(name: .long, help: "Where it listens; 0 lets the kernel choose.")
    var port: UInt16 = 7700

    @Option(name: .long, help: "Event loops, each a thread, 1 to 64.")
    var loops = 1

    @Option(name: .customLong("metrics-port"), help: "Where Prometheus finds /metrics; 0 lets the kernel choose.")
    var metricsPort: UInt16?

    @Option(name: .long, help: "Speak TLS with the server.pem and server.key of this folder.")
    var tls: String?

    func validate() throws {
        guard (1...64).contains(loops) else { throw ValidationError("--loops goes from 1 to 64.") }
    }

    func run() async throws {
        let stop = StopSignal()
        let group = try EventLoopGroup(name: "echo", count: loops)
        let metrics = Metrics()
        let sink = LogSink()
        defer { sink.close() }
        var configuration = ServerConfiguration()
        configuration.meter = RPCMetrics(metrics)
        configuration.onRefusedConnection = RefusalReport(Logger(service: "echo", sink: sink), metrics).report
        let server = RPCServer(
            group: group, services: ServiceRegistry([EchoService()]), tls: try tls.map(Self.context),
            configuration: configuration)
        let address = try await server.bind(to: .tcp(host: "127.0.0.1", port: port))
        let place = "serving echo.Echo at 127.0.0.1:\(address.port ?? port)"
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            if let metricsPort {
                let endpoint = MetricsEndpoint(loop: group.nextInTurn, metrics: metrics)
                tasks.addTask {
                    try await endpoint.run(at: .ipv4(host: "127.0.0.1", port: metricsPort)) {
                        print("\(place), /metrics at 127.0.0.1:\($0.port ?? metricsPort)")
                        fflush(nil)
                    }
                }
            } else {
                print(place)
                fflush(nil)
            }
            tasks.addTask { await stop.wait() }
            try await tasks.next()
            tasks.cancelAll()
        }
        await server.shutDown(grace: .zero)
        group.shutDown()
    }

    private static func context(_ folder: String) throws -> TLSContext {
        try TLSContext(
            server: TLSServerConfiguration(
                identity: TLSIdentity(
                    certificateChain: .file("\(folder)/server.pem"), privateKey: .file("\(folder)/server.key"))))
    }
}
