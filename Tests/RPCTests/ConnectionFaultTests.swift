import EventLoop
import HTTP2
import Limits
import RPC
import RPCCore
import TLS
import Testing

private let message: [UInt8] = [0, 0, 0, 0, 2] + Array("hi".utf8)

/// A second channel to the server of `fixture`, with connections of its own.
private func withOther<Result>(
    _ fixture: Fixture, _ body: (RPCClientChannel) async throws -> Result
) async throws -> Result {
    try await withChannel(to: Target(Endpoint(fixture.address)), .hasty, body)
}

extension Fixture {
    /// Runs with the faults of the first calls.
    fileprivate static func run(
        _ fault: ConnectionFault, _ point: TransportFault.Point = .atOnce, calls: Int = 1,
        limit: Duration = .seconds(300), tls: (server: TLSContext, client: TLSContext)? = nil,
        _ body: (Fixture, Saboteur, Events) async throws -> Void
    ) async throws {
        var configuration = ServerConfiguration()
        configuration.faultLimit = limit
        let events = Events()
        let saboteur = Saboteur(TransportFault(.connection(fault), point), calls: calls, events: events)
        try await run(
            loops: 1, server: configuration, client: .hasty, serverTLS: tls?.server, clientTLS: tls?.client,
            interceptors: [saboteur]
        ) { try await body($0, saboteur, events) }
    }
}

// MARK: What ends a connection

/// What a raw client saw of a connection's end.
private struct End: Hashable, Sendable {
    var frames: [String]
    var goAways: [String] = []
    var wasReset = false
}

private let ends: [(ConnectionFault, TransportFault.Point, End, Status.Code?)] = [
    // What is above the last stream was not processed, and is made again elsewhere.
    (.goAway(code: 0, last: .none), .atOnce, End(frames: [], goAways: ["GOAWAY 0 0"]), nil),
    (.goAway(code: 2, last: .beforeCall), .atOnce, End(frames: [], goAways: ["GOAWAY 0 2"]), nil),
    (.close, .atOnce, End(frames: []), .unavailable),
    (.close, .afterMessages(1), End(frames: ["HEADERS", "DATA 7"]), .unavailable),
    (.close, .afterBytes(3), End(frames: ["HEADERS", "DATA 3"]), .unavailable),
    (.reset, .atOnce, End(frames: [], wasReset: true), .unavailable),
    (.reset, .afterHeaders, End(frames: ["HEADERS"], wasReset: true), .unavailable),
    (.halfClose, .afterMessages(1), End(frames: ["HEADERS", "DATA 7"]), .unavailable),
]

@Test(.timeLimit(.minutes(1)), arguments: ends)
private func howAConnectionEnds(
    _ fault: ConnectionFault, _ point: TransportFault.Point, _ end: End, _ code: Status.Code?
) async throws {
    try await Fixture.run(fault, point, calls: 2) { fixture, saboteur, _ in
        try await withOther(fixture) { other in
            // A connection that has served is made again without a pause.
            _ = try await fixture.channel.unary(Methods.echo, "before", options: Saboteur.well)
            let seen = try await RawPeer.run(fixture.address) { peer in
                _ = peer.request("/test.Text/Echo", message: message)
                try peer.exchange { false }
                return End(frames: peer.frames(of: 1), goAways: peer.frames(of: 0), wasReset: peer.wasReset)
            }
            #expect(seen == end)
            if let code {
                let status = await #expect(throws: Status.self) { try await fixture.channel.unary(Methods.echo, "hi") }
                #expect(status?.code == code && status?.certainty == .unknown, "\(String(describing: status))")
                #expect(saboteur.calls == 2)
            } else {
                let answer = try await fixture.channel.unary(Methods.echo, "hi")
                #expect(answer == "hi" && saboteur.calls == 3)
            }
            let next = try await other.unary(Methods.echo, "next", options: Saboteur.well)
            #expect(next == "next")
        }
    }
}

@Test(.timeLimit(.minutes(1))) func callsBelowTheLastStreamOfAGoAwayAreServed() async throws {
    try await Fixture.run(.goAway(code: 0, last: .beforeCall)) { fixture, _, _ in
        try await RawPeer.run(fixture.address) { peer in
            let chat = peer.request("/test.Text/Chat", ["x-well": "yes"], message: message, ends: false)
            try peer.exchange { !chat.data.isEmpty }
            let struck = peer.request("/test.Text/Echo", message: message)
            try peer.exchange { struck.closeCode != nil }
            #expect(struck.closeCode == 7 && peer.frames(of: 0) == ["GOAWAY 1 0"])
            chat.finish()
            try peer.exchange { false }
            #expect(chat.headers["grpc-status"] == "0")
        }
    }
}

