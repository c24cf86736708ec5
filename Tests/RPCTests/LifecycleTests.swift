import EventLoop
import HTTP2
import Limits
import RPC
import RPCCore
import Testing

@Test func theDeadlineReachesTheHandlerAndOnlyShrinks() async throws {
    try await Fixture.run { fixture in
        let none = try await fixture.channel.unary(Methods.echo, "deadline?")
        let own = try await fixture.channel.unary(
            Methods.echo, "deadline?", options: CallOptions(timeout: .seconds(100)))
        let inherited = try await Deadline.within(.seconds(50)) {
            try await fixture.channel.unary(Methods.echo, "deadline?", options: CallOptions(timeout: .seconds(100)))
        }
        #expect(none == "none" && own == "99" && inherited == "49")
    }
}

@Test func aDeadlineEndsTheCallOnBothSides() async throws {
    try await Fixture.run { fixture in
        let status = await #expect(throws: Status.self) {
            try await fixture.channel.unary(Methods.hang, "a", options: CallOptions(timeout: .milliseconds(50)))
        }
        #expect(status?.code == .deadlineExceeded && status?.certainty != .notProcessed)
        let events = [await fixture.events.next(), await fixture.events.next()]
        #expect(events == ["started a", "cancelled a true"])
    }
}

@Test func aPastDeadlineFailsBeforeTheCall() async throws {
    try await Fixture.run { fixture in
        let status = await #expect(throws: Status.self) {
            try await fixture.channel.unary(Methods.echo, "a", options: CallOptions(timeout: .seconds(-1)))
        }
        #expect(status?.code == .deadlineExceeded && status?.certainty == .notProcessed)
    }
}

@Test func cancellingTheClientsTaskCancelsTheHandler() async throws {
    try await Fixture.run { fixture in
        let channel = fixture.channel
        let call = Task { try await channel.unary(Methods.hang, "a") }
        #expect(await fixture.events.next() == "started a")
        call.cancel()
        #expect(await fixture.events.next() == "cancelled a true")
        let status = await #expect(throws: Status.self) { try await call.value }
        #expect(status?.code == .cancelled && status?.certainty == .unknown)
    }
}

@Test func leavingTheScopeCancelsTheCall() async throws {
    try await Fixture.run { fixture in
        let first = try await fixture.channel.serverStreaming(Methods.countdown, "1000000000") { responses in
            for try await response in responses { return response }
            return "none"
        }
        #expect(first == "1000000000")
        let next = try await fixture.channel.unary(Methods.echo, "next")
        #expect(next == "next")
    }
}

@Test func aReaderThatStopsHoldsTheWriterBack() async throws {
    try await Fixture.run { fixture in
        let count = 2_000_000
        try await fixture.channel.serverStreaming(Methods.countdown, "\(count)") { responses in
            var iterator = responses.makeAsyncIterator()
            _ = try await iterator.next()
            // A call on the same connection goes through while the stream stands still.
            let other = try await fixture.channel.unary(Methods.echo, "other")
            #expect(other == "other")
        }
        // The writer got as far as windows and buffers reach (the events are counted up to their own bound).
        var written = 0
        fixture.events.finish()
        for await _ in fixture.events.stream { written += 1 }
        #expect(written < 100_000, "\(written)")
    }
}

@Test func aHandlersChildTaskMayBeCancelledAlone() async throws {
    try await Fixture.run { fixture in
        let answer = try await fixture.channel.bidirectional(Methods.impatient) { writer, responses in
            var iterator = responses.makeAsyncIterator()
            let first = try await iterator.next()
            try await writer.write("late")
            let second = try await iterator.next()
            return [first, second]
        }
        #expect(answer == ["gave up", "late"])
    }
}

