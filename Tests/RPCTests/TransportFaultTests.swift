import EventLoop
import HTTP2
import Limits
import RPCCore
import Synchronization
import Testing

@testable import RPC

/// Lets the first calls of a server go wrong, but for those that are to be well.
final class Saboteur: ServerInterceptor {
    private let fault: TransportFault
    private let count: Int
    private let events: Events
    private let seen = Atomic(0)

    /// - Parameter events: `struck` when a fault was carried out.
    init(_ fault: TransportFault, calls count: Int = 1, events: Events = Events()) {
        self.fault = fault
        self.count = count
        self.events = events
    }

    /// The options of a call that is to be well, also on a connection that has to be made first.
    static let well = CallOptions(metadata: ["x-well": "yes"], waitsForReady: true)

    /// Calls that came, without those.
    var calls: Int { seen.load(ordering: .acquiring) }

    func intercept(_ call: any ServerCall, next: @Sendable (any ServerCall) async throws -> Void) async throws {
        guard call.metadata["x-well"] == nil else { return try await next(call) }
        if seen.add(1, ordering: .acquiringAndReleasing).newValue <= count {
            try await call.carryOut(fault)
            events.report("struck")
        }
        try await next(call)
    }
}

/// Of "hi", seven bytes.
private let message: [UInt8] = [0, 0, 0, 0, 2] + Array("hi".utf8)

private let faults: [(TransportFault, [String], Status.Code)] = [
    (.init(.resetStream(code: 2)), ["RESET 2"], .internal),
    (.init(.resetStream(code: 8), .afterHeaders), ["HEADERS", "RESET 8"], .cancelled),
    // A response that has begun shows that the call was processed after all.
    (.init(.resetStream(code: 7), .afterHeaders), ["HEADERS", "RESET 7"], .unavailable),
    (.init(.resetStream(code: 11), .afterMessages(1)), ["HEADERS", "DATA 7", "RESET 11"], .resourceExhausted),
    (.init(.resetStream(code: 2), .afterBytes(3)), ["HEADERS", "DATA 3", "RESET 2"], .internal),
    (.init(.resetStream(code: 2), .afterBytes(0)), ["HEADERS", "RESET 2"], .internal),
    (.init(.resetStream(code: 2), .insteadOfStatus), ["HEADERS", "DATA 7", "RESET 2"], .internal),
    // A point that the answer does not reach is its end.
    (.init(.resetStream(code: 2), .afterMessages(2)), ["HEADERS", "DATA 7", "RESET 2"], .internal),
    (.init(.endStream), ["HEADERS END"], .unknown),
    (.init(.endStream, .afterHeaders), ["HEADERS", "DATA 0 END"], .unknown),
    (.init(.endStream, .afterMessages(1)), ["HEADERS", "DATA 7 END"], .unknown),
    (.init(.endStream, .afterBytes(6)), ["HEADERS", "DATA 6 END"], .unknown),
    (.init(.omitStatus, .insteadOfStatus), ["HEADERS", "DATA 7", "HEADERS END"], .unknown),
    (.init(.omitStatus), ["HEADERS", "HEADERS END"], .unknown),
    (
        .init(.truncatedMessage(announcedBytes: 9, content: [1, 2]), .afterHeaders), ["HEADERS", "DATA 7 END"],
        .unknown
    ),
    (
        .init(.httpResponse(status: 503, contentType: "text/html", body: Array("<p>".utf8))),
        ["HEADERS", "DATA 3 END"], .unavailable
    ),
    (.init(.httpResponse(status: 401, contentType: "text/html", body: [])), ["HEADERS END"], .unauthenticated),
]

@Test(.timeLimit(.minutes(1)), arguments: faults)
func whatAFaultLooksLike(_ fault: TransportFault, _ frames: [String], _ code: Status.Code) async throws {
    let saboteur = Saboteur(fault, calls: 2)
    try await Fixture.run(loops: 1, interceptors: [saboteur]) { fixture in
        try await RawPeer.run(fixture.address) { peer in
            let stream = peer.request("/test.Text/Echo", message: message)
            try peer.exchange { stream.hasEnded || stream.closeCode != nil }
            #expect(peer.frames(of: 1) == frames)
            // The connection goes on.
            try peer.settle()
            #expect(peer.goAways.isEmpty && !peer.isClosedByServer)
        }
        let status = await #expect(throws: Status.self) { try await fixture.channel.unary(Methods.echo, "hi") }
        #expect(status?.code == code, "\(String(describing: status))")
        #expect(status?.certainty == .unknown)
        // It was not made again, and the next one is well.
        #expect(saboteur.calls == 2)
        let next = try await fixture.channel.unary(Methods.echo, "next", options: Saboteur.well)
        #expect(next == "next")
    }
}

