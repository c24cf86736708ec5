import EventLoop
import Health
import RPC
import RPCCore
import Testing

/// A server with the health service on a free port, and a client to it.
private func withHealth(
    _ health: HealthService, _ body: (HealthClient) async throws -> Void
) async throws {
    let group = try EventLoopGroup(name: "health", count: 1)
    let server = RPCServer(group: group, services: ServiceRegistry([health]))
    let address = try await server.bind(to: .tcp(host: "127.0.0.1", port: 0))
    let channel = RPCClientChannel(target: Endpoint(address), group: group)
    do {
        try await body(HealthClient(channel))
    } catch {
        await channel.shutDown()
        await server.shutDown(grace: .zero)
        throw error
    }
    await channel.shutDown()
    await server.shutDown(grace: .zero)
    group.shutDown()
}

@Test func checkTellsTheStatusOrThatNobodyIsKnown() async throws {
    let health = HealthService(services: ["a.B"])
    try await withHealth(health) { client in
        let seen1 = try await client.check(HealthHealthCheckRequest()).status
        #expect(seen1 == .serving)
        let seen2 = try await client.check(HealthHealthCheckRequest(service: "a.B")).status
        #expect(seen2 == .serving)
        health.set(.notServing, for: "a.B")
        let seen3 = try await client.check(HealthHealthCheckRequest(service: "a.B")).status
        #expect(seen3 == .notServing)
        await #expect(throws: Status(.notFound, "unknown service")) {
            try await client.check(HealthHealthCheckRequest(service: "nobody"))
        }
    }
}

@Test func watchTellsEveryChange() async throws {
    let health = HealthService()
    try await withHealth(health) { client in
        try await client.watch(HealthHealthCheckRequest(service: "late")) { statuses in
            var iterator = statuses.makeAsyncIterator()
            let seen4 = try await iterator.next()?.status
            #expect(seen4 == .serviceUnknown)
            health.set(.serving, for: "late")
            let seen5 = try await iterator.next()?.status
            #expect(seen5 == .serving)
            health.stopServing()
            let seen6 = try await iterator.next()?.status
            #expect(seen6 == .notServing)
        }
    }
}

@Test func tooManyWatchesAreRefused() async throws {
    let health = HealthService(watcherLimit: 1)
    try await withHealth(health) { client in
        try await client.watch(HealthHealthCheckRequest()) { statuses in
            var iterator = statuses.makeAsyncIterator()
            _ = try await iterator.next()
            await #expect(throws: Status(.resourceExhausted, "too many watches")) {
                try await client.watch(HealthHealthCheckRequest()) { for try await _ in $0 {} }
            }
        }
    }
}
