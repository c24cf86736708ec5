import EventLoop
import RPC
import RPCCore
import Reflection
import TLS

@testable import RPCTool

/// The shop with reflection on a socket, and connections to it as the tool makes them.
struct ShopFixture {
    let group: EventLoopGroup
    let endpoint: Endpoint

    static func run<Result>(
        at endpoint: Endpoint = .tcp(host: "127.0.0.1", port: 0), tls: TLSContext? = nil,
        _ body: (ShopFixture) async throws -> Result
    ) async throws -> Result {
        let group = try EventLoopGroup(name: "shop", count: 2)
        var registry = ServiceRegistry([ShopService()])
        registry.addReflection()
        let server = RPCServer(group: group, services: registry, tls: tls)
        let address = try await server.bind(to: endpoint)
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await body(ShopFixture(group: group, endpoint: Endpoint(address))))
        } catch {
            outcome = .failure(error)
        }
        await server.shutDown(grace: .zero)
        group.shutDown()
        return try outcome.get()
    }

    func connection(
        steps: StepLog = StepLog(), _ change: (inout ServerConnection.Settings) -> Void = { _ in }
    ) -> ServerConnection {
        guard let address = ServerAddress("\(endpoint)") else { preconditionFailure("an endpoint is an address") }
        var settings = ServerConnection.Settings(address: address)
        change(&settings)
        return ServerConnection(settings, group: group, steps: steps)
    }
}