@Test(.timeLimit(.minutes(1))) func aRefusedStreamIsMadeAgain() async throws {
    let saboteur = Saboteur(TransportFault(.resetStream(code: 7)))
    try await Fixture.run(loops: 1, interceptors: [saboteur]) { fixture in
        let answer = try await fixture.channel.unary(Methods.echo, "hi")
        #expect(answer == "hi" && saboteur.calls == 2)
    }
}

@Test(.timeLimit(.minutes(1))) func resetsOnPurposeAreNotTheClientsFault() async throws {
    var configuration = ServerConfiguration()
    configuration.http2.resetBurst = 2
    let saboteur = Saboteur(TransportFault(.resetStream(code: 2)), calls: 20)
    try await Fixture.run(loops: 1, server: configuration, interceptors: [saboteur]) { fixture in
        try await RawPeer.run(fixture.address) { peer in
            for _ in 0..<20 {
                let stream = peer.request("/test.Text/Echo", message: message)
                try peer.exchange { stream.closeCode != nil }
                #expect(stream.closeCode == 2)
            }
            try peer.settle()
            #expect(peer.goAways.isEmpty)
        }
    }
}

@Test(.timeLimit(.minutes(1))) func aStreamOfMessagesIsCutAsToldAndItsHandlerLearnsOfIt() async throws {
    let saboteur = Saboteur(TransportFault(.resetStream(code: 2), .afterMessages(2)))
    try await Fixture.run(loops: 1, interceptors: [saboteur]) { fixture in
        let (answers, status) = try await fixture.channel.serverStreaming(Methods.countdown, "5") { responses in
            var answers: [String] = []
            do {
                for try await response in responses { answers.append(response) }
                return (answers, Status.ok)
            } catch let status as Status {
                return (answers, status)
            }
        }
        #expect(answers == ["5", "4"] && status.code == .internal)
        // The third write has failed.
        _ = try await fixture.channel.serverStreaming(Methods.countdown, "1") { for try await _ in $0 {} }
        var written: [String?] = []
        for _ in 0..<3 { written.append(await fixture.events.next()) }
        #expect(written == ["wrote 5", "wrote 4", "wrote 1"])
    }
}

/// Breaks its call off and waits to be cancelled, without having suspended before.
private struct WaitingSaboteur: ServerInterceptor {
    let events: Events

    func intercept(_ call: any ServerCall, next: @Sendable (any ServerCall) async throws -> Void) async throws {
        try await call.carryOut(TransportFault(.resetStream(code: 2)))
        events.report("struck")
        await untilCancelled()
        events.report("cancelled \(call.isCancelled)")
    }
}

@Test(.timeLimit(.minutes(1))) func aHandlerThatHasNotSuspendedIsCancelledToo() async throws {
    let events = Events()
    try await Fixture.run(loops: 1, interceptors: [WaitingSaboteur(events: events)]) { fixture in
        let status = await #expect(throws: Status.self) { try await fixture.channel.unary(Methods.echo, "x") }
        #expect(status?.code == .internal)
        #expect(await events.next() == "struck")
        #expect(await events.next() == "cancelled true")
    }
}

// MARK: Silence and slowness

/// The answer to a call, or the code with which it failed.
private func outcome(_ channel: RPCClientChannel) async throws -> String {
    do { return try await channel.unary(Methods.echo, "x") } catch let status as Status {
        return status.code.description
    }
}

@Test(.timeLimit(.minutes(1))) func silenceLastsUntilTheClientGivesUp() async throws {
    let saboteur = Saboteur(TransportFault(.silence, .afterHeaders), calls: 2)
    try await Fixture.run(loops: 1, interceptors: [saboteur]) { fixture in
        try await RawPeer.run(fixture.address) { peer in
            let stream = peer.request("/test.Text/Echo", message: message)
            try peer.exchange { !stream.headers.isEmpty }
            try peer.settle()
            #expect(peer.frames(of: 1) == ["HEADERS"] && stream.closeCode == nil)
            stream.reset(.cancel)
            try peer.settle()
            #expect(peer.frames(of: 1) == ["HEADERS"])
        }
        let options = CallOptions(timeout: .milliseconds(100))
        let status = await #expect(throws: Status.self) {
            try await fixture.channel.unary(Methods.echo, "x", options: options)
        }
        #expect(status?.code == .deadlineExceeded)
        let next = try await fixture.channel.unary(Methods.echo, "next", options: Saboteur.well)
        #expect(next == "next")
    }
}

