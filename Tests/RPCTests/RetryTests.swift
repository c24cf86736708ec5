import HTTP2
import Limits
import RPC
import RPCCore
import Synchronization
import Testing

private let policy = RetryPolicy(
    maximumAttempts: 4, initialBackoff: .milliseconds(1), maximumBackoff: .milliseconds(4), backoffMultiplier: 2,
    retryableCodes: [.unavailable, .aborted])

private func configuration(
    _ policy: RetryPolicy? = policy, throttling: RetryThrottling? = nil
) -> ClientConfiguration {
    var configuration = ClientConfiguration.hasty
    var method = MethodConfig(names: [MethodName(service: "test.Text")])
    method.retryPolicy = policy
    configuration.serviceConfig.methods = [method]
    configuration.serviceConfig.retryThrottling = throttling
    return configuration
}

/// Runs `body` with a channel to a server whose script gets whole requests only.
private func withServer<Result>(
    _ configuration: ClientConfiguration = configuration(),
    answer: @escaping @Sendable (ScriptedCall) -> Void,
    _ body: (ScriptedServer, RPCClientChannel) async throws -> Result
) async throws -> Result {
    try await ScriptedServer.run { call, event in
        if event == .end { answer(call) }
    } body: { server in
        try await withChannel(to: Target(Endpoint(server.address)), configuration) { try await body(server, $0) }
    }
}

// MARK: By policy

@Test func aFailureInThePolicyIsRetriedWithItsRequest() async throws {
    try await withServer { call in
        if call.number < 3 { call.end(.unavailable) } else { call.echo() }
    } _: { server, channel in
        let answer = try await channel.unary(Methods.echo, "hello")
        #expect(answer == "hello")
        #expect(server.calls.map(\.messages) == [["hello"], ["hello"], ["hello"]])
        #expect(server.calls.map { $0.fields["grpc-previous-rpc-attempts"] } == [nil, "1", "2"])
    }
}

@Test func eachAttemptIsCompressedAsTheCallWants() async throws {
    try await withServer { call in
        call.number == 1 ? call.end(.unavailable) : call.end(.notFound)
    } _: { server, channel in
        let large = String(repeating: "x", count: 10_000)
        await #expect(throws: Status.self) {
            try await channel.unary(Methods.echo, large, options: CallOptions(encoding: .gzip))
        }
        #expect(server.calls.map { $0.fields["grpc-encoding"] } == ["gzip", "gzip"])
        #expect(server.calls.allSatisfy { $0.messages.count == 1 && $0.messages[0].count < 200 })
        #expect(server.calls[0].messages == server.calls[1].messages)
    }
}

@Test func attemptsAreCounted() async throws {
    try await withServer { call in
        call.end(.unavailable, ["grpc-message": "no \(call.number)"])
    } _: { server, channel in
        let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
        #expect(status?.code == .unavailable && status?.message == "no 4")
        #expect(server.calls.count == 4)
    }
}

@Test func moreThanFiveAttemptsCountAsFive() async throws {
    let policy = RetryPolicy(
        maximumAttempts: 50, initialBackoff: .milliseconds(1), maximumBackoff: .milliseconds(1), backoffMultiplier: 1,
        retryableCodes: [.unavailable])
    try await withServer(configuration(policy)) { call in
        call.end(.unavailable)
    } _: { server, channel in
        await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
        #expect(server.calls.count == 5)
    }
}

@Test(arguments: [Status.Code.internal, .invalidArgument, .deadlineExceeded])
func otherFailuresAreFinal(_ code: Status.Code) async throws {
    try await withServer { call in
        call.end(code)
    } _: { server, channel in
        let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
        #expect(status?.code == code && server.calls.count == 1)
    }
}

/// An order that may have reached its handler is never sent again, unless somebody asked for it.
@Test(arguments: ["unavailable", "reset", "cut"])
func withoutAPolicyNothingThatMayHaveBeenProcessedIsRepeated(_ failure: String) async throws {
    try await withServer(ClientConfiguration.hasty) { call in
        switch failure {
        case "unavailable": call.end(.unavailable)
        case "reset": call.reset(.internalError)
        default: call.peer.cut()
        }
    } _: { server, channel in
        let unary = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
        #expect(unary?.certainty != .notProcessed)
        let streamed = await #expect(throws: Status.self) {
            try await channel.clientStreaming(Methods.join) { try await $0.write("x") }
        }
        #expect(streamed?.certainty != .notProcessed)
        #expect(server.calls.count == 2)
    }
}

