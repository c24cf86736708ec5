import EventLoop
import RPC
import RPCCore
import Synchronization
import TestSupport
import Testing

/// Four methods that give back what they are given.
private struct Relay: RPCService {
    static let unary = Methods.make("Unary", .unary)
    static let twice = Methods.make("Twice", .serverStreaming)
    static let join = Methods.make("Join", .clientStreaming)
    static let each = Methods.make("Each", .bidirectional)

    func register(in registry: inout ServiceRegistry) {
        registry.addUnary(Self.unary) { request, _ in
            if request.hasPrefix("fail") { throw Status(.aborted, "as asked") }
            return request
        }
        registry.addServerStreaming(Self.twice) { request, responses, _ in
            for _ in 0..<2 { try await responses.write(request) }
        }
        registry.addClientStreaming(Self.join) { requests, _ in
            var joined: [String] = []
            for try await request in requests { joined.append(request) }
            return joined.joined(separator: ",")
        }
        registry.addBidirectional(Self.each) { requests, responses, _ in
            for try await request in requests {
                if request.hasPrefix("fail") { throw Status(.aborted, "as asked") }
                try await responses.write(request)
            }
        }
    }
}

/// Where the calls go, so that every test holds for both.
enum Transport: CaseIterable, Sendable {
    case socket, inProcess
}

private func withRelay<Result>(
    _ transport: Transport, server: [any ServerInterceptor] = [], client: [any ClientInterceptor] = [],
    _ body: (any RPCChannel) async throws -> Result
) async throws -> Result {
    let services = ServiceRegistry([Relay()])
    guard transport == .socket else {
        return try await body(InProcessChannel(services: services, interceptors: server).intercepted(by: client))
    }
    let group = try EventLoopGroup(name: "relay", count: 1)
    let relay = RPCServer(group: group, services: services, interceptors: server)
    let address = try await relay.bind(to: .tcp(host: "127.0.0.1", port: 0))
    let channel = RPCClientChannel(target: Endpoint(address), group: group)
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body(channel.intercepted(by: client))) } catch { result = .failure(error) }
    await channel.shutDown()
    await relay.shutDown(grace: .zero)
    group.shutDown()
    return try result.get()
}

/// Marks each message that passes, on its way there with `<name>` and on its way back with `(name)`.
private struct Marking: ClientInterceptor, ServerInterceptor {
    let name: String

    func startCall(_ path: String, options: CallOptions, next: any RPCChannel) async throws -> any ClientCall {
        ClientSide(try await next.startCall(path, options: options), name)
    }

    func intercept(_ call: any ServerCall, next: @Sendable (any ServerCall) async throws -> Void) async throws {
        try await next(ServerSide(call, name))
    }

    private final class ClientSide: ForwardingClientCall, @unchecked Sendable {
        let name: String

        init(_ next: any ClientCall, _ name: String) {
            self.name = name
            super.init(next)
        }

        override func send(_ message: [UInt8], compressing: Bool) async throws {
            try await next.send(message + "<\(name)>".utf8, compressing: compressing)
        }

        override func receiveMessage() async throws -> ReceivedMessage? {
            try await next.receiveMessage().map { $0.marked("(\(name))") }
        }
    }

    private final class ServerSide: ForwardingServerCall, @unchecked Sendable {
        let name: String

        init(_ next: any ServerCall, _ name: String) {
            self.name = name
            super.init(next)
        }

        override func send(_ message: [UInt8], compressing: Bool) async throws {
            try await next.send(message + "(\(name))".utf8, compressing: compressing)
        }

        override func receiveMessage() async throws -> ReceivedMessage? {
            try await next.receiveMessage().map { $0.marked("<\(name)>") }
        }
    }
}

extension ReceivedMessage {
    fileprivate func marked(_ mark: String) -> ReceivedMessage {
        ReceivedMessage(bytes: bytes + mark.utf8, wireByteCount: wireByteCount, wasCompressed: wasCompressed)
    }
}

/// What code around a call can do, for every shape of call and both transports.
@Suite struct InterceptorTests {
    @Test(arguments: Transport.allCases) func messagesPassTheInterceptorsInOrder(_ transport: Transport) async throws {
        let there = "<a><b><c><d>"
        let back = "(d)(c)(b)(a)"
        try await withRelay(
            transport, server: [Marking(name: "c"), Marking(name: "d")],
            client: [Marking(name: "a"), Marking(name: "b")]
        ) { channel in
            let unary = try await channel.unary(Relay.unary, "m")
            #expect(unary == "m" + there + back)
            let twice = try await channel.serverStreaming(Relay.twice, "m") { responses in
                var all: [String] = []
                for try await response in responses { all.append(response) }
                return all
            }
            #expect(twice == [unary, unary])
            let joined = try await channel.clientStreaming(Relay.join) { requests in
                for request in ["m", "n"] { try await requests.write(request) }
            }
            #expect(joined == "m\(there),n\(there)\(back)")
            let each = try await channel.bidirectional(Relay.each) { requests, responses in
                var iterator = responses.makeAsyncIterator()
                var all: [String?] = []
                // One after the other: a mark must not wait for the end of the stream.
                for request in ["m", "n"] {
                    try await requests.write(request)
                    all.append(try await iterator.next())
                }
                await requests.finish()
                all.append(try await iterator.next())
                return all
            }
            #expect(each == [unary, "n" + there + back, nil])
        }
    }

    /// Sends metadata of its own, and shows what came back as a status.
    private struct Tagging: ClientInterceptor, ServerInterceptor {
        func startCall(_ path: String, options: CallOptions, next: any RPCChannel) async throws -> any ClientCall {
            var options = options
            try options.metadata.append("client", for: "x-tag")
            return try await next.startCall(path, options: options)
        }

