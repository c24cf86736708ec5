import EventLoop
import RPC
import RPCCore
import ServiceKit
import TestSupport
import Testing

/// Calls over a socket, counted under the names of gRFC A66.
@Suite struct RPCMetricsTests {
    private static let echo = MethodDescriptor<[UInt8], [UInt8]>(
        service: "test.Echo", method: "Call", shape: .unary, request: .raw, response: .raw)

    private func counting(_ body: (RPCClientChannel, Metrics) async throws -> Void) async throws {
        let metrics = Metrics()
        var registry = ServiceRegistry()
        registry.addUnary(Self.echo) { request, _ in
            guard request != [0] else { throw Status(.notFound, "no") }
            return request + request
        }
        var configuration = ServerConfiguration()
        configuration.meter = RPCMetrics(metrics)
        let server = RPCServer(group: TestLoops.group, services: registry, configuration: configuration)
        let address = try await server.bind(to: .tcp(host: "127.0.0.1", port: 0))
        let channel = RPCClientChannel(target: Endpoint(address), group: TestLoops.group)
        do {
            try await body(channel, metrics)
        } catch {
            Issue.record(error)
        }
        await channel.shutDown()
        await server.shutDown(grace: .zero)
    }

    @Test func aServersCallsAreCountedByMethodAndStatus() async throws {
        try await counting { channel, metrics in
            for _ in 0..<3 { _ = try await channel.unary(Self.echo, [7, 7]) }
            await #expect(throws: Status.self) { try await channel.unary(Self.echo, [0]) }
            await #expect(throws: Status.self) { try await channel.unary("/test.Echo/Nothing", [], options: .defaults) }
            let text = metrics.exposition()
            for line in [
                "grpc_server_call_started_total{grpc_method=\"test.Echo/Call\"} 4",
                "grpc_server_call_started_total{grpc_method=\"other\"} 1",
                "grpc_server_call_duration_seconds_count{grpc_method=\"test.Echo/Call\",grpc_status=\"OK\"} 3",
                "grpc_server_call_duration_seconds_count{grpc_method=\"test.Echo/Call\",grpc_status=\"NOT_FOUND\"} 1",
                "grpc_server_call_duration_seconds_count{grpc_method=\"other\",grpc_status=\"UNIMPLEMENTED\"} 1",
                sum("sent", 12), sum("rcvd", 6), "# TYPE grpc_server_call_duration_seconds histogram",
            ] { #expect(text.contains("\(line)\n"), "\(line) is not in\n\(text)") }
        }
    }

    private func sum(_ direction: String, _ bytes: Int) -> String {
        "grpc_server_call_\(direction)_total_compressed_message_size_bytes_sum"
            + "{grpc_method=\"test.Echo/Call\",grpc_status=\"OK\"} \(bytes)"
    }
}
