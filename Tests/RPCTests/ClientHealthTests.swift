import EventLoop
import HTTP2
import Limits
import RPC
import RPCCore
import Synchronization
import Testing

private var watching: ClientConfiguration {
    var configuration = ClientConfiguration.hasty
    configuration.serviceConfig.loadBalancing = .roundRobin
    configuration.serviceConfig.healthCheckedService = "test.Text"
    return configuration
}

/// Tells every watcher the health that a test sets, and answers other calls with the server's name.
private final class HealthScript: Sendable {
    let name: String
    private let health: Mutex<UInt8>

    init(_ name: String, health: UInt8) {
        self.name = name
        self.health = Mutex(health)
    }

    func run(_ call: ScriptedCall, _ event: ScriptedServer.Event) {
        guard event == .end else { return }
        guard call.fields[":path"] == "/grpc.health.v1.Health/Watch" else {
            call.send(Array(name.utf8))
            return call.end(.ok)
        }
        call.send([0x08, health.withLock { $0 }])
    }

    /// On the loop of `server`.
    func set(_ health: UInt8, _ server: ScriptedServer) async {
        self.health.withLock { $0 = health }
        await server.forEachConnection { connection in
            for call in connection.openCalls { call.send([0x08, health]) }
        }
    }
}

private func waitForReady(_ channel: RPCClientChannel) async throws -> String {
    try await channel.unary(Methods.echo, "x", options: CallOptions(waitsForReady: true))
}

@Test func onlyHealthyServersAreCalled() async throws {
    let scripts = (HealthScript("a", health: 1), HealthScript("b", health: 2))
    try await ScriptedServer.run(script: scripts.0.run) { a in
        try await ScriptedServer.run(script: scripts.1.run) { b in
            try await withChannel(to: Target(addresses: [a.address, b.address]), watching) { channel in
                await channel.connect()
                while await b.events.next() != "call 1" {}
                for _ in 0..<10 {
                    let answer = try await waitForReady(channel)
                    #expect(answer == "a")
                }
                #expect(b.calls.map(\.messages) == [["\n\u{9}test.Text"]])
                // The healthy one falls ill, the other gets well.
                await scripts.1.set(1, b)
                await scripts.0.set(3, a)
                while try await waitForReady(channel) != "b" {}
                for _ in 0..<10 {
                    let answer = try await waitForReady(channel)
                    #expect(answer == "b")
                }
                var states = channel.states().makeAsyncIterator()
                await scripts.1.set(2, b)
                while await states.next() != .transientFailure {}
                let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
                #expect(status?.code == .unavailable && status?.certainty == .notProcessed)
                #expect(status?.message.contains("test.Text does not serve") == true)
                let waiting = Task { try await waitForReady(channel) }
                await scripts.0.set(1, a)
                let recovered = try await waiting.value
                #expect(recovered == "a")
            }
        }
    }
}

@Test func aServerWithoutHealthServiceCountsAsHealthy() async throws {
    try await Fixture.run { fixture in
        try await withChannel(to: Target(Endpoint(fixture.address)), watching) { channel in
            let answer = try await channel.unary(Methods.echo, "x")
            #expect(answer == "x")
        }
    }
}

@Test func aWatchThatFailsIsMadeAgain() async throws {
    try await ScriptedServer.run { call, event in
        guard event == .end else { return }
        guard call.fields[":path"] == "/grpc.health.v1.Health/Watch" else { return call.echo() }
        switch call.number {
        case 1: call.end(.internal)
        case 2: call.reset(.cancel)
        case 3: call.end(.ok)
        default: call.send([0x08, 1])
        }
    } body: { server in
        try await withChannel(to: Target(Endpoint(server.address)), watching) { channel in
            let answer = try await waitForReady(channel)
            #expect(answer == "x")
            #expect(
                server.calls.map(\.path) == Array(repeating: "/grpc.health.v1.Health/Watch", count: 4) + [
                    "/test.Text/Echo"
                ])
        }
    }
}

@Test func aWatchKeepsNoConnectionFromIdleness() async throws {
    let script = HealthScript("a", health: 1)
    try await ScriptedServer.run(script: script.run) { server in
        var configuration = watching
        configuration.idleTimeout = .milliseconds(40)
        try await withChannel(to: Target(Endpoint(server.address)), configuration) { channel in
            let answer = try await waitForReady(channel)
            #expect(answer == "a")
            while await server.events.next() != "closed 1" {}
        }
    }
}

@Test func pickFirstDoesNotWatch() async throws {
    try await ScriptedServer.run { call, event in
        if event == .end { call.echo() }
    } body: { server in
        var configuration = watching
        configuration.serviceConfig.loadBalancing = .pickFirst
        try await withChannel(to: Target(Endpoint(server.address)), configuration) { channel in
            let answer = try await channel.unary(Methods.echo, "x")
            #expect(answer == "x" && server.calls.map(\.path) == ["/test.Text/Echo"])
        }
    }
}
