import EventLoop
import HTTP2
import Limits
import RPC
import RPCCore
import Synchronization
import Testing

/// Writes down what it is told; durations are left out.
private final class Recorder: RPCMeter {
    let lines = Mutex<[String]>([])
    let lookUps = Mutex(0)

    private func write(_ line: String) { lines.withLock { $0.append(line) } }

    final class Method: ClientMethodMeter, ServerMethodMeter {
        let name: String
        let recorder: Recorder

        init(name: String, recorder: Recorder) {
            self.name = name
            self.recorder = recorder
        }

        func attemptStarted() { recorder.write("\(name) attempt") }
        func attemptEnded(_ attempt: MeasuredCall) {
            #expect(attempt.durationNanoseconds > 0)
            recorder.write(
                "\(name) \(attempt.status) sent \(attempt.sentMessageBytes) received \(attempt.receivedMessageBytes)")
        }
        func callEnded(
            _ status: Status.Code, duration: Duration, retries: Int, transparentRetries: Int, retryDelay: Duration
        ) {
            #expect(duration > .zero && (retries > 0) == (retryDelay > .zero))
            recorder.write("\(name) call \(status) \(retries) \(transparentRetries)")
        }
        func callStarted() {}
        func callEnded(_ call: MeasuredCall) {}
    }

    final class Connections: ConnectionMeter {
        let recorder: Recorder

        init(recorder: Recorder) { self.recorder = recorder }

        func attemptSucceeded() { recorder.write("connected") }
        func attemptFailed() { recorder.write("failed") }
        func opened() { recorder.write("opened") }
        func closed() { recorder.write("closed") }
    }

    func serverMethod(_ path: String) -> any ServerMethodMeter { Method(name: path, recorder: self) }

    func clientMethod(_ path: String, target: String) -> any ClientMethodMeter {
        lookUps.withLock { $0 += 1 }
        return Method(name: path.split(separator: "/").last.map(String.init) ?? path, recorder: self)
    }

    func connections(target: String) -> any ConnectionMeter { Connections(recorder: self) }

    func take() -> [String] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }
}

@Test func attemptsCallsAndConnectionsAreCounted() async throws {
    let recorder = Recorder()
    var configuration = ClientConfiguration.hasty
    configuration.meter = recorder
    var method = MethodConfig(names: [MethodName(service: "test.Text", method: "Join")])
    method.retryPolicy = RetryPolicy(
        maximumAttempts: 3, initialBackoff: .milliseconds(1), maximumBackoff: .milliseconds(1), backoffMultiplier: 1,
        retryableCodes: [.unavailable])
    configuration.serviceConfig.methods = [method]
    try await ScriptedServer.run { call, event in
        guard event == .end else { return }
        switch call.messages.first.map({ String(decoding: $0, as: UTF8.self) }) {
        case "refuse" where call.number == 2: call.reset(.refusedStream)
        case "retry" where call.number == 4: call.end(.unavailable)
        case "fail": call.end(.notFound)
        default: call.echo()
        }
    } body: { server in
        try await withChannel(to: Target(Endpoint(server.address)), configuration) { channel in
            _ = try await channel.unary(Methods.echo, "hello")
            #expect(
                recorder.take() == [
                    "Echo attempt", "connected", "opened", "Echo OK sent 5 received 5", "Echo call OK 0 0",
                ])
            _ = try await channel.unary(Methods.echo, "refuse")
            #expect(
                recorder.take() == [
                    "Echo attempt", "Echo UNAVAILABLE sent 6 received 0", "Echo attempt", "Echo OK sent 6 received 6",
                    "Echo call OK 0 1",
                ])
            _ = try await channel.unary(Methods.join, "retry")
            #expect(
                recorder.take() == [
                    "Join attempt", "Join UNAVAILABLE sent 5 received 0", "Join attempt", "Join OK sent 5 received 5",
                    "Join call OK 1 0",
                ])
            await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "fail") }
            #expect(
                recorder.take() == [
                    "Echo attempt", "Echo NOT_FOUND sent 4 received 0", "Echo call NOT_FOUND 0 0",
                ])
            let answer = try await channel.clientStreaming(Methods.chat) { writer in
                for part in ["a", "bc"] { try await writer.write(part) }
            }
            #expect(answer == "a")
            #expect(recorder.take() == ["Chat attempt", "Chat OK sent 3 received 1", "Chat call OK 0 0"])
            #expect(recorder.lookUps.withLock { $0 } == 3)
        }
        #expect(recorder.take() == ["closed"])
    }
}

private let silence: ScriptedServer.Script = { _, _ in }

@Test func failedConnectionsAndCancelledCallsAreCounted() async throws {
    let recorder = Recorder()
    var configuration = ClientConfiguration()
    configuration.meter = recorder
    // One round only.
    configuration.backoff = Backoff(initial: .seconds(3600), maximum: .seconds(3600))
    try await withChannel(to: Target(.unix(path: "/tmp/meridian-rpc-nobody.sock")), configuration) { channel in
        await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "x") }
        #expect(
            recorder.take() == [
                "Echo attempt", "failed", "Echo UNAVAILABLE sent 0 received 0", "Echo call UNAVAILABLE 0 0",
            ])
    }
    try await ScriptedServer.run(script: silence) { server in
        try await withChannel(to: Target(Endpoint(server.address)), configuration) { channel in
            try await channel.withCall(Methods.chat.path) { call in try await call.send([1, 2]) }
        }
        let lines = recorder.take()
        #expect(
            Set(lines) == [
                "Chat attempt", "connected", "opened", "Chat call CANCELLED 0 0",
                "Chat CANCELLED sent 2 received 0", "closed",
            ])
        #expect(lines.count == 6)
    }
}

@Test func endlesslyManyMethodsBecomeOther() async throws {
    let recorder = Recorder()
    var configuration = ClientConfiguration.hasty
    configuration.meter = recorder
    try await ScriptedServer.run { call, event in
        if event == .end { call.echo() }
    } body: { server in
        try await withChannel(to: Target(Endpoint(server.address)), configuration) { channel in
            for number in 0..<1100 { _ = try await channel.unary("/a.B/M\(number)", [1], options: .defaults) }
            #expect(recorder.lookUps.withLock { $0 } == 1001)
            let lines = recorder.take()
            #expect(lines.count { $0 == "other call OK 0 0" } == 100 && lines.contains("M999 call OK 0 0"))
        }
    }
}
