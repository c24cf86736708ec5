import EventLoop
import HTTP2
import Limits
import RPC
import RPCCore
import Synchronization
import Testing

/// Answers each call with the server's name.
private func named(_ name: String) -> ScriptedServer.Script {
    { call, event in
        guard event == .end else { return }
        call.send(Array(name.utf8))
        call.end(.ok)
    }
}

/// Runs `body` with three servers, named a, b and c.
private func withThree(_ body: ([ScriptedServer]) async throws -> Void) async throws {
    try await ScriptedServer.run(script: named("a")) { a in
        try await ScriptedServer.run(script: named("b")) { b in
            try await ScriptedServer.run(script: named("c")) { c in try await body([a, b, c]) }
        }
    }
}

private var roundRobin: ClientConfiguration {
    var configuration = ClientConfiguration.hasty
    configuration.serviceConfig.loadBalancing = .roundRobin
    return configuration
}

extension RPCClientChannel {
    /// Calls until each of `names` has answered once after the other, all connections being ready then.
    fileprivate func untilAllAnswer(_ names: Set<String>) async throws {
        while true {
            var seen: Set<String> = []
            for _ in names {
                seen.insert(try await unary(Methods.echo, "x", options: CallOptions(waitsForReady: true)))
            }
            if seen == names { return }
        }
    }

    fileprivate func answers(_ count: Int) async throws -> [String: Int] {
        var answers: [String: Int] = [:]
        for _ in 0..<count { answers[try await unary(Methods.echo, "x"), default: 0] += 1 }
        return answers
    }
}

@Test func roundRobinTakesTurns() async throws {
    try await withThree { servers in
        let target = Target(addresses: servers.map(\.address) + [servers[0].address])
        try await withChannel(to: target, roundRobin) { channel in
            try await channel.untilAllAnswer(["a", "b", "c"])
            let answers = try await channel.answers(30)
            #expect(answers == ["a": 10, "b": 10, "c": 10])
            let state = channel.state
            #expect(state == .ready)
        }
        // Each had one connection, though an address was named twice.
        for server in servers {
            server.events.finish()
            var accepted = 0
            for await event in server.events.stream where event.hasPrefix("accepted") { accepted += 1 }
            #expect(accepted == 1)
        }
    }
}

@Test func roundRobinGoesOnWithoutADeadServerAndComesBack() async throws {
    try await withThree { servers in
        let unused = try ListeningSocket(at: .ipv4(host: "127.0.0.1", port: 0))
        unused.close()
        let target = Target(addresses: servers.prefix(2).map(\.address) + [unused.address])
        try await withChannel(to: target, roundRobin) { channel in
            try await channel.untilAllAnswer(["a", "b"])
            let answers = try await channel.answers(20)
            #expect(answers == ["a": 10, "b": 10])
            // A connection that is lost is made again without being asked for.
            await servers[0].forEachConnection { $0.cut() }
            while await servers[0].events.next() != "accepted 2" {}
            try await channel.untilAllAnswer(["a", "b"])
        }
    }
}

@Test func pickFirstStaysWithTheFirst() async throws {
    try await withThree { servers in
        try await withChannel(to: Target(addresses: servers.map(\.address)), .hasty) { channel in
            let answers = try await channel.answers(20)
            #expect(answers == ["a": 20])
        }
        #expect(servers[1].calls.isEmpty && servers[2].calls.isEmpty)
    }
}

@Test func anAddressThatRefusesIsPassedAtOnce() async throws {
    let unused = try ListeningSocket(at: .ipv4(host: "127.0.0.1", port: 0))
    unused.close()
    try await ScriptedServer.run(script: named("a")) { server in
        var configuration = ClientConfiguration()
        configuration.connectStagger = .seconds(3600)
        let target = Target(addresses: [unused.address, unused.address, server.address])
        try await withChannel(to: target, configuration) { channel in
            let answer = try await channel.unary(Methods.echo, "x")
            #expect(answer == "a")
        }
    }
}

@Test func anAddressThatIsSilentIsOvertaken() async throws {
    // Nobody accepts here, so the handshake is never answered.
    let silent = try ListeningSocket(at: .ipv4(host: "127.0.0.1", port: 0))
    defer { silent.close() }
    try await ScriptedServer.run(script: named("a")) { server in
        var configuration = ClientConfiguration()
        configuration.connectTimeout = .seconds(3600)
        configuration.connectStagger = .milliseconds(10)
        try await withChannel(to: Target(addresses: [silent.address, server.address]), configuration) { channel in
            let answer = try await channel.unary(Methods.echo, "x")
            #expect(answer == "a")
        }
    }
}

@Test func whenAllAddressesFailTheLastReasonIsTold() async throws {
    let unused = try ListeningSocket(at: .ipv4(host: "127.0.0.1", port: 0))
    unused.close()
    let target = Target(addresses: [.unix(path: "/tmp/meridian-rpc-nobody.sock"), unused.address])
    try await withChannel(to: target, .hasty) { channel in
        let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
        #expect(status?.code == .unavailable && status?.certainty == .notProcessed)
        #expect(status?.message.contains("no connection to \(target): \(unused.address): connect") == true)
    }
}

// MARK: Addresses that change

