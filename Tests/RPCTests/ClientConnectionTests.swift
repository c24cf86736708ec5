import EventLoop
import HTTP2
import Limits
import RPC
import RPCCore
import Testing

private let echo: ScriptedServer.Script = { call, event in
    if event == .end { call.echo() }
}

private func unused() throws -> SocketAddress {
    let socket = try ListeningSocket(at: .ipv4(host: "127.0.0.1", port: 0))
    socket.close()
    return socket.address
}

extension AsyncStream<ConnectivityState>.Iterator {
    /// The states up to `last`, without it; all of them when it does not come.
    fileprivate mutating func states(until last: ConnectivityState) async -> [ConnectivityState] {
        var states: [ConnectivityState] = []
        while let state = await next(isolation: #isolation), state != last { states.append(state) }
        return states
    }
}

// MARK: States

@Test func theStatesOfAChannel() async throws {
    try await ScriptedServer.run(script: echo) { server in
        try await withChannel(to: Target(Endpoint(server.address)), .hasty) { channel in
            var states = channel.states().makeAsyncIterator()
            #expect(await states.next() == .idle)
            _ = try await channel.unary(Methods.echo, "x")
            #expect(await states.states(until: .ready) == [.connecting])
            // A lost connection is made again by the next call only.
            await server.forEachConnection { $0.cut() }
            #expect(await states.next() == .idle)
            await channel.connect()
            #expect(await states.states(until: .ready) == [.connecting])
            await channel.shutDown()
            #expect(await states.next() == .shutdown)
            #expect(await states.next() == nil)
            #expect(channel.state == .shutdown)
            var late = channel.states().makeAsyncIterator()
            #expect(await late.next() == .shutdown)
            #expect(await late.next() == nil)
        }
    }
}

@Test func aFailureLastsUntilAConnectionIsMade() async throws {
    let path = "/tmp/meridian-rpc-\(UInt32.random(in: .min ... .max)).sock"
    try await withChannel(to: Target(.unix(path: path)), .hasty) { channel in
        var states = channel.states().makeAsyncIterator()
        await channel.connect()
        #expect(await states.states(until: .transientFailure) == [.idle, .connecting])
        // It goes on trying by itself, and says nothing else meanwhile.
        try await Fixture.run(at: .unix(path: path)) { _ in
            #expect(await states.states(until: .ready).isEmpty)
            let answer = try await channel.unary(Methods.echo, "x")
            #expect(answer == "x")
        }
    }
}

@Test func oneReadyLoopMakesAChannelReady() async throws {
    try await ScriptedServer.run(script: echo) { server in
        try await withChannel(to: Target(Endpoint(server.address)), loops: 3, .hasty) { channel in
            _ = try await channel.unary(Methods.echo, "x")
            #expect(channel.state == .ready)
        }
    }
}

// MARK: Back-off

/// Rounds of 0 ms length, the pauses 5 ms and then half an hour: two rounds, and a call that waits meets no third.
@Test func theStartsOfFailedRoundsDrawApart() async throws {
    try await ScriptedServer.run(script: echo) { connection in
        connection.cut()
    } body: { server in
        var configuration = ClientConfiguration()
        configuration.backoff = Backoff(
            initial: .milliseconds(5), factorPercent: 36_000_000, maximum: .seconds(3600), jitterPercent: 20)
        try await withChannel(to: Target(Endpoint(server.address)), configuration) { channel in
            await channel.connect()
            while await server.events.next() != "accepted 2" {}
            let late = await #expect(throws: Status.self) {
                try await channel.unary(
                    Methods.echo, "x", options: CallOptions(timeout: .milliseconds(100), waitsForReady: true))
            }
            #expect(late?.code == .deadlineExceeded && server.instant(of: "accepted 3") == nil)
        }
    }
}

@Test func aSuccessResetsTheBackoff() async throws {
    // Two failures, one success, and then the pause is the first one again: the third would take an hour.
    try await ScriptedServer.run(script: echo) { connection in
        if connection.number == 1 { connection.cut() }
    } body: { server in
        var configuration = ClientConfiguration()
        configuration.backoff = Backoff(
            initial: .milliseconds(10), factorPercent: 36_000_000, maximum: .seconds(3600), jitterPercent: 0)
        let wait = CallOptions(timeout: .seconds(60), waitsForReady: true)
        try await withChannel(to: Target(Endpoint(server.address)), configuration) { channel in
            for _ in 0..<3 {
                let answer = try await channel.unary(Methods.echo, "x", options: wait)
                #expect(answer == "x")
                await server.forEachConnection { $0.cut() }
                await channel.untilLost()
            }
        }
    }
}