@Test(.timeLimit(.minutes(1))) func aFrameThatIsTooLargeEndsTheConnection() async throws {
    try await Fixture.run(.oversizedFrame, calls: 2) { fixture, saboteur, _ in
        try await RawPeer.run(fixture.address) { peer in
            _ = peer.request("/test.Text/Echo", message: message)
            // The client's library has said so, and reads nothing more.
            try peer.exchange { peer.session.isFinished }
            #expect(!peer.isClosedByServer)
            // One more than 16,384, DATA of stream 1.
            #expect(peer.received.suffix(9) == [0, 0x40, 1, 0, 0, 0, 0, 0, 1])
        }
        let status = await #expect(throws: Status.self) { try await fixture.channel.unary(Methods.echo, "hi") }
        #expect(status?.code == .unavailable && status?.certainty == .unknown && saboteur.calls == 2)
        let next = try await fixture.channel.unary(Methods.echo, "next", options: Saboteur.well)
        #expect(next == "next")
    }
}

@Test(
    .timeLimit(.minutes(1)),
    arguments: [ConnectionFault.oversizedFrame, .close, .reset, .halfClose, .goAway(code: 0, last: .none)])
func connectionsWithTLSBreakAsWell(_ fault: ConnectionFault) async throws {
    let certificates = try Certificates.shared.get()
    let tls = (try certificates.serverContext(), try certificates.clientContext(certificates.client))
    try await Fixture.run(fault, tls: tls) { fixture, _, _ in
        // A connection that has served is made again without a pause.
        _ = try await fixture.channel.unary(Methods.echo, "before", options: Saboteur.well)
        let outcome: String
        do {
            outcome = try await fixture.channel.unary(Methods.echo, "hi")
        } catch let status as Status {
            outcome = status.code.description
        }
        if case .goAway = fault { #expect(outcome == "hi") } else { #expect(outcome == "UNAVAILABLE") }
        let next = try await fixture.channel.unary(Methods.echo, "next", options: Saboteur.well)
        #expect(next == "next")
    }
}

// MARK: What lasts

@Test(.timeLimit(.minutes(1))) func aBlackHoleHoldsEverythingUntilReleased() async throws {
    try await Fixture.run(.blackHole) { fixture, _, events in
        async let seen = RawPeer.run(fixture.address) { peer in
            let stream = peer.request("/test.Text/Echo", message: message)
            try peer.flush()
            peer.session.submitPing()
            try peer.exchange { stream.hasEnded && peer.answeredPings == 1 }
            return (peer.frames(of: 1), stream.headers["grpc-status"])
        }
        #expect(await events.next() == "struck")
        // Other connections are well.
        let other = try await fixture.channel.unary(Methods.echo, "other")
        #expect(other == "other")
        try await fixture.server.release()
        let (frames, status) = try await seen
        #expect(frames == ["HEADERS", "DATA 7", "HEADERS END"] && status == "0")
    }
}

@Test(.timeLimit(.minutes(1))) func aCallInABlackHoleEndsAtItsDeadline() async throws {
    try await Fixture.run(.blackHole, .afterMessages(1)) { fixture, saboteur, _ in
        let options = CallOptions(timeout: .milliseconds(100))
        let status = await #expect(throws: Status.self) {
            try await fixture.channel.unary(Methods.echo, "hi", options: options)
        }
        #expect(status?.code == .deadlineExceeded && status?.certainty == .unknown && saboteur.calls == 1)
    }
}

@Test(.timeLimit(.minutes(1)), arguments: [ConnectionFault.blackHole, .halfClose, .oversizedFrame])
func whatCannotGoOnEndsWithTheLimit(_ fault: ConnectionFault) async throws {
    try await Fixture.run(fault, limit: .milliseconds(50)) { fixture, _, _ in
        try await RawPeer.run(fixture.address) { peer in
            _ = peer.request("/test.Text/Echo", message: message)
            try peer.flush()
            // Does not react to what comes, so that only the limit can end it.
            while !peer.isClosedByServer { _ = try peer.receive() }
        }
    }
}

@Test(.timeLimit(.minutes(1)), arguments: [ConnectionFault.blackHole, .halfClose, .closedWindow, .ignoredPings])
func theStopOfAServerEndsFaultsAtOnce(_ fault: ConnectionFault) async throws {
    try await Fixture.run(fault) { fixture, _, events in
        async let seen: Void = RawPeer.run(fixture.address) { peer in
            _ = peer.request("/test.Text/Echo", message: message)
            try peer.flush()
            while !peer.isClosedByServer {
                let bytes = try peer.receive()
                try peer.session.receive(bytes.span)
                try peer.flush()
            }
        }
        #expect(await events.next() == "struck")
        let start = ContinuousClock.now
        await fixture.server.shutDown(grace: .seconds(60))
        #expect(ContinuousClock.now - start < .seconds(30))
        try await seen
    }
}

@Test(.timeLimit(.minutes(1))) func aWindowThatNeverOpensHoldsRequestsBack() async throws {
    try await Fixture.run(.closedWindow) { fixture, _, _ in
        async let seen = RawPeer.run(fixture.address) { peer in
            let first = peer.request("/test.Text/Echo", message: message)
            try peer.exchange { first.hasEnded }
            #expect(first.headers["grpc-status"] == "0")
            let second = peer.request("/test.Text/Echo", message: message)
            try peer.settle()
            #expect(second.outboundBytes == message.count && second.headers.isEmpty)
            fixture.events.report("stuck")
            try peer.exchange { second.hasEnded }
            return second.headers["grpc-status"]
        }
        #expect(await fixture.events.next() == "stuck")
        let other = try await fixture.channel.unary(Methods.echo, "other")
        #expect(other == "other")
        try await fixture.server.release()
        let status = try await seen
        #expect(status == "0")
    }
}