@Test func aConnectionThatIsCutIsRetriedWhenThePolicySaysSo() async throws {
    try await withServer { call in
        if call.number == 1 { call.peer.cut() } else { call.echo() }
    } _: { server, channel in
        let answer = try await channel.unary(Methods.echo, "x")
        #expect(answer == "x" && server.calls.count == 2)
    }
}

@Test func theDeadlineCoversAllAttempts() async throws {
    let slow = RetryPolicy(
        maximumAttempts: 5, initialBackoff: .seconds(3600), maximumBackoff: .seconds(3600), backoffMultiplier: 1,
        retryableCodes: [.unavailable])
    try await withServer(configuration(slow)) { call in
        call.end(.unavailable)
    } _: { server, channel in
        // The retry would come after the deadline: the failure is told at once.
        let status = await #expect(throws: Status.self) {
            try await channel.unary(Methods.echo, "x", options: CallOptions(timeout: .seconds(60)))
        }
        #expect(status?.code == .unavailable && server.calls.count == 1)
    }
    try await withServer { call in
        if call.number == 1 { call.end(.unavailable) }
    } _: { server, channel in
        let status = await #expect(throws: Status.self) {
            try await channel.unary(Methods.echo, "x", options: CallOptions(timeout: .milliseconds(200)))
        }
        #expect(status?.code == .deadlineExceeded && server.calls.count == 2)
        let timeouts = server.calls.compactMap { $0.fields["grpc-timeout"] }
        #expect(timeouts.count == 2 && timeouts[0] != timeouts[1])
    }
}

@Test func cancellingEndsThePauseBeforeARetry() async throws {
    let slow = RetryPolicy(
        maximumAttempts: 5, initialBackoff: .seconds(3600), maximumBackoff: .seconds(3600), backoffMultiplier: 1,
        retryableCodes: [.unavailable])
    try await withServer(configuration(slow)) { call in
        call.end(.unavailable)
    } _: { server, channel in
        let unary = Task { try await channel.unary(Methods.echo, "x") }
        while await server.events.next() != "call 1" {}
        unary.cancel()
        let cancelled = await #expect(throws: Status.self) { try await unary.value }
        #expect(cancelled?.code == .cancelled || cancelled?.code == .unavailable)
        // The same by the call itself, from another task.
        let call = try await channel.startCall(Methods.echo.path, options: .defaults)
        try await call.send([1])
        await call.finishSending()
        let reading = Task { try await call.receive() }
        while await server.events.next() != "call 2" {}
        call.cancel()
        let left = await #expect(throws: Status.self) { try await reading.value }
        #expect(left?.code == .cancelled || left?.code == .unavailable)
        // And by the end of the channel.
        let third = Task { try await channel.unary(Methods.echo, "x") }
        while await server.events.next() != "call 3" {}
        await channel.shutDown()
        await #expect(throws: Status.self) { try await third.value }
        #expect(server.calls.count == 3)
    }
}

// MARK: Push-back and throttling

@Test func theServerSetsThePause() async throws {
    let slow = RetryPolicy(
        maximumAttempts: 3, initialBackoff: .seconds(3600), maximumBackoff: .seconds(3600), backoffMultiplier: 1,
        retryableCodes: [.unavailable])
    try await withServer(configuration(slow)) { call in
        if call.number == 1 { call.end(.unavailable, ["grpc-retry-pushback-ms": "50"]) } else { call.echo() }
    } _: { server, channel in
        let start = ContinuousClock.now
        let answer = try await channel.unary(Methods.echo, "x")
        #expect(answer == "x" && server.calls.count == 2)
        #expect(start.duration(to: .now) >= .milliseconds(50))
    }
}

@Test(arguments: ["-1", "soon", "", "007", "4294967296"])
func theServerForbidsRetries(_ pushback: String) async throws {
    try await withServer { call in
        call.end(.unavailable, ["grpc-retry-pushback-ms": pushback])
    } _: { server, channel in
        await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
        #expect(server.calls.count == 1)
    }
}

