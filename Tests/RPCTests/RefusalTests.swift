import EventLoop
import HTTP2
import RPCCore
import Testing

@testable import RPC

/// The connections that a server has refused.
private final class Refusals: Sendable {
    private let stream: AsyncStream<RefusedConnection>
    private let continuation: AsyncStream<RefusedConnection>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(100)) }

    func note(_ refused: RefusedConnection) { continuation.yield(refused) }
    func next() async -> RefusedConnection? {
        var iterator = stream.makeAsyncIterator()
        return await iterator.next()
    }
}

/// What became of an attack.
private struct Outcome: Sendable {
    /// What the server reports.
    var refused: RefusedConnection?
    /// The code of the GOAWAY that came, and the beginning of its text.
    var code: UInt32?
    var told = ""
}

/// Runs a server with these limits; what `attack` gives must be what the client was told, and what the server reports.
private func refused(
    by settings: HTTP2Settings = .init(), _ change: (inout ServerConfiguration) -> Void = { _ in },
    _ attack: @escaping @Sendable (RawPeer) throws -> Void
) async throws -> Outcome {
    let refusals = Refusals()
    var configuration = ServerConfiguration()
    configuration.onRefusedConnection = refusals.note
    change(&configuration)
    return try await Fixture.run(loops: 1, server: configuration) { fixture in
        let heard = try await RawPeer.run(fixture.address, settings: settings) { peer in
            try attack(peer)
            return (peer.goAway, String(decoding: peer.session.goAwayReason, as: UTF8.self))
        }
        let refused = await refusals.next()
        let after = try await fixture.channel.unary(Methods.echo, "after")
        #expect(after == "after")
        return Outcome(refused: refused, code: heard.0, told: heard.1)
    }
}

private let message: [UInt8] = [0, 0, 0, 0, 2] + Array("hi".utf8)
private let calm = HTTP2ErrorCode.enhanceYourCalm.rawValue

@Test(
    arguments: [
        ("giant", [0, 255, 255, 255, 255], "message of 4294967295 bytes exceeds"),
        ("flag", [2, 0, 0, 0, 0], "invalid"),
        ("cut", [0, 0, 0, 0, 5, 1], "the stream ended"),
    ] as [(String, [UInt8], String)])
func badRequestsAreTakenAFewTimes(_ name: String, _ bytes: [UInt8], _ reason: String) async throws {
    let outcome = try await refused {
        $0.badRequestBurst = 3
        $0.badRequestsPerSecond = 1
    } _: { peer in
        let streams = (0..<3).map { _ in peer.request("/test.Text/Echo", message: bytes) }
        try peer.exchange { streams.allSatisfy(\.hasEnded) }
        #expect(streams.allSatisfy { $0.headers["grpc-status"] != nil } && peer.goAway == nil)
        _ = peer.request("/test.Text/Echo", message: bytes)
        try peer.exchange { false }
    }
    #expect(outcome.refused?.reason == .badRequests && outcome.code == calm)
    #expect(outcome.refused?.text.contains("too many bad requests, the last: \(reason)") == true, "\(outcome)")
    #expect(outcome.refused?.text.hasPrefix(outcome.told) == true && !outcome.told.isEmpty)
}

