import EventLoop
import Foundation
import Interop
import TestSupport
import Testing

/// Every published case, both directions, in the clear and over TLS: programs against programs.
@Suite(.interopServers)
struct MatrixTests {
    static let names = InteropCase.all.map(\.name)

    @Test(arguments: names, Transport.allCases)
    func ourClientAgainstOurServer(_ testCase: String, _ transport: Transport) async throws {
        try await run(testCase, client: .meridian, server: .meridian, transport)
    }

    @Test(.enabled(if: Implementation.python != nil, "grpcio is not installed"), arguments: names, Transport.allCases)
    func ourClientAgainstGrpcio(_ testCase: String, _ transport: Transport) async throws {
        try await run(testCase, client: .meridian, server: .grpcio, transport)
    }

    @Test(.enabled(if: Implementation.python != nil, "grpcio is not installed"), arguments: names, Transport.allCases)
    func grpcioAgainstOurServer(_ testCase: String, _ transport: Transport) async throws {
        try await run(testCase, client: .grpcio, server: .meridian, transport)
    }

    private func run(
        _ testCase: String, client: Implementation, server: Implementation, _ transport: Transport
    ) async throws {
        let result = try await Self.result(
            try InteropServers.running().command(testCase, client: client, server: server, transport))
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.text == "\(testCase): ok\n")
    }

    private static func result(_ command: [String]) async throws -> Program.Result {
        try await BlockingPool.shared.run {
            Result { try Program.run(command[0], Array(command[1...]), limit: .seconds(60)) }
        }.get()
    }

    // MARK: What the client says when it cannot go on

    private func client(_ arguments: String...) async throws -> Program.Result {
        try await Self.result([try Program.built("interop-client")] + arguments)
    }

    @Test func anUnknownCaseIsAnsweredWithTheKnownOnes() async throws {
        let result = try await client("--server_port=1", "--test_case=large_unary2")
        #expect(result.status == 2 && result.text.isEmpty)
        let lines = result.errors.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(lines == ["no test case large_unary2; there are:"] + Self.names)
    }

    @Test func aFailureSaysWhatCame() async throws {
        // A name that the certificate is not for.
        let servers = try InteropServers.running()
        var command = try servers.command("empty_unary", client: .meridian, server: .meridian, .tls)
        command[command.count - 1] = "other.test"
        let result = try await Self.result(command)
        #expect(result.status == 1 && result.text.isEmpty)
        #expect(result.errors.hasPrefix("empty_unary: status: expected OK, came UNAVAILABLE: "), "\(result.errors)")
        #expect(result.errors.contains("certificate"), "\(result.errors)")
    }

    @Test(arguments: [
        ["--server_port=1", "--test_case=empty_unary", "--use_tls=yes"],
        ["--server_port=1", "--test_case=empty_unary", "--ca_file=ca.pem"],
        ["--server_port=1", "--test_case=empty_unary", "--use_tls=true", "--use_test_ca=true"],
        ["--server_port=1", "--test_case=rpc_soak", "--soak_iterations=0"],
        ["--test_case=empty_unary"],
    ])
    func aCommandThatIsNotValidIsRefused(_ arguments: [String]) async throws {
        let result = try await Self.result([try Program.built("interop-client")] + arguments)
        #expect(result.status == 64 && result.errors.hasPrefix("Error: "), "\(result.errors)")
    }

    @Test func theServerWantsItsKey() async throws {
        let result = try await Self.result([try Program.built("interop-server"), "--port=0", "--use_tls=true"])
        #expect(result.status == 64 && result.errors.contains("--tls_key_file"), "\(result.errors)")
    }

    @Test(arguments: ["interop-client", "interop-server"]) func helpHasExamples(_ program: String) async throws {
        let result = try await Self.result([try Program.built(program), "--help"])
        #expect(result.status == 0 && result.text.contains("EXAMPLES\n  \(program) "), "\(result.text)")
        if program == "interop-client" {
            for name in Self.names + ["orca_oob", "jwt_token_creds", "cacheable_unary"] {
                #expect(result.text.contains(name))
            }
        }
    }
}
