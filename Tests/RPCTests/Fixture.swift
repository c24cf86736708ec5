import EventLoop
import HTTP2
import Limits
import RPC
import RPCCore
import TLS
import TestSupport

/// Methods over text, one of each shape, whose messages say what they shall do.
enum Methods {
    static let text = MessageCoder<String>(
        decode: { String(decoding: $0, as: UTF8.self) }, encode: { Array($0.utf8) })

    static func make(_ name: String, _ shape: CallShape) -> MethodDescriptor<String, String> {
        MethodDescriptor(service: "test.Text", method: name, shape: shape, request: text, response: text)
    }

    /// Answers the request, or fails with the code that it names (`fail:5`).
    static let echo = make("Echo", .unary)
    /// Counts down from the request.
    static let countdown = make("Countdown", .serverStreaming)
    /// Sends 64 KiB over and over.
    static let flood = make("Flood", .serverStreaming)
    /// Joins the requests.
    static let join = make("Join", .clientStreaming)
    /// Answers each request.
    static let chat = make("Chat", .bidirectional)
    /// Never answers; says when it started and when it was cancelled.
    static let hang = make("Hang", .unary)
    /// Never answers, and takes its time to return when cancelled.
    static let linger = make("Linger", .unary)
    /// Waits for a request in a child task that it cancels, then answers the first request.
    static let impatient = make("Impatient", .bidirectional)
}

/// Events that a test waits for, in order.
final class Events: Sendable {
    let stream: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(100_000)) }

    func finish() { continuation.finish() }

    func report(_ event: String) { continuation.yield(event) }

    /// The next event; nil when the waiting task was cancelled.
    func next() async -> String? {
        var iterator = stream.makeAsyncIterator()
        return await iterator.next()
    }
}

struct TextService: RPCService {
    let events: Events

    func register(in registry: inout ServiceRegistry) {
        registry.addUnary(Methods.echo) { request, context in
            if let code = request.wholeMatch(of: /fail:(\d+)/).flatMap({ Int($0.1) }) {
                throw Status(
                    Status.Code(rawValue: code) ?? .unknown, "failed as asked: 한 %", details: [1, 2, 3],
                    metadata: ["x-reason": "asked"])
            }
            if let encoding = context.metadata["x-compress"].flatMap(MessageEncoding.init(rawValue:)) {
                try await context.setResponseEncoding(encoding)
            }
            if let value = context.metadata["x-initial"] {
                try await context.sendInitialMetadata(["x-initial": value])
            }
            if let bytes = context.metadata[bytes: "x-trailing-bin"] {
                var trailing = Metadata()
                try trailing.append(bytes, for: "x-trailing-bin")
                context.appendTrailingMetadata(trailing)
            }
            if request == "deadline?" {
                return Deadline.current.map { "\($0.remaining.components.seconds)" } ?? "none"
            }
            if request == "cancel yourself" { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
            if request == "cancelled?" { return "\(Task.isCancelled)" }
            if request == "peer?" { return "\(context.peer.identity?.dnsNames ?? [])" }
            return request
        }
        registry.addServerStreaming(Methods.countdown) { request, responses, _ in
            for number in stride(from: Int(request) ?? 0, to: 0, by: -1) {
                try await responses.write("\(number)")
                events.report("wrote \(number)")
            }
        }
        registry.addServerStreaming(Methods.flood) { _, responses, _ in
            let text = String(repeating: "x", count: 64 << 10)
            while true { try await responses.write(text) }
        }
        registry.addClientStreaming(Methods.join) { requests, _ in
            var joined: [String] = []
            for try await request in requests {
                if request == "stop" { return "stopped" }
                joined.append(request)
            }
            return joined.joined(separator: ",")
        }
        registry.addBidirectional(Methods.chat) { requests, responses, context in
            if let encoding = context.metadata["x-compress"].flatMap(MessageEncoding.init(rawValue:)) {
                try await context.setResponseEncoding(encoding)
            }
            for try await request in requests {
                if request == "fail" { throw Status(.aborted, "as asked") }
                try await responses.write("re: \(request)")
            }
        }
        registry.addUnary(Methods.linger) { _, _ in
            events.report("lingering")
            await untilCancelled()
            for _ in 0..<1000 { await Task.yield() }
            events.report("returned")
            return ""
        }
        registry.addBidirectional(Methods.impatient) { requests, responses, _ in
            let gaveUp = await withTaskGroup { tasks in
                tasks.addTask {
                    do {
                        for try await _ in requests { return false }
                        return false
                    } catch {
                        return true
                    }
                }
                tasks.cancelAll()
                return await tasks.next() ?? false
            }
            try await responses.write(gaveUp ? "gave up" : "did not")
            for try await request in requests { return try await responses.write(request) }
        }
        registry.addUnary(Methods.hang) { request, context in
            events.report("started \(request)")
            await untilCancelled()
            events.report("cancelled \(request) \(context.isCancelled)")
            throw CancellationError()
        }
    }
}

/// Suspends until the task is cancelled.
func untilCancelled() async {
    let (stream, continuation) = AsyncStream<Never>.makeStream()
    await withTaskCancellationHandler {
        for await _ in stream {}
    } onCancel: {
        continuation.finish()
    }
}

/// A server with `TextService` and a channel to it, stopped at the end of the scope.
struct Fixture {
    let group: EventLoopGroup
    let server: RPCServer
    let channel: RPCClientChannel
    let address: SocketAddress
    let events: Events