@Test func aRequestThatDoesNotGoOnFailsItsCallOnly() async throws {
    var configuration = ServerConfiguration()
    configuration.requestStallTimeout = .milliseconds(100)
    try await Fixture.run(loops: 1, server: configuration) { fixture in
        try await RawPeer.run(fixture.address) { peer in
            let halves = [
                peer.request("/test.Text/Echo", message: Array(message.dropLast()), ends: false),
                peer.request("/test.Text/Echo", message: [0, 0], ends: false),
                peer.request("/test.Text/Echo", message: message, ends: false),
                peer.request("/test.Text/Echo", ends: false),
                peer.request("/test.Text/Chat", message: [0, 0, 0, 0, 2, 1], ends: false),
            ]
            // Owes nothing between two messages.
            let chat = peer.request("/test.Text/Chat", message: message, ends: false)
            try peer.exchange { halves.allSatisfy(\.hasEnded) }
            #expect(halves.allSatisfy { $0.headers["grpc-status"] == "4" }, "\(halves.map(\.headers))")
            #expect(halves[0].headers["grpc-message"]?.contains("begun and not continued") == true)
            #expect(!chat.hasEnded && !chat.data.isEmpty && peer.goAway == nil)
            chat.finish()
            try peer.exchange { chat.hasEnded }
            #expect(chat.headers["grpc-status"] == "0")
        }
    }
}

/// How long one that drips tries: far more than the limits in these tests.
private let dripLimit = Duration.seconds(10)

/// A byte now and then is always some progress, and never enough: the call ends, and others of the connection go on.
@Test(arguments: ["/test.Text/Echo", "/test.Text/Chat"])
func aRequestThatDripsFailsItsCallOnly(_ path: String) async throws {
    var configuration = ServerConfiguration()
    configuration.requestStallTimeout = .milliseconds(200)
    try await Fixture.run(loops: 1, server: configuration) { fixture in
        try await RawPeer.run(fixture.address) { peer in
            let slow = peer.request(path, message: [0, 0, 1, 0, 0], ends: false)
            var drops = 0
            // One message of 64 KiB; a call to its end after each byte of it.
            let limit = ContinuousClock.now + dripLimit
            while !slow.hasEnded, ContinuousClock.now < limit {
                slow.write(OutboundChunk([7]))
                drops += 1
                let other = peer.request("/test.Text/Echo", message: message)
                try peer.exchange { other.hasEnded }
                #expect(other.headers["grpc-status"] == "0")
            }
            #expect(slow.headers["grpc-status"] == "4", "after \(drops) drops: \(slow.headers)")
            #expect(slow.headers["grpc-message"]?.contains("not continued by 16384 bytes") == true)
            #expect(drops > 10 && peer.goAway == nil)
        }
    }
}

/// A slow client that keeps the pace may take longer than the limit of one step.
@Test func aRequestThatKeepsThePaceIsTaken() async throws {
    var configuration = ServerConfiguration()
    configuration.requestStallTimeout = .seconds(1)
    configuration.requestStallBytes = 100
    try await Fixture.run(loops: 1, server: configuration) { fixture in
        try await RawPeer.run(fixture.address) { peer in
            let slow = peer.request("/test.Text/Echo", message: [0, 0, 0, 0x40, 0], ends: false)
            let start = ContinuousClock.now
            for _ in 0..<160 {
                slow.write(OutboundChunk([UInt8](repeating: 7, count: 100)))
                // Calls of others fill the time, more than the limit in all.
                let pause = ContinuousClock.now + .milliseconds(10)
                repeat {
                    let other = peer.request("/test.Text/Echo", message: message)
                    try peer.exchange { other.hasEnded }
                } while ContinuousClock.now < pause
            }
            #expect(!slow.hasEnded && ContinuousClock.now > start + .milliseconds(1500))
            slow.write(OutboundChunk([UInt8](repeating: 7, count: 384)))
            slow.finish()
            try peer.exchange { slow.hasEnded }
            #expect(slow.data.count == 5 + 16_384 && slow.headers["grpc-status"] == "0", "\(slow.headers)")
        }
    }
}

