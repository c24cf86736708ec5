import ArgumentParser
import EventLoop
import Foundation
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
            server, and counts calls as every service does. Prints one line when it is ready.

            Pin it to one core for figures that repeat: taskset -c 0 .build/release/meridian bench echo-server ...

            EXAMPLES
              meridian bench echo-server --port 7700 --loops 1
              meridian bench echo-server --port 7700 --tls certs      # certs/server.pem, certs/server.key
            """)

    @Option(name: .long, help: "Where it listens; 0 lets the kernel choose.")
    var port: UInt16 = 7700

    @Option(name: .long, help: "Event loops, each a thread, 1 to 64.")
    var loops = 1

    @Option(name: .long, help: "Speak TLS with the server.pem and server.key of this folder.")
    var tls: String?

    func validate() throws {
        guard (1...64).contains(loops) else { throw ValidationError("--loops goes from 1 to 64.") }
    }

    func run() async throws {
        let stop = StopSignal()
        let group = try EventLoopGroup(name: "echo", count: loops)
        var configuration = ServerConfiguration()
        configuration.meter = RPCMetrics(Metrics())
        let server = RPCServer(
            group: group, services: ServiceRegistry([EchoService()]), tls: try tls.map(Self.context),
            configuration: configuration)
        let address = try await server.bind(to: .tcp(host: "127.0.0.1", port: port))
        print("serving echo.Echo at 127.0.0.1:\(address.port ?? port)")
        fflush(nil)
        await stop.wait()
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
