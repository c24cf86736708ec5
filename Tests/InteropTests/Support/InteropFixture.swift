import EventLoop
import RPC
import RPCCore

@testable import Interop

/// A server on a socket of this process, and what reaches it.
enum InteropFixture {
    static func with(
        _ services: [any RPCService], _ body: (InteropRun) async throws -> Void
    ) async throws {
        let group = try EventLoopGroup(name: "interop", count: 1)
        let server = RPCServer(group: group, services: ServiceRegistry(services))
        let address = try await server.bind(to: .tcp(host: "127.0.0.1", port: 0))
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(InteropRun(target: Target(Endpoint(address)), group: group)))
        } catch {
            outcome = .failure(error)
        }
        await server.shutDown(grace: .zero)
        group.shutDown()
        try outcome.get()
    }
}
