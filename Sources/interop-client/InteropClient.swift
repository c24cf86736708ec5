import ArgumentParser
import EventLoop
import Foundation
import Interop
import RPC
import TLS

/// The program. The main thread only waits, as in `meridian`.
@main
enum Program {
    static func main() {
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            await InteropClient.main()
            done.signal()
        }
        done.wait()
    }
}

/// `interop-client`: one interop test against the interop server of any gRPC implementation.
struct InteropClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interop-client",
        abstract: "Run one of gRPC's interop tests against any implementation's server.",
        discussion: """
            TEST CASES
            \(InteropCase.all.map { "  \($0.name)\n      \($0.summary)" }.joined(separator: "\n"))

            Each has \(InteropCase.limit.components.seconds) s; a soak has --soak_overall_timeout_seconds.

            NOT THERE
              compute_engine_creds, jwt_token_creds, oauth2_auth_token, per_rpc_creds,
              google_default_credentials, compute_engine_channel_credentials
                  need accounts and a server at Google
              cacheable_unary
                  needs calls by GET, which gRPC has given up, and a caching proxy
              orca_per_rpc, orca_oob
                  need load reports of xDS, which the runtime leaves out

            EXIT CODES
              0   all was as the description says
              1   it was not: standard error says what was expected and what came
              2   no such test case
              64  the command is not valid

            EXAMPLES
              interop-client --server_port=8080 --test_case=large_unary
              interop-client --server_host 10.0.0.7 --server_port 8443 \\
                --test_case ping_pong --use_tls true --ca_file ca.pem \\
                --server_host_override foo.test.google.fr
              interop-client --server_port=8080 --test_case=rpc_soak \\
                --soak_iterations=1000 --soak_max_failures=10 \\
                --soak_per_iteration_max_acceptable_latency_ms=200
            """)

    @Option(name: .customLong("server_host"), help: "The server's name or address.")
    var host = "localhost"

    @Option(name: .customLong("server_port"), help: "The server's port.")
    var port: UInt16

    @Option(name: .customLong("test_case"), help: "Which test.")
    var testCase: String

    @Option(name: .customLong("use_tls"), help: "Speak TLS: true or false.")
    var usesTLS = false

    @Option(
        name: .customLong("ca_file"), help: "Trust this authority's certificate (PEM file) instead of the system's.")
    var authorities: String?

    @Option(
        name: .customLong("use_test_ca"),
        help: "true stands for the published test authority, which is not built in: give it with --ca_file.")
    var usesTestAuthority: Bool?

    @Option(
        name: .customLong("server_host_override"),
        help: "The name in :authority, and that the server's certificate must bear.")
    var hostOverride: String?

    @OptionGroup(title: "Soak")
    var soak: SoakOptions

    func validate() throws {
        guard usesTLS || authorities == nil else { throw ValidationError("--ca_file goes with --use_tls true.") }
        guard usesTestAuthority != true || authorities != nil else {
            throw ValidationError("--use_test_ca true needs the authority's certificate: --ca_file.")
        }
    }

    func run() async throws {
        guard let testCase = InteropCase.named(testCase) else {
            note("no test case \(testCase); there are:")
            for testCase in InteropCase.all { note("  \(testCase.name)") }
            throw ExitCode(2)
        }
        do {
            let group = try EventLoopGroup(name: "interop", count: 1)
            var run = InteropRun(
                target: Target(.tcp(host: host, port: port)), tls: try tls(), authority: hostOverride, group: group)
            run.soak = soak.settings
            run.report = { note($0) }
            try await testCase.run(run)
            print("\(testCase.name): ok")
        } catch {
            note("\(testCase.name): \(error)")
            throw ExitCode(1)
        }
    }

    private func tls() throws -> TLSContext? {
        guard usesTLS else { return nil }
        return try TLSContext(
            client: TLSClientConfiguration(trustRoots: authorities.map { .file($0) }, serverName: hostOverride))
    }
}

/// A line on standard error.
func note(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
