import EventLoop
import Foundation
import RPC
import TLS
import TestSupport
import Testing

private let python = Python.interpreter(importing: "grpc", "grpc_reflection")

/// grpcio-reflection, a client that knows nothing but the server's address.
@Suite(.enabled(if: python != nil, "grpcio-reflection is not installed"))
struct ForeignClientTests {
    private struct Report: Decodable {
        let services: [String]
        let methods: [String]
        let file: String
        let imports: [String]
        let part: [String]
        let state: [String: Int]
        let extensions: [Int]
        let audience: String
        let answer: [String: String]
        let unknown: [Answer]

        struct Answer: Decodable, Equatable {
            let kind: String
            let code: Int
            let hosts: [String]

            init(_ kind: String, _ code: Int, _ host: String) {
                (self.kind, self.code, hosts) = (kind, code, [host, host])
            }

            init(from decoder: any Decoder) throws {
                var values = try decoder.unkeyedContainer()
                kind = try values.decode(String.self)
                code = try values.decode(Int.self)
                hosts = [try values.decode(String.self), try values.decode(String.self)]
            }
        }
    }

    @Test(arguments: ["v1", "v1alpha"]) func learnsAndCallsTheService(_ version: String) async throws {
        try await Fixture.run { address, _ in try await check(address, version) }
    }

    @Test func theSameOverMutualTLS() async throws {
        let authority = try TestAuthority()
        let server = try authority.issue("server", alternativeNames: ["DNS:localhost"])
        let client = try authority.issue("client", alternativeNames: ["DNS:client.test"])
        let tls = try TLSContext(
            server: TLSServerConfiguration(
                identity: TLSIdentity(certificateChain: .file(server.certificate), privateKey: .file(server.key)),
                trustRoots: .file(authority.root), clientCertificates: .required, allowedClients: ["client.test"]))
        try await Fixture.run(tls: tls) { address, _ in
            try await check(address, "v1", [authority.root, client.certificate, client.key])
        }
    }

    private func check(_ address: SocketAddress, _ version: String, _ credentials: [String] = []) async throws {
        let python = try #require(python)
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Python/reflect.py").path
        let arguments = [script, "\(Endpoint(address))", version] + credentials
        let result = try await BlockingPool.shared.run { Result { try Program.run(python, arguments) } }.get()
        try #require(result.status == 0, "\(result.text) \(result.errors)")
        let report = try JSONDecoder().decode(Report.self, from: result.output)
        #expect(
            report.services == [
                "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1alpha.ServerReflection", "test.reflection.Catalog", "test.reflection.Clock",
            ])
        #expect(report.methods == ["test.reflection.Catalog.Find"])
        #expect(report.file == "test/reflection/catalog.proto")
        #expect(
            report.imports == [
                "google/protobuf/timestamp.proto", "test/reflection/options.proto", "test/reflection/part.proto",
            ])
        #expect(report.part == ["name", "made_at", "factory", "copy_of", "state"])
        #expect(report.state == ["STATE_UNSPECIFIED": 0, "STATE_SOLD": 1])
        #expect(report.extensions == [50001, 50002] && report.audience == "everyone")
        #expect(report.answer == ["name": "bolt", "state": "STATE_SOLD"])
        #expect(
            report.unknown == [
                .init("error_response", 5, ""), .init("error_response", 5, ""), .init("error_response", 5, ""),
                .init("error_response", 5, ""), .init("error_response", 3, "somewhere"),
                .init("file_descriptor_response", 0, "somewhere"),
            ])
    }
}