@Test func retriesStopWhileTooManyCallsFail() async throws {
    let throttling = RetryThrottling(maximumTokens: 4, tokenThousandths: 500)
    try await withServer(configuration(throttling: throttling)) { call in
        call.messages == [Array("good".utf8)] ? call.echo() : call.end(.unavailable)
    } _: { server, channel in
        // 4 tokens: the first failure leaves 3, the second 2, which is not above half.
        await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "bad") }
        #expect(server.calls.count == 2)
        await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "bad") }
        #expect(server.calls.count == 3)
        // 1 token; five successes bring it to 3.5: one retry.
        for _ in 0..<5 { _ = try await channel.unary(Methods.echo, "good") }
        await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "bad") }
        #expect(server.calls.count == 3 + 5 + 2)
    }
}

// MARK: Streams

@Test func aStreamIsReplayedUntilTheResponseBegins() async throws {
    try await ScriptedServer.run { call, event in
        switch (call.number, event) {
        case (1, .message) where call.messages.count == 2: call.end(.unavailable)
        case (2, .message) where call.messages.count == 3: call.reset(.refusedStream)
        case (3, .end):
            for message in call.messages { call.send(message) }
            call.end(.ok)
        default: break
        }
    } body: { server in
        try await withChannel(to: Target(Endpoint(server.address)), configuration()) { channel in
            let answers = try await channel.bidirectional(Methods.chat) { writer, responses in
                // Whoever reads meets each failure, and makes the next attempt.
                async let answers = responses.reduce(into: [String]()) { $0.append($1) }
                for message in ["a", "b"] { try await writer.write(message) }
                while await server.events.next() != "call 2" {}
                try await writer.write("c")
                await writer.finish()
                return try await answers
            }
            #expect(answers == ["a", "b", "c"])
            #expect(server.calls[2].messages == answers)
            #expect(server.calls.map { $0.fields["grpc-previous-rpc-attempts"] } == [nil, "1", "1"])
        }
    }
}

@Test func aResponseThatHasBegunCommits() async throws {
    try await withServer { call in
        call.send(Array("part".utf8))
        call.end(.unavailable)
    } _: { server, channel in
        var parts: [String] = []
        let status = await #expect(throws: Status.self) {
            try await channel.serverStreaming(Methods.countdown, "9") { responses in
                for try await response in responses { parts.append(response) }
            }
        }
        #expect(parts == ["part"] && status?.code == .unavailable && server.calls.count == 1)
    }
    // Headers alone do, too.
    try await withServer { call in
        call.sendHeaders(["x-first": "1"])
        call.end(.unavailable)
    } _: { server, channel in
        await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
        #expect(server.calls.count == 1)
    }
}

@Test func whatExceedsTheBufferCommits() async throws {
    var small = configuration()
    small.retryBufferBytesPerCall = 1000
    try await withServer(small) { call in
        call.end(.unavailable)
    } _: { server, channel in
        await #expect(throws: Status.self) {
            try await channel.unary(Methods.echo, String(repeating: "x", count: 1000))
        }
        #expect(server.calls.count == 1)
        await #expect(throws: Status.self) {
            try await channel.unary(Methods.echo, String(repeating: "x", count: 900))
        }
        #expect(server.calls.count == 5)
    }
    // The loop's buffer is shared, and given back by calls that end.
    small = configuration()
    small.retryBufferBytesPerLoop = 1000
    try await withServer(small) { call in
        call.messages.first?.count == 900 ? call.end(.unavailable) : call.echo()
    } _: { server, channel in
        for _ in 0..<10 { _ = try await channel.unary(Methods.echo, String(repeating: "x", count: 800)) }
        await #expect(throws: Status.self) {
            try await channel.unary(Methods.echo, String(repeating: "x", count: 900))
        }
        #expect(server.calls.count == 14)
    }
}

// MARK: Transparent retries

@Test(arguments: [true, false])
func aRefusedStreamIsMadeAgainOnceWithoutAPolicy(_ isUnary: Bool) async throws {
    try await withServer(ClientConfiguration.hasty) { call in
        call.number % 2 == 1 || call.number > 4 ? call.reset(.refusedStream) : call.echo()
    } _: { server, channel in
        func callOnce() async throws -> String {
            if isUnary { return try await channel.unary(Methods.echo, "x") }
            return try await channel.clientStreaming(Methods.join) { try await $0.write("x") }
        }
        for _ in 0..<2 {
            let answer = try await callOnce()
            #expect(answer == "x")
        }
        #expect(server.calls.count == 4)
        let status = await #expect(throws: Status.self) { try await callOnce() }
        #expect(status?.code == .unavailable && status?.certainty == .notProcessed && server.calls.count == 6)
        #expect(server.calls.allSatisfy { $0.fields["grpc-previous-rpc-attempts"] == nil && $0.messages == ["x"] })
    }
}