        func intercept(_ call: any ServerCall, next: @Sendable (any ServerCall) async throws -> Void) async throws {
            try await call.sendInitialMetadata(["x-seen": call.metadata["x-tag"] ?? "none"])
            do {
                try await next(call)
                call.appendTrailingMetadata(["x-end": "fine"])
            } catch let status as Status where status.code == .aborted {
                throw Status(.unavailable, "instead of \(status.message)", metadata: ["x-end": "changed"])
            }
        }
    }

    @Test(arguments: Transport.allCases) func metadataAndStatusCanBeChanged(_ transport: Transport) async throws {
        try await withRelay(transport, server: [Tagging()], client: [Tagging()]) { channel in
            try await channel.withCall(Relay.each.path) { call in
                try await call.send(Array("m".utf8))
                let initial = try await call.initialMetadata()
                #expect(initial["x-seen"] == "client")
                let first = try await call.receive()
                #expect(first == Array("m".utf8))
                await call.finishSending()
                let end = try await call.receive()
                #expect(end == nil && call.trailingMetadata["x-end"] == "fine")
            }
            // What was sent before the failure arrives before it.
            try await channel.withCall(Relay.each.path) { call in
                try await call.send(Array("m".utf8))
                try await call.send(Array("fail".utf8))
                let first = try await call.receive()
                #expect(first == Array("m".utf8))
                let status = await #expect(throws: Status.self) { try await call.receive() }
                #expect(status?.code == .unavailable && status?.message == "instead of as asked")
                #expect(status?.metadata["x-end"] == "changed")
            }
        }
    }

    /// Answers instead of what is behind it.
    private struct Answering: ServerInterceptor {
        func intercept(_ call: any ServerCall, next: @Sendable (any ServerCall) async throws -> Void) async throws {
            try await call.send(Array("no handler".utf8))
        }
    }

    @Test(arguments: Transport.allCases) func aServersInterceptorMayAnswerByItself(_ transport: Transport) async throws
    {
        try await withRelay(transport, server: [Marking(name: "c"), Answering(), Marking(name: "d")]) { channel in
            let unary = try await channel.unary(Relay.unary, "m")
            let joined = try await channel.clientStreaming(Relay.join) { _ in }
            let twice = try await channel.serverStreaming(Relay.twice, "m") { responses in
                var all: [String] = []
                for try await response in responses { all.append(response) }
                return all
            }
            #expect(unary == "no handler(c)" && joined == unary && twice == [unary])
        }
    }

    /// Makes the call again when it was aborted, without the word that did it.
    private struct Repeating: ClientInterceptor {
        let starts: Counter

        func startCall(_ path: String, options: CallOptions, next: any RPCChannel) async throws -> any ClientCall {
            starts.increment()
            let call = try await next.startCall(path, options: options)
            return Again(call) {
                starts.increment()
                return try await next.startCall(path, options: options)
            }
        }

        private final class Again: ForwardingClientCall, @unchecked Sendable {
            private let restart: @Sendable () async throws -> any ClientCall
            private let second = Mutex<(any ClientCall)?>(nil)

            init(_ next: any ClientCall, restart: @escaping @Sendable () async throws -> any ClientCall) {
                self.restart = restart
                super.init(next)
            }

            override func receiveMessage() async throws -> ReceivedMessage? {
                if let call = second.withLock({ $0 }) { return try await call.receiveMessage() }
                do {
                    return try await next.receiveMessage()
                } catch let status as Status where status.code == .aborted {
                    let call = try await restart()
                    second.withLock { $0 = call }
                    try await call.send(Array("again".utf8))
                    await call.finishSending()
                    return try await call.receiveMessage()
                }
            }

            override func cancel() {
                next.cancel()
                second.withLock { $0 }?.cancel()
            }
        }
    }

    @Test(arguments: Transport.allCases) func aClientsInterceptorMayMakeAnotherCall(_ transport: Transport) async throws
    {
        let starts = Counter()
        try await withRelay(transport, client: [Repeating(starts: starts)]) { channel in
            let answer = try await channel.unary(Relay.unary, "fail")
            #expect(answer == "again" && starts.value == 2)
        }
    }

    /// Refuses before anything is sent.
    private struct Refusing: ClientInterceptor {
        func startCall(_ path: String, options: CallOptions, next: any RPCChannel) async throws -> any ClientCall {
            throw Status(.permissionDenied, path, certainty: .notProcessed)
        }
    }

    @Test(arguments: Transport.allCases) func aClientsInterceptorMayRefuse(_ transport: Transport) async throws {
        let ends = Mutex<[Status]>([])
        try await withRelay(transport, client: [Observing { status in ends.withLock { $0.append(status) } }]) {
            channel in
            _ = try await channel.unary(Relay.unary, "m")
            await #expect(throws: Status.self) { try await channel.unary(Relay.unary, "fail") }
            try await channel.bidirectional(Relay.each) { _, _ in }
        }
        #expect(ends.withLock { $0.map(\.code) } == [.ok, .aborted, .cancelled])
        try await withRelay(transport, client: [Refusing()]) { channel in
            let status = await #expect(throws: Status.self) { try await channel.clientStreaming(Relay.join) { _ in } }
            #expect(status == Status(.permissionDenied, Relay.join.path, certainty: .notProcessed))
        }
    }

    private struct Observing: ClientInterceptor {
        let onEnd: @Sendable (Status) -> Void

        func startCall(_ path: String, options: CallOptions, next: any RPCChannel) async throws -> any ClientCall {
            ObservedCall(try await next.startCall(path, options: options), onEnd: onEnd)
        }
    }
}
