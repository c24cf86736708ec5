import Glibc
import Logging
import RPC
import RPCCore
import ServiceKit
import Synchronization
import TestSupport
import Testing

@Suite struct CallObservationTests {
    private static let path = "/test.Echo/Call"
    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    /// A method that notes the trace in which it runs, and ends as it is told.
    private func registry(
        _ seen: @escaping @Sendable (TraceContext?) -> Void, failing: Status? = nil
    ) -> ServiceRegistry {
        var registry = ServiceRegistry()
        registry.add(
            ServerMethod(path: Self.path, shape: .unary) { call in
                seen(TraceContext.current)
                let request = try await call.receive() ?? []
                if let failing { throw failing }
                try await call.send(request)
            })
        return registry
    }

    @Test func theCallersTraceIsTakenUpAndPassedOn() async throws {
        let inner = Mutex<TraceContext?>(nil)
        let outer = Mutex<TraceContext?>(nil)
        let environment = ServiceEnvironment.testing()
        let behind = InProcessChannel(
            services: registry { trace in inner.withLock { $0 = trace } },
            interceptors: [ServerObservation(environment)]
        ).intercepted(by: [ClientObservation()])
        var front = ServiceRegistry()
        front.add(
            ServerMethod(path: "/test.Front/Call", shape: .unary) { call in
                outer.withLock { $0 = TraceContext.current }
                let answer = try await behind.unary(Self.path, try await call.receive() ?? [], options: .defaults)
                try await call.send(answer)
            })
        let door = InProcessChannel(services: front, interceptors: [ServerObservation(environment)])
        var options = CallOptions.defaults
        try options.metadata.append(Self.parent, for: "traceparent")
        #expect(try await door.unary("/test.Front/Call", [1], options: options) == [1])
        let first = try #require(outer.withLock { $0 })
        let second = try #require(inner.withLock { $0 })
        #expect(first.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(second.traceID == first.traceID)
        #expect(Set([first.spanID, second.spanID, "b7ad6b7169203331"]).count == 3)
    }

    @Test(arguments: [nil, "", "nonsense", "00-00000000000000000000000000000000-b7ad6b7169203331-01"])
    func withoutATraceOneBegins(_ header: String?) async throws {
        let seen = Mutex<TraceContext?>(nil)
        let channel = InProcessChannel(
            services: registry { trace in seen.withLock { $0 = trace } },
            interceptors: [ServerObservation(.testing())])
        var options = CallOptions.defaults
        if let header { try options.metadata.append(header, for: "traceparent") }
        _ = try await channel.unary(Self.path, [], options: options)
        let trace = try #require(seen.withLock { $0 })
        #expect(TraceContext(traceparent: trace.traceparent) == trace)
    }

    /// An error of a handler's own, which says nothing for callers, and holds what the caller sent.
    private struct Private: Error {
        let cause = "the cellar is flooded"
        let metadata: Metadata
    }

    /// What a caller was told, and what the log has, of a call that fails with what `failure` makes of its metadata.
    private func failing(
        with failure: @escaping @Sendable (Metadata) -> any Error
    ) async throws -> (told: Status, log: String) {
        var ends: [Int32] = [0, 0]
        let result = unsafe pipe(&ends)
        #expect(result == 0)
        let sink = LogSink(descriptor: ends[1])
        let environment = ServiceEnvironment(group: TestLoops.group, log: Logger(service: "test", sink: sink))
        var registry = ServiceRegistry()
        registry.add(ServerMethod(path: Self.path, shape: .unary) { call in throw failure(call.metadata) })
        let channel = InProcessChannel(services: registry, interceptors: [ServerObservation(environment)])
        var options = CallOptions(metadata: ["authorization": "Bearer t0psecret", "cookie": "crumbs", "x-a": "shown"])
        try options.metadata.append(Array("inb1nary".utf8), for: "x-key-bin")
        let told = await #expect(throws: Status.self) {
            try await channel.unary(Self.path, [], options: options)
        }
        sink.close()
        close(ends[1])
        defer { close(ends[0]) }
        return (try #require(told), await readToEnd(ends[0]))
    }

    @Test func ofAnUnknownErrorTheCallerGetsAnIDAndTheLogTheRest() async throws {
        let (told, log) = try await failing { Private(metadata: $0) }
        let id = try #require(told.message.wholeMatch(of: /internal error, id ([0-9a-f]{16})/)?.1, "\(told)")
        #expect(told.code == .unknown && told.details.isEmpty && told.metadata.isEmpty)
        let lines = log.split(separator: "\n")
        #expect(lines.count == 1 && log.contains("\"event\":\"call.failed\"") && log.contains("\"status\":\"UNKNOWN\""))
        #expect(log.contains("\"id\":\"\(id)\"") && log.contains("the cellar is flooded"), "\(log)")
        #expect(log.contains("\"method\":\"\(Self.path)\""))
        // Another call, another id.
        let (again, _) = try await failing { Private(metadata: $0) }
        #expect(again.message != told.message)
    }

    @Test func theLogHasMetadataWithoutSecrets() async throws {
        let (_, log) = try await failing { Private(metadata: $0) }
        #expect(log.contains("x-a: shown") && log.contains("authorization: (not shown)"), "\(log)")
        for secret in ["t0psecret", "crumbs", "inb1nary", "105, 110, 98"] { #expect(!log.contains(secret)) }
    }

    @Test func whatAnErrorSaysForCallersTheyGet() async throws {
        let (told, log) = try await failing { _ in Status(.dataLoss, "the page is torn") }
        #expect(told == Status(.dataLoss, "the page is torn"))
        #expect(log.contains("the page is torn") && !log.contains("\"id\""))
        let (refused, silence) = try await failing { _ in Status(.notFound, "no such thing") }
        #expect(refused == Status(.notFound, "no such thing") && silence.isEmpty)
    }
}
