import EventLoop
import Health
import Protobuf
import RPC
import RPCCore
import Reflection
import TLS

struct FoundParts: Catalog {
    func find(_ request: FindRequest, context: ServerContext) async throws -> Part {
        Part(name: request.name, state: .sold)
    }
}

struct StoppedClock: Clock {
    func tell(_ request: FindRequest, context: ServerContext) async throws -> Google_Protobuf_Timestamp {
        Google_Protobuf_Timestamp(seconds: 1)
    }
}

/// A server of the catalogue with reflection, on a free port.
enum Fixture {
    static func run(
        tls: TLSContext? = nil, _ body: (_ address: SocketAddress, _ channel: RPCClientChannel) async throws -> Void
    ) async throws {
        var registry = ServiceRegistry([FoundParts(), StoppedClock(), HealthService()])
        registry.addReflection()
        let group = try EventLoopGroup(name: "reflection", count: 1)
        let server = RPCServer(group: group, services: registry, tls: tls)
        let address = try await server.bind(to: .tcp(host: "127.0.0.1", port: 0))
        let channel = RPCClientChannel(target: Endpoint(address), group: group)
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(address, channel)) } catch { outcome = .failure(error) }
        await channel.shutDown()
        await server.shutDown(grace: .zero)
        group.shutDown()
        try outcome.get()
    }
}