@Test func aServerThatDropsItsClientsIsNotHammered() async throws {
    // Speaks HTTP/2, but leaves before any call: connecting alone is no success.
    try await ScriptedServer.run(script: echo) { connection in
        connection.goAway(last: 0)
    } body: { server in
        var configuration = ClientConfiguration()
        configuration.backoff = Backoff(
            initial: .milliseconds(20), factorPercent: 36_000_000, maximum: .seconds(3600), jitterPercent: 0)
        try await withChannel(to: Target(Endpoint(server.address)), configuration) { channel in
            let status = await #expect(throws: Status.self) {
                try await channel.unary(Methods.echo, "x", options: CallOptions(timeout: .seconds(60)))
            }
            #expect(status?.code == .unavailable && status?.certainty == .notProcessed)
        }
        server.events.finish()
        var accepted = 0
        for await event in server.events.stream where event.hasPrefix("accepted") { accepted += 1 }
        #expect(accepted == 2)
    }
}

@Test func aServerThatDoesNotAnswerIsGivenUp() async throws {
    let silent = try ListeningSocket(at: .ipv4(host: "127.0.0.1", port: 0))
    defer { silent.close() }
    var configuration = ClientConfiguration.hasty
    configuration.connectTimeout = .milliseconds(50)
    try await withChannel(to: Target(Endpoint(silent.address)), configuration) { channel in
        let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
        #expect(status?.code == .unavailable && status?.certainty == .notProcessed)
        #expect(status?.message.contains("\(silent.address): the server did not answer in time") == true)
    }
}

// MARK: Queues

@Test func theQueueForAConnectionIsBounded() async throws {
    let silent = try ListeningSocket(at: .ipv4(host: "127.0.0.1", port: 0))
    defer { silent.close() }
    var configuration = ClientConfiguration()
    configuration.maximumWaitingCalls = 2
    try await withChannel(to: Target(Endpoint(silent.address)), configuration) { channel in
        await withTaskGroup { tasks in
            for _ in 0..<3 {
                tasks.addTask {
                    do {
                        _ = try await channel.unary(Methods.echo, "x")
                        return Status.ok
                    } catch { return Status(describing: error) }
                }
            }
            let refused = await tasks.next()
            #expect(refused?.code == .resourceExhausted && refused?.certainty == .notProcessed)
            await channel.shutDown()
            for await status in tasks { #expect(status.code == .unavailable && status.certainty == .notProcessed) }
        }
    }
}

@Test func aCallThatWaitsForRoomObeysItsDeadline() async throws {
    var settings = HTTP2Settings()
    settings.maximumConcurrentStreams = 1
    try await ScriptedServer.run(settings: settings) { call, event in
        if event == .end, call.number > 1 { call.echo() }
    } body: { server in
        try await withChannel(to: Target(Endpoint(server.address)), .hasty) { channel in
            let first = Task { try await channel.unary(Methods.echo, "first") }
            while await server.events.next() != "call 1" {}
            let late = await #expect(throws: Status.self) {
                try await channel.unary(Methods.echo, "x", options: CallOptions(timeout: .milliseconds(30)))
            }
            #expect(late?.code == .deadlineExceeded && late?.certainty == .notProcessed)
            #expect(late?.message.contains("\(server.address)") == true)
            first.cancel()
            let answer = try await channel.unary(Methods.echo, "second")
            #expect(answer == "second" && server.calls.count == 2)
            await #expect(throws: Status.self) { try await first.value }
        }
    }
}

// MARK: Idleness

@Test func aQuietChannelClosesItsConnections() async throws {
    var configuration = ClientConfiguration.hasty
    configuration.idleTimeout = .milliseconds(40)
    try await ScriptedServer.run { call, event in
        if event == .end, call.number != 2 { call.echo() }
    } body: { server in
        try await withChannel(to: Target(Endpoint(server.address)), configuration) { channel in
            var states = channel.states().makeAsyncIterator()
            #expect(await states.next() == .idle)
            _ = try await channel.unary(Methods.echo, "x")
            #expect(await states.states(until: .idle) == [.connecting, .ready])
            while await server.events.next() != "closed 1" {}
            // An open call keeps its connection, however quiet.
            let late = await #expect(throws: Status.self) {
                try await channel.unary(Methods.echo, "x", options: CallOptions(timeout: .milliseconds(200)))
            }
            #expect(late?.code == .deadlineExceeded)
            #expect(await states.states(until: .idle) == [.connecting, .ready])
            while await server.events.next() != "closed 2" {}
            #expect(server.calls.map(\.connection) == [1, 2])
        }
    }
}

