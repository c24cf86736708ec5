import ArgumentParser
import EventLoop
import Foundation
import Interop
import RPC
import RPCCore
import TLS

/// The program. The main thread only waits, as in `meridian`.
@main
enum Program {
    static func main() {
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            await InteropServer.main()
            done.signal()
        }
        done.wait()
    }
}

/// `interop-server`: what the interop clients of all gRPC implementations call.
struct InteropServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interop-server",
        abstract: "Serve grpc.testing.TestService, for any implementation's interop client.",
        discussion: """
            Does what gRPC's "Interoperability Test Case Descriptions" ask of a server,
            but for what needs Google's identities (who calls, with which OAuth scope)
            or xDS (ORCA load reports). Serves until a signal ends it; prints one line
            when it is ready.

            EXAMPLES
              interop-server --port 8080
              interop-server --port=8443 --use_tls=true \\
                --tls_cert_file=server1.pem --tls_key_file=server1.key
            """)

    @Option(name: .long, help: "Where it listens; 0 lets the kernel choose.")
    var port: UInt16 = 8080

    @Option(name: .long, help: "The address it listens at; 127.0.0.1 keeps other machines out.")
    var host = "0.0.0.0"

    @Option(name: .customLong("use_tls"), help: "Speak TLS: true or false.")
    var usesTLS = false

    @Option(name: .customLong("tls_cert_file"), help: "The certificate, with intermediates (PEM file).")
    var certificate: String?

    @Option(name: .customLong("tls_key_file"), help: "The key of --tls_cert_file (PEM file).")
    var key: String?

    func validate() throws {
        guard !usesTLS || (certificate != nil && key != nil) else {
            throw ValidationError("--use_tls true needs --tls_cert_file and --tls_key_file: no key is built in.")
        }
    }

    func run() async throws {
        let group = try EventLoopGroup(name: "interop", count: 2)
        let server = RPCServer(group: group, services: ServiceRegistry([InteropService()]), tls: try tls())
        let address = try await server.bind(to: .tcp(host: host, port: port))
        print("serving grpc.testing.TestService at \(Endpoint(address))")
        fflush(nil)
        await server.run()
    }

    private func tls() throws -> TLSContext? {
        guard usesTLS, let certificate, let key else { return nil }
        return try TLSContext(
            server: TLSServerConfiguration(
                identity: TLSIdentity(certificateChain: .file(certificate), privateKey: .file(key))))
    }
}