@Test func aCallAboveTheLastIDOfGoAwayIsMadeAgainElsewhere() async throws {
    try await withServer(ClientConfiguration.hasty) { call in
        // Says that it has seen none of the calls on its first connection.
        call.peer.number == 1 ? call.peer.goAway(last: 0) : call.echo()
    } _: { server, channel in
        let answer = try await channel.unary(Methods.echo, "x")
        #expect(answer == "x" && server.calls.map(\.connection) == [1, 2])
    }
}

@Test func aCallBelowTheLastIDOfGoAwayGoesOn() async throws {
    try await withServer(ClientConfiguration.hasty) { call in
        call.peer.goAway(last: UInt32(call.id))
        call.echo()
    } _: { server, channel in
        for _ in 0..<3 {
            let answer = try await channel.unary(Methods.echo, "x")
            #expect(answer == "x")
        }
        #expect(server.calls.map(\.connection) == [1, 2, 3])
    }
}

/// Calls that wait in this process while their connection ends go out on the next, however often that happens.
@Test func callsThatNeverLeftAreMadeAgainWithoutLimit() async throws {
    var settings = HTTP2Settings()
    settings.maximumConcurrentStreams = 1
    try await ScriptedServer.run(settings: settings) { call, event in
        guard event == .end else { return }
        call.echo()
        call.peer.goAway(last: UInt32(call.id))
    } body: { server in
        try await withChannel(to: Target(Endpoint(server.address)), .hasty) { channel in
            let answers = try await withThrowingTaskGroup { tasks in
                for number in 0..<30 { tasks.addTask { try await channel.unary(Methods.echo, "\(number)") } }
                var answers: Set<String> = []
                for try await answer in tasks { answers.insert(answer) }
                return answers
            }
            #expect(answers.count == 30 && server.calls.count == 30)
        }
    }
}

// MARK: Method configs

@Test func theMethodsConfigBoundsTimeAndSizes() async throws {
    var configuration = ClientConfiguration.hasty
    var time = MethodConfig(names: [MethodName(service: "test.Text", method: "Hang")])
    time.timeout = .milliseconds(50)
    var sizes = MethodConfig(names: [MethodName(service: "test.Text")])
    sizes.maximumRequestBytes = 10
    sizes.maximumResponseBytes = 5
    configuration.serviceConfig.methods = [time, sizes]
    try await withServer(configuration) { call in
        if call.fields[":path"] != Methods.hang.path { call.echo() }
    } _: { server, channel in
        let fitting = try await channel.unary(Methods.echo, "12345")
        #expect(fitting == "12345")
        let large = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "12345678901") }
        #expect(large?.code == .resourceExhausted && large?.certainty == .notProcessed)
        let answer = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "123456") }
        #expect(answer?.code == .resourceExhausted && answer?.certainty == .unknown)
        // The method's own entry counts, and its sizes are free.
        let late = await #expect(throws: Status.self) {
            try await channel.unary(Methods.hang, "12345678901", options: CallOptions(timeout: .seconds(60)))
        }
        #expect(late?.code == .deadlineExceeded && late?.certainty == .unknown)
    }
}

@Test func waitingForReadinessComesFromTheConfigUnlessTheCallSays() async throws {
    var configuration = ClientConfiguration.hasty
    var method = MethodConfig(names: [.all])
    method.waitsForReady = true
    configuration.serviceConfig.methods = [method]
    let nobody = Target(.unix(path: "/tmp/meridian-rpc-nobody.sock"))
    try await withChannel(to: nobody, configuration) { channel in
        let waited = await #expect(throws: Status.self) {
            try await channel.unary(Methods.echo, "x", options: CallOptions(timeout: .milliseconds(60)))
        }
        #expect(waited?.code == .deadlineExceeded)
        let failed = await #expect(throws: Status.self) {
            try await channel.unary(
                Methods.echo, "x", options: CallOptions(timeout: .seconds(60), waitsForReady: false))
        }
        #expect(failed?.code == .unavailable && failed?.certainty == .notProcessed)
    }
}
