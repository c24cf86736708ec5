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
}