@Test(.timeLimit(.minutes(1))) func silenceEndsWithItsLimitAndWithTheServer() async throws {
    var configuration = ServerConfiguration()
    configuration.faultLimit = .milliseconds(50)
    try await Fixture.run(
        loops: 1, server: configuration, interceptors: [Saboteur(TransportFault(.silence))]
    ) { fixture in
        let status = await #expect(throws: Status.self) { try await fixture.channel.unary(Methods.echo, "x") }
        #expect(status?.code == .cancelled && status?.certainty == .unknown)
    }
    let events = Events()
    try await Fixture.run(loops: 1, interceptors: [Saboteur(TransportFault(.silence), events: events)]) { fixture in
        async let seen = outcome(fixture.channel)
        #expect(await events.next() == "struck")
        let start = ContinuousClock.now
        await fixture.server.shutDown(grace: .seconds(60))
        #expect(ContinuousClock.now - start < .seconds(30))
        let code = try await seen
        #expect(code == "CANCELLED")
    }
}

@Test(.timeLimit(.minutes(1))) func slowBytesArriveInTheEnd() async throws {
    let fault = TransportFault(.trickle(bytes: 4, every: .milliseconds(1)))
    try await Fixture.run(loops: 1, interceptors: [Saboteur(fault, calls: 2)]) { fixture in
        try await RawPeer.run(fixture.address) { peer in
            let stream = peer.request("/test.Text/Echo", message: [0, 0, 0, 0, 20] + Array(repeating: 65, count: 20))
            try peer.exchange { stream.hasEnded }
            let drops = ["DATA 4", "DATA 4", "DATA 4", "DATA 4", "DATA 4", "DATA 4", "DATA 1"]
            #expect(peer.frames(of: 1) == ["HEADERS"] + drops + ["HEADERS END"])
            #expect(stream.data.count == 25 && stream.headers["grpc-status"] == "0")
        }
        let answer = try await fixture.channel.unary(Methods.echo, "slow but whole")
        #expect(answer == "slow but whole")
    }
}

// MARK: What cannot be

@Test(
    .timeLimit(.minutes(1)),
    arguments: [
        (.init(.silence, .afterMessages(-1)), .invalidArgument), (.init(.silence, .afterBytes(-1)), .invalidArgument),
        (.init(.truncatedMessage(announcedBytes: 1, content: [1])), .invalidArgument),
        (.init(.httpResponse(status: 99, contentType: "", body: [])), .invalidArgument),
        (.init(.httpResponse(status: 503, contentType: "", body: []), .afterHeaders), .invalidArgument),
        (.init(.trickle(bytes: 0, every: .seconds(1))), .invalidArgument),
        (.init(.trickle(bytes: 1, every: .zero)), .invalidArgument),
        (.init(.connection(.goAway(code: 0, last: .id(2)))), .invalidArgument),
    ] as [(TransportFault, Status.Code)])
func impossibleFaultsAreRefused(_ fault: TransportFault, _ code: Status.Code) async throws {
    try await Fixture.run(loops: 1, interceptors: [Saboteur(fault)]) { fixture in
        let status = await #expect(throws: Status.self) { try await fixture.channel.unary(Methods.echo, "hi") }
        #expect(status?.code == code && status?.certainty == .answered)
    }
    let channel = InProcessChannel(
        services: ServiceRegistry([TextService(events: Events())]), interceptors: [Saboteur(fault)])
    let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "hi") }
    #expect(status?.code == code)
}

@Test(.timeLimit(.minutes(1))) func aCallHasOneFaultAtATime() async throws {
    let late = TransportFault(.resetStream(code: 2), .insteadOfStatus)
    try await Fixture.run(loops: 1, interceptors: [Saboteur(late), Saboteur(late)]) { fixture in
        try await RawPeer.run(fixture.address) { peer in
            let stream = peer.request("/test.Text/Echo", message: message)
            try peer.exchange { stream.hasEnded || stream.closeCode != nil }
            // The second was refused, which has ended the answer, in whose place the first has struck.
            #expect(peer.frames(of: 1) == ["RESET 2"])
        }
    }
}

