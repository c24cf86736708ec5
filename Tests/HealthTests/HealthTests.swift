import EventLoop
import Foundation
import Health
import RPC
import RPCCore
import TestSupport
import Testing

/// A server with the health service on a free port, and a client to it.
private func withHealth(
    _ health: HealthService, _ body: (HealthClient) async throws -> Void
) async throws {
    try await withHealthServer(health) { client, _ in try await body(client) }
}

private func withHealthServer(
    _ health: HealthService, _ body: (HealthClient, SocketAddress) async throws -> Void
) async throws {
    let group = try EventLoopGroup(name: "health", count: 1)
    let server = RPCServer(group: group, services: ServiceRegistry([health]))
    let address = try await server.bind(to: .tcp(host: "127.0.0.1", port: 0))
    let channel = RPCClientChannel(target: Endpoint(address), group: group)
    do {
        try await body(HealthClient(channel), address)
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

@Test func listTellsEveryStatus() async throws {
    let health = HealthService(services: ["a.B", "c.D"])
    health.set(.notServing, for: "c.D")
    try await withHealth(health) { client in
        let statuses = try await client.list(HealthHealthListRequest()).statuses.mapValues(\.status)
        #expect(statuses == ["": .serving, "a.B": .serving, "c.D": .notServing])
    }
}

@Test func listHasItsLimit() async throws {
    // The server as a whole is one of them.
    let health = HealthService(services: (1..<HealthService.listLimit).map { "a.B\($0)" })
    try await withHealth(health) { client in
        let all = try await client.list(HealthHealthListRequest()).statuses
        #expect(all.count == 100)
        health.set(.serving, for: "one.More")
        await #expect(throws: Status(.resourceExhausted, "there are more than 100 services: use Check or Watch")) {
            try await client.list(HealthHealthListRequest())
        }
    }
}

private let python = Python.interpreter(importing: "grpc", "grpc_tools")

@Test(.enabled(if: python != nil, "grpcio-tools is not installed"), arguments: [2, 101])
func grpcioLists(_ count: Int) async throws {
    let health = HealthService(services: (1..<count).map { "a.B\($0)" })
    try await withHealthServer(health) { _, address in
        let python = try #require(python)
        let script = "\(Repository.path)/Tests/HealthTests/Python/health.py"
        let arguments = [script, "\(Endpoint(address))", "\(Repository.path)/Protos"]
        let result = try await BlockingPool.shared.run { Result { try Program.run(python, arguments) } }.get()
        try #require(result.status == 0, "\(result.text) \(result.errors)")
        let report = try JSONDecoder().decode([String: String].self, from: result.output)
        let expected =
            count == 2
            ? ["": "SERVING", "a.B1": "SERVING"]
            : ["code": "RESOURCE_EXHAUSTED", "text": "there are more than 100 services: use Check or Watch"]
        #expect(report == expected)
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