    static func run<Result>(
        loops: Int = 2, at endpoint: Endpoint = .tcp(host: "127.0.0.1", port: 0),
        server configuration: ServerConfiguration = .init(), client: ClientConfiguration = .init(),
        serverTLS: TLSContext? = nil, clientTLS: TLSContext? = nil, interceptors: [any ServerInterceptor] = [],
        _ body: (Fixture) async throws -> Result
    ) async throws -> Result {
        let group = try EventLoopGroup(name: "test", count: loops)
        let events = Events()
        let server = RPCServer(
            group: group, services: ServiceRegistry([TextService(events: events)]), tls: serverTLS,
            configuration: configuration, interceptors: interceptors)
        let address = try await server.bind(to: endpoint)
        let channel = RPCClientChannel(
            target: Endpoint(address), tls: clientTLS, group: group, configuration: client)
        let fixture = Fixture(group: group, server: server, channel: channel, address: address, events: events)
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(fixture)) } catch { result = .failure(error) }
        await channel.shutDown()
        await server.shutDown(grace: .zero)
        group.shutDown()
        return try result.get()
    }
}

extension Fixture {
    /// Connects until nobody listens any more.
    func untilListenerIsClosed() async throws {
        while true {
            let probe = RPCClientChannel(target: Endpoint(address), group: group)
            let isClosed = await group.loops[0].perform {
                do {
                    _ = try await probe.unary(Methods.echo, "probe")
                    return false
                } catch {
                    return true
                }
            }
            await probe.shutDown()
            if isClosed { return }
        }
    }
}

/// Contexts for mutual TLS, made once.
struct Certificates {
    let authority: TestAuthority
    let server: TLSIdentity
    let client: TLSIdentity

    static let shared = Result { try Certificates() }

    init() throws {
        authority = try TestAuthority()
        server = try Self.issue(authority, "server", ["URI:spiffe://test/server", "DNS:localhost", "IP:127.0.0.1"])
        client = try Self.issue(authority, "client", ["URI:spiffe://test/client", "DNS:client.test"])
    }

    static func issue(_ authority: TestAuthority, _ name: String, _ names: [String]) throws -> TLSIdentity {
        let issued = try authority.issue(name, alternativeNames: names)
        return TLSIdentity(certificateChain: .file(issued.certificate), privateKey: .file(issued.key))
    }

    func serverContext(allowed: Set<String>? = nil) throws -> TLSContext {
        try TLSContext(
            server: TLSServerConfiguration(
                identity: server, trustRoots: .file(authority.root), clientCertificates: .required,
                allowedClients: allowed))
    }

    func clientContext(_ identity: TLSIdentity?, name: String? = nil) throws -> TLSContext {
        try TLSContext(
            client: TLSClientConfiguration(identity: identity, trustRoots: .file(authority.root), serverName: name))
    }
}