// MARK: Keepalive

private func keepalive(
    _ interval: Duration = .milliseconds(20), timeout: Duration = .milliseconds(40), withoutCalls: Bool = false
) -> ClientConfiguration {
    var configuration = ClientConfiguration.hasty
    configuration.keepalive = ClientKeepalive(
        exactly: interval, timeout: timeout, permitsWithoutCalls: withoutCalls)
    return configuration
}

@Test func keepaliveHasItsBounds() {
    #expect(ClientKeepalive(interval: .seconds(1)).interval == .seconds(10))
    #expect(ClientKeepalive(interval: .seconds(11)).timeout == .seconds(20))
    #expect(ClientConfiguration().keepalive == nil)
}

@Test func aDeadConnectionEndsItsCalls() async throws {
    try await ScriptedServer.run { call, event in
        guard event == .end else { return }
        call.peer.number == 1 ? call.peer.fallSilent() : call.echo()
    } body: { server in
        try await withChannel(to: Target(Endpoint(server.address)), keepalive()) { channel in
            let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
            #expect(status?.code == .unavailable && status?.certainty == .unknown)
            #expect(status?.message.contains("keepalive") == true)
            let answer = try await channel.unary(Methods.echo, "x", options: CallOptions(waitsForReady: true))
            #expect(answer == "x")
        }
    }
}

@Test func anAnsweredPingKeepsASlowCallAlive() async throws {
    try await ScriptedServer.run { call, event in
        if event == .end, call.number > 1 { call.echo() }
    } body: { server in
        try await withChannel(to: Target(Endpoint(server.address)), keepalive(timeout: .seconds(60))) { channel in
            let slow = Task { try await channel.unary(Methods.echo, "x") }
            var pings = 0
            while pings < 5, let event = await server.events.next() { pings += event == "ping 1" ? 1 : 0 }
            let other = try await channel.unary(Methods.echo, "other")
            #expect(other == "other" && server.calls.map(\.connection) == [1, 1])
            slow.cancel()
            await #expect(throws: Status.self) { try await slow.value }
        }
    }
}

@Test(arguments: [true, false]) func onlyByPermissionAnIdleConnectionIsPinged(_ isPermitted: Bool) async throws {
    try await ScriptedServer.run(script: echo) { server in
        let configuration = keepalive(.milliseconds(10), timeout: .seconds(60), withoutCalls: isPermitted)
        try await withChannel(to: Target(Endpoint(server.address)), configuration) { channel in
            var states = channel.states().makeAsyncIterator()
            await channel.connect()
            while await states.next() != .ready {}
            if isPermitted {
                while await server.events.next() != "ping 1" {}
            } else {
                // Ten times the interval: the deadline of a call that waits elsewhere.
                let nobody = Target(.unix(path: "/tmp/meridian-rpc-nobody.sock"))
                try await withChannel(to: nobody, .hasty) { other in
                    _ = await #expect(throws: Status.self) {
                        try await other.unary(
                            Methods.echo, "x", options: CallOptions(timeout: .milliseconds(100), waitsForReady: true))
                    }
                }
                server.events.finish()
                for await event in server.events.stream { #expect(!event.hasPrefix("ping")) }
            }
        }
    }
}

@Test func aComplaintAboutPingsDoublesTheInterval() async throws {
    try await ScriptedServer.run { call, event in
        if event == .headers, call.number == 1 {
            call.peer.goAway(last: 0, code: HTTP2ErrorCode.enhanceYourCalm.rawValue, reason: "too_many_pings")
            call.peer.cut()
        }
    } body: { server in
        let interval = Duration.milliseconds(100)
        let configuration = keepalive(interval, timeout: .seconds(60))
        try await withChannel(to: Target(Endpoint(server.address)), configuration) { channel in
            let call = Task {
                try await channel.unary(Methods.echo, "x", options: CallOptions(waitsForReady: true))
            }
            while await server.events.next() != "ping 2" {}
            // The client counts from a word of the server, which comes after the accept.
            let accepted = try #require(server.instant(of: "accepted 2"))
            let pinged = try #require(server.instant(of: "ping 2"))
            #expect(accepted.duration(to: pinged) >= interval * 2)
            call.cancel()
            await #expect(throws: Status.self) { try await call.value }
        }
    }
}
