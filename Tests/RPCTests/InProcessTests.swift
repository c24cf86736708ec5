import EventLoop
import Limits
import RPC
import RPCCore
import Testing

private func channel(_ events: Events = Events(), group: EventLoopGroup? = nil) -> InProcessChannel {
    InProcessChannel(services: ServiceRegistry([TextService(events: events)]), group: group)
}

@Test func everyShapeInProcess() async throws {
    let channel = channel()
    let unary = try await channel.unary(Methods.echo, "hello")
    let streamed = try await channel.serverStreaming(Methods.countdown, "3") { responses in
        var answers: [String] = []
        for try await response in responses { answers.append(response) }
        return answers
    }
    let joined = try await channel.clientStreaming(Methods.join) { writer in
        for word in ["a", "b"] { try await writer.write(word) }
    }
    let stopped = try await channel.clientStreaming(Methods.join) { writer in
        while true { try await writer.write("stop") }
    }
    let chat = try await channel.bidirectional(Methods.chat) { writer, responses in
        var iterator = responses.makeAsyncIterator()
        try await writer.write("1")
        let first = try await iterator.next()
        await writer.finish()
        return [first, try await iterator.next()]
    }
    #expect(unary == "hello" && streamed == ["3", "2", "1"] && joined == "a,b" && stopped == "stopped")
    #expect(chat == ["re: 1", nil])
}

@Test func failuresInProcessAreWhole() async throws {
    let channel = channel()
    let status = await #expect(throws: Status.self) { try await channel.unary(Methods.echo, "fail:5") }
    #expect(status?.code == .notFound && status?.details == [1, 2, 3] && status?.metadata == ["x-reason": "asked"])
    let unknown = await #expect(throws: Status.self) {
        try await channel.unary("/test.Text/Nothing", [], options: .defaults)
    }
    #expect(unknown?.code == .unimplemented)
    let large = await #expect(throws: Status.self) {
        try await channel.unary(Methods.echo, String(repeating: "x", count: (4 << 20) + 1))
    }
    #expect(large?.code == .resourceExhausted)
}

@Test func deadlineAndCancellationInProcess() async throws {
    let events = Events()
    let group = try EventLoopGroup(name: "test", count: 1)
    let channel = channel(events, group: group)
    let late = await #expect(throws: Status.self) {
        try await channel.unary(Methods.hang, "a", options: CallOptions(timeout: .seconds(1)))
    }
    #expect(late?.code == .deadlineExceeded)
    #expect(await events.next() == "started a")
    #expect(await events.next() == "cancelled a true")
    let call = Task { try await channel.unary(Methods.hang, "b") }
    #expect(await events.next() == "started b")
    call.cancel()
    #expect(await events.next() == "cancelled b true")
    let cancelled = await #expect(throws: Status.self) { try await call.value }
    #expect(cancelled?.code == .cancelled)
    let remaining = try await channel.unary(Methods.echo, "deadline?", options: CallOptions(timeout: .seconds(100)))
    #expect(remaining == "99")
    group.shutDown()
}

@Test func aWriterWaitsForItsReaderInProcess() async throws {
    let events = Events()
    try await channel(events).serverStreaming(Methods.countdown, "1000000") { responses in
        var iterator = responses.makeAsyncIterator()
        _ = try await iterator.next()
    }
    events.finish()
    var written = 0
    for await _ in events.stream { written += 1 }
    #expect(written < 5000, "\(written)")
}

@Test func metadataInProcess() async throws {
    let options = CallOptions(metadata: ["x-initial": "one"])
    let initial = try await channel().withCall(Methods.echo.path, options: options) { call in
        try await call.send(Array("m".utf8))
        await call.finishSending()
        return try await call.initialMetadata()
    }
    #expect(initial == ["x-initial": "one"])
}

@Test func limitsAndCancellationInProcessAreThoseOfAConnection() async throws {
    let channel = channel()
    let response = await #expect(throws: Status.self) {
        try await channel.unary(Methods.echo, "12345678901", options: CallOptions(maximumResponseBytes: 10))
    }
    #expect(response?.code == .resourceExhausted && response?.certainty == .unknown)
    let request = await #expect(throws: Status.self) {
        try await channel.unary(Methods.echo, "12345678901", options: CallOptions(maximumRequestBytes: 10))
    }
    #expect(request?.code == .resourceExhausted && request?.certainty == .unknown)
    let fitting = try await channel.unary(
        Methods.echo, "1234567890", options: CallOptions(maximumRequestBytes: 10, maximumResponseBytes: 10))
    #expect(fitting == "1234567890" && channel.isConfidential)
    let cancelled = Task {
        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
        return try await channel.unary(Methods.echo, "x")
    }
    let status = await #expect(throws: Status.self) { try await cancelled.value }
    #expect(status?.code == .cancelled && status?.certainty == .notProcessed)
}