@Test(.timeLimit(.minutes(1))) func aContextWithoutAConnectionHasNothingToBreak() async {
    let context = ServerContext(testing: "/test.Text/Echo")
    await #expect(throws: TransportFaultError.unsupported("there is no connection below this call")) {
        try await context.carryOut(TransportFault(.silence))
    }
}

// MARK: Pure, and in process

@Test(
    arguments: [
        (.afterMessages(2), [7, 7, 7], [7, 7], true), (.afterMessages(3), [7, 7], [7, 7], false),
        (.afterBytes(10), [7, 7], [7, 3], true), (.afterBytes(7), [7, 7], [7], true),
        (.afterBytes(15), [7, 7], [7, 7], false), (.insteadOfStatus, [7], [7], false),
    ] as [(TransportFault.Point, [Int], [Int], Bool)])
func progressTowardsAPoint(
    _ point: TransportFault.Point, _ messages: [Int], _ expected: [Int], _ strikes: Bool
) {
    var progress = FaultProgress(point)
    var passed: [Int] = []
    var hasStruck = false
    for message in messages where !hasStruck {
        let (bytes, strikesNow) = progress.passes(message)
        passed.append(bytes)
        hasStruck = strikesNow
    }
    #expect(passed == expected && hasStruck == strikes && !progress.strikesAfterHeaders)
}

@Test(.timeLimit(.minutes(1)), arguments: faults)
func faultsInProcessEndAsOverASocket(
    _ fault: TransportFault, _ frames: [String], _ code: Status.Code
) async throws {
    let services = ServiceRegistry([TextService(events: Events())])
    let channel = InProcessChannel(services: services, interceptors: [Saboteur(fault)])
    let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "hi") }
    #expect(status?.code == code)
    #expect(status?.certainty == .unknown)
    let next = try await channel.unary(Methods.echo, "next", options: Saboteur.well)
    #expect(next == "next")
}

@Test(
    .timeLimit(.minutes(1)),
    arguments: [
        (.init(.resetStream(code: 7)), .notProcessed),
        (.init(.connection(.goAway(code: 0, last: .none))), .notProcessed),
        (.init(.connection(.goAway(code: 0, last: .beforeCall)), .afterMessages(1)), .unknown),
        (.init(.connection(.close)), .unknown), (.init(.connection(.halfClose), .afterHeaders), .unknown),
        (.init(.connection(.reset), .insteadOfStatus), .unknown), (.init(.connection(.oversizedFrame)), .unknown),
    ] as [(TransportFault, Status.Certainty)])
func whatEndsAConnectionEndsTheCallInProcess(_ fault: TransportFault, _ certainty: Status.Certainty) async throws {
    let services = ServiceRegistry([TextService(events: Events())])
    let channel = InProcessChannel(services: services, interceptors: [Saboteur(fault)])
    let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "hi") }
    #expect(status?.code == .unavailable && status?.certainty == certainty)
}

@Test(.timeLimit(.minutes(1))) func whatNeedsAConnectionIsRefusedInProcess() async throws {
    let faults: [TransportFault.Action] = [
        .trickle(bytes: 1, every: .seconds(1)), .connection(.closedWindow), .connection(.oneStream),
        .connection(.ignoredPings), .connection(.goAway(code: 0, last: .all)),
    ]
    for fault in faults {
        let services = ServiceRegistry([TextService(events: Events())])
        let channel = InProcessChannel(services: services, interceptors: [Saboteur(TransportFault(fault))])
        let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "hi") }
        #expect(status?.code == .unimplemented, "\(fault)")
    }
}

@Test(.timeLimit(.minutes(1))) func silenceInProcessLastsUntilTheDeadline() async throws {
    let saboteur = Saboteur(TransportFault(.silence, .afterMessages(1)))
    let channel = InProcessChannel(
        services: ServiceRegistry([TextService(events: Events())]), interceptors: [saboteur])
    let options = CallOptions(timeout: .milliseconds(50))
    let (answers, code) = try await channel.serverStreaming(Methods.countdown, "3", options: options) { responses in
        var answers: [String] = []
        do {
            for try await response in responses { answers.append(response) }
            return (answers, Status.Code.ok)
        } catch let status as Status {
            return (answers, status.code)
        }
    }
    #expect(answers == ["3"] && code == .deadlineExceeded)
}