@Test func whoeverDripsOnIsRefused() async throws {
    let outcome = try await refused {
        $0.requestStallTimeout = .milliseconds(100)
        $0.badRequestBurst = 3
        $0.badRequestsPerSecond = 1
    } _: { peer in
        let slow = (0..<4).map { _ in peer.request("/test.Text/Echo", message: [0, 0, 1, 0, 0], ends: false) }
        let limit = ContinuousClock.now + dripLimit
        while peer.goAway == nil, !peer.isClosedByServer, ContinuousClock.now < limit {
            for stream in slow where !stream.hasEnded { stream.write(OutboundChunk([7])) }
            let other = peer.request("/test.Text/Echo", message: message)
            try peer.exchange { other.hasEnded || other.closeCode != nil || peer.goAway != nil }
        }
        try #require(peer.goAway != nil)
    }
    #expect(outcome.refused?.reason == .badRequests && outcome.code == calm, "\(outcome)")
    #expect(outcome.refused?.text.contains("not continued by 16384 bytes") == true, "\(outcome)")
}

/// The whole time of a header block counts, whatever comes of it. Others go on.
@Test func headersThatDripAreNotWaitedFor() async throws {
    let outcome = try await refused {
        $0.headerBlockTimeout = .milliseconds(200)
    } _: { peer in
        let bystander = try peer.another()
        defer { bystander.close() }
        try peer.flush()
        // HEADERS of 16 KiB without their end, whose first field is a literal as long as that.
        try peer.send([0, 0x40, 0, 1, 0, 0, 0, 0, 1, 0x00, 0x7f, 0x80, 0x7f])
        var drops = 0
        let limit = ContinuousClock.now + dripLimit
        while !peer.isClosedByServer, drops < 16_000, ContinuousClock.now < limit {
            try peer.send([0x61])
            drops += 1
            let other = bystander.request("/test.Text/Echo", message: message)
            try bystander.exchange { other.hasEnded }
            #expect(other.headers["grpc-status"] == "0")
        }
        try #require(drops > 10 && peer.isClosedByServer)
        // What came before the connection was cut.
        try peer.hear()
    }
    #expect(outcome.refused?.reason == .unfinishedHeaders, "\(outcome)")
    #expect(outcome.code == calm && outcome.told.hasPrefix("a header block was begun"), "\(outcome)")
}

@Test func whoeverHoldsOthersUpByNotGoingOnIsRefused() async throws {
    // Two have the memory, eight wait for it: each of the two counts nine times.
    let begun = [0, 0, 0x20, 0, 0] + [UInt8](repeating: 7, count: 1000)
    let outcome = try await refused {
        $0.requestStallTimeout = .milliseconds(100)
        $0.requestMemoryBytesPerConnection = 4 << 20
        $0.badRequestBurst = 8
        $0.badRequestsPerSecond = 1
    } _: { peer in
        for _ in 0..<10 { _ = peer.request("/test.Text/Echo", message: begun, ends: false) }
        try peer.exchange { false }
    }
    #expect(
        outcome.refused?.reason == .badRequests && outcome.code == calm
            && outcome.told.hasPrefix("too many bad requests"), "\(outcome)")
}

@Test func responsesThatPileUpUnreadEndTheConnection() async throws {
    let text = [UInt8](repeating: 120, count: 100 << 10)
    let echo = [0, 0, 1, 0x90, 0] + text
    // A window of nothing for every stream.
    var settings = HTTP2Settings()
    settings.streamWindowBytes = 0
    let outcome = try await refused(by: settings) {
        $0.responseMemoryBytesPerConnection = 250 << 10
        $0.writeStallTimeout = .milliseconds(200)
    } _: { peer in
        for _ in 0..<4 { _ = peer.request("/test.Text/Echo", message: echo) }
        try peer.exchange { false }
    }
    #expect(
        outcome.refused?.reason == .unreadResponses && outcome.code == calm
            && outcome.told.contains("bytes of responses were left unread"))
}

@Test func whoReadsNothingAtAllIsReported() async throws {
    let outcome = try await refused {
        $0.writeStallTimeout = .milliseconds(200)
    } _: { peer in
        let settings: [UInt8] = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]
        let window: [UInt8] = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0, 0, 0]
        try peer.flush()
        try peer.send(settings + window)
        _ = peer.request("/test.Text/Flood", message: message)
        try peer.flush()
        #expect(peer.isHungUpUnread())
    }
    #expect(
        outcome.refused?.reason == .unreadResponses && outcome.refused?.text.contains("nothing was read for") == true)
}

