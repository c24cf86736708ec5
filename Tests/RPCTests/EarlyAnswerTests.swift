import RPC
import RPCCore
import Synchronization
import Testing

/// A server that answers OK before it has the request: the caller gets the answer, and no error of the writer.
@Suite struct EarlyAnswerTests {
    /// Sends nothing before the answer and its end have come, and hands them on afterwards: no other order is possible.
    private struct AnswerFirst: ClientInterceptor {
        func startCall(_ path: String, options: CallOptions, next: any RPCChannel) async throws -> any ClientCall {
            Call(try await next.startCall(path, options: options))
        }

        private final class Call: ForwardingClientCall, @unchecked Sendable {
            private let answers = Mutex<[ReceivedMessage]>([])

            override func send(_ message: [UInt8], compressing: Bool) async throws {
                while let answer = try await next.receiveMessage() { answers.withLock { $0.append(answer) } }
                try await next.send(message, compressing: compressing)
                Issue.record("a call that has ended took a message")
            }

            override func receiveMessage() async throws -> ReceivedMessage? {
                answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            }
        }
    }

    /// Answers as soon as the call has come.
    private struct AnswerAtOnce: ServerInterceptor {
        func intercept(_ call: any ServerCall, next: @Sendable (any ServerCall) async throws -> Void) async throws {
            try await call.send(Array("early".utf8))
        }
    }

    /// Calls a server of which nobody reads the requests, through `interceptors` and `AnswerFirst`.
    private func withEarlyServer(
        _ transport: Transport, _ interceptors: [any ClientInterceptor] = [],
        _ body: (any RPCChannel) async throws -> Void
    ) async throws {
        let interceptors = interceptors + [AnswerFirst()]
        switch transport {
        case .inProcess:
            let services = ServiceRegistry([TextService(events: Events())])
            let channel = InProcessChannel(services: services, interceptors: [AnswerAtOnce()])
            try await body(channel.intercepted(by: interceptors))
        case .socket:
            try await ScriptedServer.run { call, event in
                guard event == .headers else { return }
                call.send(Array("early".utf8))
                call.end(.ok)
            } body: { server in
                try await withChannel(to: Target(Endpoint(server.address))) { channel in
                    try await body(channel.intercepted(by: interceptors))
                }
            }
        }
    }

    @Test(arguments: Transport.allCases) func theAnswerIsRead(_ transport: Transport) async throws {
        try await withEarlyServer(transport) { channel in
            let unary = try await channel.unary(Methods.echo, "request")
            let streamed = try await channel.serverStreaming(Methods.countdown, "3") { responses in
                var all: [String] = []
                for try await response in responses { all.append(response) }
                return all
            }
            let joined = try await channel.clientStreaming(Methods.join) { requests in
                while true { try await requests.write("request") }
            }
            #expect(unary == "early" && streamed == ["early"] && joined == "early")
        }
    }

    private struct Observing: ClientInterceptor {
        let onEnd: @Sendable (Status) -> Void

        func startCall(_ path: String, options: CallOptions, next: any RPCChannel) async throws -> any ClientCall {
            ObservedCall(try await next.startCall(path, options: options), onEnd: onEnd)
        }
    }

    @Test(arguments: Transport.allCases) func anObserverIsToldOK(_ transport: Transport) async throws {
        let ends = Mutex<[Status]>([])
        let observing = Observing { status in ends.withLock { $0.append(status) } }
        try await withEarlyServer(transport, [observing]) { channel in
            _ = try await channel.unary(Methods.echo, "request")
        }
        #expect(ends.withLock { $0 } == [.ok])
    }
}