@Test(arguments: [LoadBalancing.pickFirst, .roundRobin])
func changedAddressesAreFollowed(_ balancing: LoadBalancing) async throws {
    var configuration = ClientConfiguration.hasty
    configuration.serviceConfig.loadBalancing = balancing
    try await withThree { servers in
        let addresses = SettableAddresses([servers[0].address])
        try await withChannel(to: Target(name: "svc.test", resolver: addresses), configuration) { channel in
            let first = try await channel.answers(3)
            #expect(first == ["a": 3])
            addresses.set([servers[1].address])
            // The old connection is closed in peace, and only then.
            while await servers[0].events.next() != "closed 1" {}
            let second = try await channel.answers(3)
            #expect(second == ["b": 3])
            addresses.set([])
            while await servers[1].events.next() != "closed 1" {}
            let none = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
            #expect(none?.code == .unavailable && none?.certainty == .notProcessed)
            #expect(none?.message == "svc.test has no addresses")
            let waiting = Task {
                try await channel.unary(Methods.echo, "x", options: CallOptions(waitsForReady: true))
            }
            addresses.set([servers[2].address])
            let third = try await waiting.value
            #expect(third == "c")
        }
    }
}

@Test func callsEndInPeaceWhenTheirAddressGoes() async throws {
    try await ScriptedServer.run { call, event in
        if case .message(let message) = event { call.send(message) }
        if event == .end { call.end(.ok) }
    } body: { old in
        try await ScriptedServer.run(script: named("new")) { new in
            let addresses = SettableAddresses([old.address])
            try await withChannel(to: Target(name: "svc.test", resolver: addresses), .hasty) { channel in
                let answers = try await channel.bidirectional(Methods.chat) { writer, responses in
                    var iterator = responses.makeAsyncIterator()
                    try await writer.write("before")
                    var answers = [try await iterator.next()]
                    addresses.set([new.address])
                    while try await channel.unary(Methods.echo, "x") != "new" {}
                    try await writer.write("after")
                    answers.append(try await iterator.next())
                    await writer.finish()
                    answers.append(try await iterator.next())
                    return answers
                }
                #expect(answers == ["before", "after", nil])
                while await old.events.next() != "closed 1" {}
            }
        }
    }
}

/// Counts how often it is asked.
private final class CountingResolver: AddressResolver {
    let asked = Mutex(0)
    let answer: @Sendable (Int) throws -> [SocketAddress]

    init(_ answer: @escaping @Sendable (Int) throws -> [SocketAddress]) { self.answer = answer }

    func addresses() async throws -> [SocketAddress] {
        #expect(EventLoop.current == nil, "no loop waits for a name")
        return try answer(
            asked.withLock { asked in
                asked += 1
                return asked
            })
    }
}

private struct Unknown: Error {}

@Test func failedLookUpsAreRepeated() async throws {
    try await ScriptedServer.run(script: named("a")) { server in
        let resolver = CountingResolver { count in
            if count < 4 { throw Unknown() }
            return [server.address]
        }
        try await withChannel(to: Target(name: "svc.test", resolver: resolver), .hasty) { channel in
            let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
            #expect(status?.code == .unavailable && status?.certainty == .notProcessed)
            #expect(status?.message == "no address of svc.test: Unknown()")
            let answer = try await channel.unary(Methods.echo, "x", options: CallOptions(waitsForReady: true))
            #expect(answer == "a" && resolver.asked.withLock { $0 } == 4)
        }
    }
}

@Test func lostConnectionsAskForTheNameAgainButNotTooOften() async throws {
    try await ScriptedServer.run { call, event in
        guard event == .end else { return }
        call.echo()
    } body: { server in
        let patient = CountingResolver { _ in [server.address] }
        try await withChannel(to: Target(name: "svc.test", resolver: patient), loops: 2, .hasty) { channel in
            for number in 1...5 {
                _ = try await channel.unary(Methods.echo, "x", options: CallOptions(waitsForReady: true))
                await server.forEachConnection { $0.cut() }
                await channel.untilLost()
                #expect(patient.asked.withLock { $0 } == 1, "after \(number)")
            }
        }
        var configuration = ClientConfiguration.hasty
        configuration.minimumResolutionInterval = .milliseconds(1)
        let eager = CountingResolver { _ in [server.address] }
        try await withChannel(to: Target(name: "svc.test", resolver: eager), configuration) { channel in
            while eager.asked.withLock({ $0 }) < 3 {
                _ = try await channel.unary(Methods.echo, "x", options: CallOptions(waitsForReady: true))
                await server.forEachConnection { $0.cut() }
                await channel.untilLost()
            }
        }
    }
}

@Test func aSlowLookUpKeepsNobodyFromClosing() async throws {
    final class Endless: AddressResolver {
        func addresses() async throws -> [SocketAddress] {
            try await Task.sleep(for: .seconds(3600))
            return []
        }
    }
    try await withChannel(to: Target(name: "svc.test", resolver: Endless())) { channel in
        let call = Task { try await channel.unary(Methods.echo, "x") }
        var states = channel.states().makeAsyncIterator()
        while await states.next() != .connecting {}
        await channel.shutDown()
        let status = await #expect(throws: Status.self) { try await call.value }
        #expect(status?.code == .unavailable && status?.certainty == .notProcessed)
    }
}