@Test(arguments: ["", "PRI * HTTP/2.0\r\n", "GE", "GET / HTTP/1.1\r\n"])
func whoDoesNotFinishItsPrefaceIsTold(_ opening: String) async throws {
    let outcome = try await refused {
        $0.handshakeTimeout = .milliseconds(100)
    } _: { peer in
        try peer.send(Array(opening.utf8))
        try peer.listen()
    }
    #expect(
        outcome.refused?.reason == .silence && outcome.code == 1
            && outcome.told == "the client's preface did not come in time")
}

@Test(arguments: [
    "\u{16}\u{3}\u{1}", "PRI * HTTP/2.0\r\n\r\nXX", "get / HTTP/1.1\r\n", "GETGETGETGETGETGETGETGET", " ",
])
func otherProtocolsAreTold(_ opening: String) async throws {
    let outcome = try await refused { peer in
        try peer.send(Array(opening.utf8))
        try peer.listen()
    }
    #expect(
        outcome.refused?.reason == .notHTTP2 && outcome.code == 1
            && outcome.told == "the first bytes are not the preface of HTTP/2")
}

@Test(arguments: [1, 7, 1000], ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * HTTP/1.0\r\n\r\n"])
func requestsOfHTTP1GetAnAnswerInKind(_ piece: Int, _ request: String) async throws {
    let outcome = try await refused { peer in
        var rest = Array(request.utf8)[...]
        while !rest.isEmpty {
            try peer.send(Array(rest.prefix(piece)))
            rest = rest.dropFirst(piece)
        }
        var answer: [UInt8] = []
        while !peer.isClosedByServer { answer += try peer.receive() }
        let text = String(decoding: answer, as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 505 HTTP Version Not Supported\r\n"), "\(text)")
        #expect(text.hasSuffix("\r\n\r\nThis port speaks gRPC: HTTP/2 from the first byte, without upgrade.\n"))
        #expect(text.contains("\r\nContent-Length: 68\r\n") && text.contains("\r\nConnection: close\r\n"))
    }
    #expect(outcome.refused?.reason == .http1 && outcome.code == nil)
}

@Test func connectionsPastTheLimitAreReported() async throws {
    let refusals = Refusals()
    var configuration = ServerConfiguration()
    configuration.maximumConnections = 1
    configuration.onRefusedConnection = refusals.note
    try await Fixture.run(loops: 1, server: configuration) { fixture in
        let first = try await fixture.channel.unary(Methods.echo, "first")
        #expect(first == "first")
        try await RawPeer.run(fixture.address) { peer in
            while !peer.isClosedByServer { _ = try peer.receive() }
        }
        let refused = await refusals.next()
        #expect(refused?.reason == .tooManyConnections)
    }
}

@Test func theOpeningIsJudgedByteByByte() {
    func verdict(_ text: String) -> ConnectionOpening.Verdict {
        var opening = ConnectionOpening()
        for byte in text.utf8 {
            let piece = [byte]
            let verdict = opening.receive(piece.span)
            if verdict != .undecided { return verdict }
        }
        return .undecided
    }
    #expect(verdict("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == .http2)
    #expect(verdict("PRI * HTTP/2.0\r\n\r\nSM\r\n\r") == .undecided)
    #expect(verdict("PRI / HTTP/2.0") == .other)
    #expect(verdict("PRIVET / HTTP/1.1\r\n\r\n") == .http1)
    #expect(verdict("GET / HTTP/1.1\r\n\r") == .undecided)
    #expect(verdict("GET " + String(repeating: "/", count: ConnectionOpening.longestHead)) == .http1)
    #expect(verdict("") == .undecided)
}