@Test func aDrainLetsOpenCallsEnd() async throws {
    try await Fixture.run { fixture in
        let answers = try await fixture.channel.bidirectional(Methods.chat) { writer, responses in
            var iterator = responses.makeAsyncIterator()
            try await writer.write("before")
            var answers = [try await iterator.next()]
            let server = fixture.server
            async let stopped: Void = server.shutDown(grace: .seconds(60))
            // The listener is closed at once: what comes now is refused, or fails to connect.
            try await fixture.untilListenerIsClosed()
            try await writer.write("after")
            answers.append(try await iterator.next())
            await writer.finish()
            answers.append(try await iterator.next())
            await stopped
            return answers
        }
        #expect(answers == ["re: before", "re: after", nil])
        await fixture.server.run()
        let status = await #expect(throws: Status.self) { try await fixture.channel.unary(Methods.echo, "x") }
        #expect(status?.code == .unavailable && status?.certainty == .notProcessed)
    }
}

@Test func aDrainEndsByForceAfterItsGrace() async throws {
    try await Fixture.run { fixture in
        let channel = fixture.channel
        let call = Task { try await channel.unary(Methods.hang, "a") }
        #expect(await fixture.events.next() == "started a")
        await fixture.server.shutDown(grace: .milliseconds(50))
        let status = await #expect(throws: Status.self) { try await call.value }
        #expect(status?.code == .unavailable && status?.certainty == .unknown)
        #expect(await fixture.events.next() == "cancelled a true")
    }
}

@Test func cancellingRunStopsAtOnce() async throws {
    try await Fixture.run { fixture in
        let server = fixture.server
        let running = Task { await server.run() }
        let channel = fixture.channel
        let call = Task { try await channel.unary(Methods.hang, "a") }
        #expect(await fixture.events.next() == "started a")
        running.cancel()
        await running.value
        await #expect(throws: Status.self) { try await call.value }
    }
}

@Test func closingTheChannelCancelsItsCalls() async throws {
    try await Fixture.run { fixture in
        let channel = fixture.channel
        let call = Task { try await channel.unary(Methods.hang, "a") }
        #expect(await fixture.events.next() == "started a")
        await channel.shutDown(grace: .zero)
        let status = await #expect(throws: Status.self) { try await call.value }
        #expect(status?.code == .cancelled && status?.certainty == .unknown)
        #expect(await fixture.events.next() == "cancelled a true")
        let after = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
        #expect(after?.code == .unavailable && after?.certainty == .notProcessed)
    }
}

@Test func aServerThatComesBackIsFoundAgain() async throws {
    let path = "/tmp/meridian-rpc-\(UInt32.random(in: .min ... .max)).sock"
    let group = try EventLoopGroup(name: "client", count: 1)
    let channel = RPCClientChannel(target: .unix(path: path), group: group)
    // Nobody there: at once without waiting for readiness.
    let missing = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
    #expect(missing?.code == .unavailable && missing?.certainty == .notProcessed)
    for _ in 0..<3 {
        try await Fixture.run(at: .unix(path: path)) { _ in
            let options = CallOptions(timeout: .seconds(60), waitsForReady: true)
            let answer = try await channel.unary(Methods.echo, "x", options: options)
            #expect(answer == "x")
        }
    }
    await channel.shutDown()
    group.shutDown()
}

@Test func waitingForReadinessObeysTheDeadlineAndCancellation() async throws {
    let group = try EventLoopGroup(name: "client", count: 1)
    let channel = RPCClientChannel(target: .unix(path: "/tmp/meridian-rpc-nobody.sock"), group: group)
    let late = await #expect(throws: Status.self) {
        try await channel.unary(
            Methods.echo, "x", options: CallOptions(timeout: .milliseconds(30), waitsForReady: true))
    }
    #expect(late?.code == .deadlineExceeded && late?.certainty == .notProcessed)
    let waiting = Task { try await channel.unary(Methods.echo, "x", options: CallOptions(waitsForReady: true)) }
    waiting.cancel()
    let cancelled = await #expect(throws: Status.self) { try await waiting.value }
    #expect(cancelled?.code == .cancelled && cancelled?.certainty == .notProcessed)
    await channel.shutDown()
    group.shutDown()
}