@Test(.timeLimit(.minutes(1))) func aCallWithoutWindowEndsAtItsDeadline() async throws {
    try await Fixture.run(.closedWindow) { fixture, saboteur, _ in
        let first = try await fixture.channel.unary(Methods.echo, "first")
        let options = CallOptions(timeout: .milliseconds(100))
        let status = await #expect(throws: Status.self) {
            try await fixture.channel.unary(Methods.echo, "second", options: options)
        }
        #expect(first == "first" && status?.code == .deadlineExceeded && saboteur.calls == 1)
        try await fixture.server.release()
        let next = try await fixture.channel.unary(Methods.echo, "next", options: Saboteur.well)
        #expect(next == "next")
    }
}

@Test(.timeLimit(.minutes(1))) func oneStreamAtATime() async throws {
    try await Fixture.run(.oneStream) { fixture, _, _ in
        async let seen: Void = RawPeer.run(fixture.address) { peer in
            let first = peer.request("/test.Text/Echo", message: message)
            try peer.exchange { first.hasEnded }
            #expect(peer.session.peerMaximumConcurrentStreams == 1)
            fixture.events.report("one")
            try peer.exchange { peer.session.peerMaximumConcurrentStreams > 1 }
            #expect(peer.session.peerMaximumConcurrentStreams == 256)
        }
        #expect(await fixture.events.next() == "one")
        try await fixture.server.release()
        try await seen
    }
}

@Test(.timeLimit(.minutes(1))) func pingsAreNotAnsweredUntilReleased() async throws {
    try await Fixture.run(.ignoredPings) { fixture, _, _ in
        async let seen: Void = RawPeer.run(fixture.address) { peer in
            let first = peer.request("/test.Text/Echo", message: message)
            try peer.exchange { first.hasEnded }
            func pingWithCall() throws {
                peer.session.submitPing()
                let call = peer.request("/test.Text/Echo", message: message)
                try peer.exchange { call.hasEnded }
            }
            try pingWithCall()
            #expect(peer.answeredPings == 0)
            fixture.events.report("unanswered")
            while peer.answeredPings == 0, !peer.isClosedByServer { try pingWithCall() }
            #expect(peer.goAways.isEmpty)
        }
        #expect(await fixture.events.next() == "unanswered")
        try await fixture.server.release()
        try await seen
    }
}

// MARK: By the program

@Test(.timeLimit(.minutes(1))) func theProgramBreaksTheConnectionsItChooses() async throws {
    try await Fixture.run(loops: 2) { fixture in
        try await withOther(fixture) { other in
            _ = try await fixture.channel.unary(Methods.echo, "a")
            _ = try await other.unary(Methods.echo, "b")
            let none = try await fixture.server.breakConnections(.reset) { $0.address == "ipv4:192.0.2.1:1" }
            let all = try await fixture.server.breakConnections(.reset)
            #expect(none == 0 && all == 2)
            try await withOther(fixture) { third in
                let answer = try await third.unary(Methods.echo, "c")
                #expect(answer == "c")
            }
            await #expect(throws: TransportFaultError.invalid("there is no call to be before")) {
                try await fixture.server.breakConnections(.goAway(code: 0, last: .beforeCall))
            }
        }
    }
}

@Test(.timeLimit(.minutes(1)), arguments: [ConnectionFault.reset, .close, .blackHole])
func newConnectionsAreBrokenUntilReleased(_ fault: ConnectionFault) async throws {
    try await Fixture.run(loops: 1) { fixture in
        _ = try await fixture.channel.unary(Methods.echo, "before")
        try await fixture.server.breakNewConnections(fault)
        try await withOther(fixture) { other in
            let options = CallOptions(timeout: .milliseconds(200))
            let status = await #expect(throws: Status.self) {
                try await other.unary(Methods.echo, "x", options: options)
            }
            #expect(status?.code == (fault == .blackHole ? .deadlineExceeded : .unavailable))
            #expect(status?.certainty == .notProcessed)
            let old = try await fixture.channel.unary(Methods.echo, "old")
            #expect(old == "old")
            try await fixture.server.release()
            let new = try await other.unary(Methods.echo, "new", options: Saboteur.well)
            #expect(new == "new")
        }
    }
}

@Test(.timeLimit(.minutes(1))) func connectionsAreRefusedUntilReleased() async throws {
    try await Fixture.run(loops: 2) { fixture in
        _ = try await fixture.channel.unary(Methods.echo, "before")
        await fixture.server.refuseConnections()
        try await withOther(fixture) { other in
            let status = await #expect(throws: Status.self) { try await other.unary(Methods.echo, "x") }
            #expect(status?.code == .unavailable && status?.certainty == .notProcessed)
            try await fixture.server.release()
            let new = try await other.unary(Methods.echo, "new", options: Saboteur.well)
            #expect(new == "new")
        }
    }
}
