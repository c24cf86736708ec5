import EventLoop
import Limits
import Redis
import TestSupport
import Testing

/// A TCP server that does one odd thing to each connection when the first bytes have come. Confined to its loop.
private final class OddServer: ReadinessHandler, @unchecked Sendable {
    private final class Peer: ReadinessHandler {
        let socket: StreamSocket
        let act: (Peer) -> Void
        init(_ socket: StreamSocket, _ act: @escaping (Peer) -> Void) {
            self.socket = socket
            self.act = act
        }
        func ready(_ readiness: Readiness) { act(self) }
    }

    private let loop: EventLoop
    private let listener: ListeningSocket
    private let answer: [UInt8]
    private let closes: Bool
    private var peers: [Peer] = []
    /// Times that bytes have come.
    let received = Counter()
    var port: UInt16 { listener.address.port ?? 0 }

    private init(_ loop: EventLoop, _ answer: String, closes: Bool) throws {
        self.loop = loop
        self.answer = Array(answer.utf8)
        self.closes = closes
        listener = try ListeningSocket(at: .ipv4(host: "127.0.0.1", port: 0))
        try loop.watch(listener.descriptor, for: .readable, handler: self)
    }

    /// - Parameter patience: of the client with an answer.
    static func with(
        _ answer: String, closes: Bool, patience: Duration = .seconds(60),
        _ body: (RedisClient, OddServer) async throws -> Void
    ) async throws {
        let loop = TestLoops.group.loops[1]
        let server = try await loop.perform { try OddServer(loop, answer, closes: closes) }
        var limits = RedisLimits()
        limits.commandTimeout = patience
        let client = RedisClient(
            endpoint: .tcp(host: "localhost", port: server.port), group: TestLoops.group, limits: limits)
        do {
            try await body(client, server)
        } catch {
            Issue.record(error)
        }
        await client.shutDown()
        await loop.perform { server.close() }
    }

    func ready(_ readiness: Readiness) {
        while let (socket, _) = try? listener.accept() {
            let peer = Peer(socket) { [unowned self] in act(on: $0) }
            guard (try? loop.watch(socket.descriptor, for: .readable, handler: peer)) != nil else { continue }
            peers.append(peer)
        }
    }

    private func act(on peer: Peer) {
        switch try? unsafe peer.socket.receive(into: loop.scratch.input) {
        case .bytes:
            received.increment()
            _ = try? unsafe answer.withUnsafeBytes { try unsafe peer.socket.send($0) }
            if closes { close(peer) }
        case .wouldBlock: break
        case .endOfStream, nil: close(peer)
        }
    }

    private func close(_ peer: Peer) {
        loop.unwatch(peer.socket.descriptor)
        peer.socket.close()
        peers.removeAll { $0 === peer }
    }

    private func close() {
        for peer in peers { close(peer) }
        loop.unwatch(listener.descriptor)
        listener.close()
    }
}

@Test func aServerIsReachedByNameOverTCP() async throws {
    try await OddServer.with("+PONG\r\n", closes: false) { client, _ in
        for _ in 0..<3 { try await client.ping() }
    }
}

@Test(arguments: [
    ("HTTP/1.1 400 Bad Request\r\n\r\n", false, RedisError.Reason.protocolViolation),
    ("", true, .connectionLost),
    ("$100\r\nhalf", true, .connectionLost),
    ("-NOAUTH Authentication required.\r\n", false, .server(code: "NOAUTH")),
])
func anOddServerIsTold(_ answer: String, _ closes: Bool, _ reason: RedisError.Reason) async throws {
    try await OddServer.with(answer, closes: closes) { client, _ in
        let error = await #expect(throws: RedisError.self) { try await client.command(["INCR", "n"]) }
        #expect(error?.reason == reason)
        if case .server = reason {
            #expect(error?.certainty == .notApplied)
        } else {
            #expect(error?.certainty == .unknown)
        }
    }
}

@Test func aServerThatSaysNothingIsNotWaitedForAfterTheTime() async throws {
    var patience = Duration.milliseconds(100)
    var hasHeard = false
    // A machine that is too slow to bring the command there is given twice as long.
    while !hasHeard {
        patience *= 2
        try await OddServer.with("", closes: false, patience: patience) { client, server in
            let error = await #expect(throws: RedisError.self) { try await client.command(["INCR", "n"]) }
            #expect(error?.reason == .deadlineExceeded)
            hasHeard = server.received.value > 0
            if hasHeard { #expect(error?.certainty == .unknown) }
        }
    }
}

@Test func anAnswerNobodyAskedForEndsTheConnection() async throws {
    try await OddServer.with("+PONG\r\n+PONG\r\n", closes: false) { client, _ in
        try await TestLoops.group.loops[0].perform {
            try await client.ping()
            while await client.statistics().connectionsLost == 0 { await Task.yield() }
            try await client.ping()
        }
    }
}

@Test func aServerThatKeepsHangingUpIsGivenPauses() async throws {
    try await OddServer.with("", closes: true) { client, _ in
        await TestLoops.group.loops[0].perform {
            var reasons: [RedisError.Reason] = []
            while !reasons.contains(.unavailable), reasons.count < 100 {
                do throws(RedisError) { try await client.ping() } catch { reasons.append(error.reason) }
            }
            #expect(reasons.last == .unavailable && reasons.count <= 5)
        }
    }
}
