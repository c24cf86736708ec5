import EventLoop
import Foundation
import TestSupport
import Testing

enum Transport: String, CaseIterable, Sendable {
    case plaintext
    case tls
}

enum Implementation: String, Sendable {
    case meridian
    case grpcio

    static let python = Python.interpreter(importing: "grpc", "grpc_tools")
}

/// The servers of both implementations, in the clear and over TLS, for all tests of a suite.
struct InteropServers: Sendable {
    @TaskLocal static var current: InteropServers?

    /// What the servers' certificate is for: not the address that they are dialled at.
    static let name = "interop.test"

    let authority: TestAuthority
    /// What protoc made of the contract for Python.
    private let generated: String
    private let servers: [Implementation: [Transport: ServerProgram]]

    static func running() throws -> InteropServers {
        try #require(current, "the suite has no servers: it lacks the trait")
    }

    /// The command that runs a case with a client of `client` against a server of `server`.
    func command(
        _ testCase: String, client: Implementation, server: Implementation, _ transport: Transport
    ) throws -> [String] {
        let port = try #require(servers[server]?[transport], "\(server) runs").port
        switch client {
        case .meridian:
            // How fast the machine is just now is not the question.
            var command = [
                try Program.built("interop-client"), "--server_host=127.0.0.1", "--server_port=\(port)",
                "--test_case=\(testCase)", "--soak_per_iteration_max_acceptable_latency_ms=5000",
            ]
            if transport == .tls {
                command += ["--use_tls", "true", "--ca_file", authority.root, "--server_host_override", Self.name]
            }
            return command
        case .grpcio:
            let command = [
                try #require(Implementation.python), "-B", Self.script("client.py"), generated, "\(port)", testCase,
            ]
            return transport == .tls ? command + [authority.root, Self.name] : command
        }
    }

    fileprivate static func start(into folder: TemporaryDirectory) throws -> InteropServers {
        let authority = try TestAuthority()
        let issued = try authority.issue("interop", alternativeNames: ["DNS:\(name)"])
        var servers: [Implementation: [Transport: ServerProgram]] = [:]
        do {
            let ours = [try Program.built("interop-server"), "--host", "127.0.0.1", "--port", "0"]
            servers[.meridian, default: [:]][.plaintext] = try ServerProgram(ours)
            servers[.meridian, default: [:]][.tls] = try ServerProgram(
                ours + ["--use_tls=true", "--tls_cert_file", issued.certificate, "--tls_key_file=\(issued.key)"])
            if let python = Implementation.python {
                try generate(python, into: folder.path)
                let theirs = [python, "-B", script("server.py"), folder.path]
                servers[.grpcio, default: [:]][.plaintext] = try ServerProgram(theirs)
                servers[.grpcio, default: [:]][.tls] = try ServerProgram(theirs + [issued.certificate, issued.key])
            }
        } catch {
            for server in servers.values.flatMap(\.values) { server.stop() }
            throw error
        }
        return InteropServers(authority: authority, generated: folder.path, servers: servers)
    }

    fileprivate func stop() {
        for (implementation, servers) in servers {
            for (transport, server) in servers {
                #expect(server.stop(), "the server of \(implementation) ended by itself (\(transport))")
            }
        }
    }

    private static func script(_ name: String) -> String {
        "\(Repository.path)/Tests/InteropTests/Python/\(name)"
    }

    private static func generate(_ python: String, into folder: String) throws {
        let files = ["empty", "messages", "test"].map { "grpc/testing/\($0).proto" }
        let result = try Program.run(
            python,
            [
                "-m", "grpc_tools.protoc", "-I", "\(Repository.path)/Protos", "--python_out", folder,
                "--grpc_python_out", folder,
            ] + files)
        try #require(result.status == 0, "\(result.text) \(result.errors)")
    }
}

/// Starts the servers before a suite and ends them after it, also when it fails.
struct InteropServersTrait: SuiteTrait, TestScoping {
    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let servers = try await BlockingPool.shared.run { Result { try InteropServers.start(into: folder) } }.get()
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await InteropServers.$current.withValue(servers) { try await function() })
        } catch {
            outcome = .failure(error)
        }
        try await BlockingPool.shared.run { servers.stop() }
        try outcome.get()
    }
}

extension Trait where Self == InteropServersTrait {
    static var interopServers: Self { Self() }
}
