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
    try await Fixture.run(loops: 1) { fixture in
        // Afterwards there is a connection, and the deadline concerns the call alone.
        _ = try await fixture.channel.unary(Methods.echo, "first")
        let status = await #expect(throws: Status.self) {
            try await fixture.channel.unary(Methods.hang, "a", options: CallOptions(timeout: .milliseconds(200)))
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

@Test func aRefusedCallWasNotProcessed() async throws {
    var configuration = ServerConfiguration()
    configuration.maximumRunningHandlersPerConnection = 1
    try await Fixture.run(loops: 1, server: configuration) { fixture in
        let channel = fixture.channel
        let hanging = Task { try await channel.unary(Methods.hang, "a") }
        #expect(await fixture.events.next() == "started a")
        let refused = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
        #expect(refused?.code == .unavailable && refused?.certainty == .notProcessed)
        hanging.cancel()
        #expect(await fixture.events.next() == "cancelled a true")
        let after = try await channel.unary(Methods.echo, "after")
        #expect(after == "after")
    }
}

@Test func closingWhileConnectingEnds() async throws {
    let group = try EventLoopGroup(name: "client", count: 1)
    // Listens, but nobody accepts or answers: the connection is made and then hangs before its SETTINGS.
    let silent = try ListeningSocket(at: .ipv4(host: "127.0.0.1", port: 0))
    let channel = RPCClientChannel(target: Endpoint(silent.address), group: group)
    let call = Task { try await channel.unary(Methods.echo, "x") }
    // A call that waits with a short deadline shows that the attempt is under way.
    let late = await #expect(throws: Status.self) {
        try await channel.unary(Methods.echo, "y", options: CallOptions(timeout: .milliseconds(50)))
    }
    #expect(late?.code == .deadlineExceeded && late?.certainty == .notProcessed)
    await channel.shutDown()
    let status = await #expect(throws: Status.self) { try await call.value }
    #expect(status?.code == .unavailable && status?.certainty == .notProcessed)
    group.shutDown()
    silent.close()
}

@Test func shuttingDownWaitsForTheHandlersToReturn() async throws {
    try await Fixture.run { fixture in
        let channel = fixture.channel
        let call = Task { try await channel.unary(Methods.linger, "x") }
        #expect(await fixture.events.next() == "lingering")
        await fixture.server.shutDown(grace: .zero)
        // Reported before the shut-down returned, though the connection was cut long before.
        fixture.events.report("shut down")
        #expect(await fixture.events.next() == "returned")
        #expect(await fixture.events.next() == "shut down")
        await #expect(throws: Status.self) { try await call.value }
    }
}

/// Random calls of every shape, some of them cancelled or cut by deadlines: none may hang, mix up answers or trap.
@Test(arguments: [1, 2]) func aThousandRandomCalls(_ loops: Int) async throws {
    try await Fixture.run(loops: loops) { fixture in
        let channel = fixture.channel
        let outcomes = await withTaskGroup { tasks in
            for number in 0..<1000 {
                tasks.addTask { await randomCall(number, channel) }
                if number % 7 == 0 { tasks.addTask { await cancelledCall(number, channel) } }
            }
            var outcomes: [String: Int] = [:]
            for await outcome in tasks { outcomes[outcome, default: 0] += 1 }
            return outcomes
        }
        #expect(Set(outcomes.keys).isSubset(of: ["ok", "late", "cancelled", "refused"]), "\(outcomes)")
        #expect((outcomes["ok"] ?? 0) > 0 && (outcomes["cancelled"] ?? 0) > 0, "\(outcomes)")
        let after = try await channel.unary(Methods.echo, "after")
        #expect(after == "after")
    }
}

private func randomCall(_ number: Int, _ channel: RPCClientChannel) async -> String {
    let options = CallOptions(timeout: number % 5 == 0 ? .milliseconds(Int64(number % 20)) : .seconds(60))
    do {
        switch number % 4 {
        case 0:
            return try await channel.unary(Methods.echo, "\(number)", options: options) == "\(number)" ? "ok" : "wrong"
        case 1:
            let count = try await channel.serverStreaming(Methods.countdown, "\(number)", options: options) {
                responses in
                var count = 0
                for try await _ in responses { count += 1 }
                return count
            }
            return count == number ? "ok" : "wrong"
        case 2:
            let joined = try await channel.clientStreaming(Methods.join, options: options) { writer in
                for part in 0..<number % 50 { try await writer.write("\(part)") }
            }
            return joined == (0..<number % 50).map(String.init).joined(separator: ",") ? "ok" : "wrong"
        default:
            return try await channel.bidirectional(Methods.chat, options: options) { writer, responses in
                var iterator = responses.makeAsyncIterator()
                for turn in 0..<number % 10 {
                    try await writer.write("\(turn)")
                    guard try await iterator.next() == "re: \(turn)" else { return "wrong" }
                }
                return "ok"
            }
        }
    } catch let status as Status where status.code == .deadlineExceeded {
        return "late"
    } catch {
        let status = Status(describing: error)
        return status.certainty == .notProcessed ? "refused" : "wrong: \(status)"
    }
}

private func cancelledCall(_ number: Int, _ channel: RPCClientChannel) async -> String {
    let call = Task { try await channel.unary(Methods.hang, "\(number)") }
    for _ in 0..<number % 30 { await Task.yield() }
    call.cancel()
    do {
        _ = try await call.value
        return "wrong"
    } catch {
        let status = Status(describing: error)
        if status.code == .cancelled { return "cancelled" }
        // A full server or queue may have refused it first.
        return status.certainty == .notProcessed ? "refused" : "wrong: \(status)"
    }
}