@Test func moreCallsThanStreamsTakeTurns() async throws {
    var configuration = ServerConfiguration()
    configuration.http2.maximumConcurrentStreams = 3
    try await Fixture.run(loops: 1, server: configuration) { fixture in
        let channel = fixture.channel
        let answers = try await withThrowingTaskGroup { tasks in
            for number in 0..<200 { tasks.addTask { try await channel.unary(Methods.echo, "\(number)") } }
            var answers: Set<String> = []
            for try await answer in tasks { answers.insert(answer) }
            return answers
        }
        #expect(answers.count == 200)
    }
}

@Test func metadataGoesBothWays() async throws {
    try await Fixture.run { fixture in
        var metadata: Metadata = ["x-initial": "one"]
        try metadata.append([0, 1, 255], for: "x-trailing-bin")
        let options = CallOptions(metadata: metadata)
        let (initial, trailing) = try await fixture.channel.withCall(Methods.echo.path, options: options) { call in
            try await call.send(Array("m".utf8))
            await call.finishSending()
            let initial = try await call.initialMetadata()
            let message = try await call.receive()
            let end = try await call.receive()
            #expect(message == Array("m".utf8) && end == nil)
            return (initial, call.trailingMetadata)
        }
        #expect(initial == ["x-initial": "one"])
        #expect(trailing[bytes: "x-trailing-bin"] == [0, 1, 255])
    }
}

@Test func anUnknownMethodIsUnimplemented() async throws {
    try await Fixture.run { fixture in
        let status = await #expect(throws: Status.self) {
            try await fixture.channel.unary("/test.Text/Nothing", [], options: .defaults)
        }
        #expect(status?.code == .unimplemented && status?.message.contains("/test.Text/Nothing") == true)
    }
}

@Test func tooLargeMessagesAreRefusedOnBothSides() async throws {
    try await Fixture.run { fixture in
        let large = String(repeating: "x", count: (4 << 20) + 1)
        let request = await #expect(throws: Status.self) { try await fixture.channel.unary(Methods.echo, large) }
        #expect(request?.code == .resourceExhausted)
        let response = await #expect(throws: Status.self) {
            try await fixture.channel.unary(
                Methods.echo, "12345678901", options: CallOptions(maximumResponseBytes: 10))
        }
        #expect(response?.code == .resourceExhausted && response?.certainty == .unknown)
        let after = try await fixture.channel.unary(Methods.echo, "after")
        #expect(after == "after")
    }
}

private struct Recording: ServerInterceptor {
    let name: String
    let events: Events

    func intercept(_ call: any ServerCall, next: @Sendable (any ServerCall) async throws -> Void) async throws {
        events.report("\(name) in")
        if call.metadata["x-refuse"] == name { throw Status(.permissionDenied, name) }
        do {
            try await next(call)
        } catch {
            events.report("\(name) out \(Status(describing: error).code)")
            throw error
        }
        events.report("\(name) out")
    }
}

@Test func interceptorsNest() async throws {
    let events = Events()
    let interceptors = [Recording(name: "a", events: events), Recording(name: "b", events: events)]
    try await Fixture.run(interceptors: interceptors) { fixture in
        _ = try await fixture.channel.unary(Methods.echo, "x")
        let refused = await #expect(throws: Status.self) {
            try await fixture.channel.unary(Methods.echo, "x", options: CallOptions(metadata: ["x-refuse": "b"]))
        }
        #expect(refused == Status(.permissionDenied, "b"))
    }
    events.finish()
    var seen: [String] = []
    for await event in events.stream { seen.append(event) }
    #expect(seen == ["a in", "b in", "b out", "a out", "a in", "b in", "a out PERMISSION_DENIED"])
}
