import EventLoop
import HTTP2
import Limits
import RPC
import RPCCore
import Synchronization

/// A server below gRPC, on a loop of its own: it does with each call what a script says, and with connections what a
/// test wants.
final class ScriptedServer: ReadinessHandler, @unchecked Sendable {
    // @unchecked: touched on its loop only, except `address`, `events` and `seen`.

    /// What a script is told of a call, in order.
    enum Event: Hashable, Sendable {
        case headers
        case message([UInt8])
        case end
    }

    /// A call as it came, for looking at afterwards.
    struct Record: Hashable, Sendable {
        var path = ""
        var fields: [String: String] = [:]
        var messages: [String] = []
        var connection = 0
    }

    typealias Script = @Sendable (ScriptedCall, Event) -> Void

    let address: SocketAddress
    /// `accepted N`, `closed N` and `ping N` (of connection N, from 1), `call N` (in order of arrival, from 1).
    let events = Events()
    private let seen = Mutex<[Record]>([])
    private let instants = Mutex<[String: ContinuousClock.Instant]>([:])
    private let loop: EventLoop
    private let listener: ListeningSocket
    private let script: Script
    private let settings: HTTP2Settings
    /// What a new connection does, before it has sent or read anything.
    private let welcome: (@Sendable (ScriptedConnection) -> Void)?
    private var connections: [ScriptedConnection] = []
    private var accepted = 0

    /// Runs `body` with a server, on the port of an IPv4 loopback address.
    static func run<Result>(
        host: String = "127.0.0.1", settings: HTTP2Settings = .init(), script: @escaping Script,
        welcome: (@Sendable (ScriptedConnection) -> Void)? = nil, body: (ScriptedServer) async throws -> Result
    ) async throws -> Result {
        let loop = try EventLoop(name: "script")
        let listener = try ListeningSocket(at: .ipv4(host: host, port: 0))
        let server = ScriptedServer(loop, listener, settings, welcome, script)
        let outcome: Swift.Result<Result, any Error>
        do {
            try await loop.perform { try server.listen() }
            outcome = .success(try await body(server))
        } catch { outcome = .failure(error) }
        await loop.perform { server.stop() }
        loop.shutDown()
        return try outcome.get()
    }

    private init(
        _ loop: EventLoop, _ listener: ListeningSocket, _ settings: HTTP2Settings,
        _ welcome: (@Sendable (ScriptedConnection) -> Void)?, _ script: @escaping Script
    ) {
        self.loop = loop
        self.listener = listener
        self.settings = settings
        self.welcome = welcome
        self.script = script
        address = listener.address
    }

    /// The calls so far, in order of arrival.
    var calls: [Record] { seen.withLock { $0 } }

    /// When an event happened first, by this server's own clock.
    func instant(of event: String) -> ContinuousClock.Instant? { instants.withLock { $0[event] } }

    fileprivate func report(_ event: String) {
        instants.withLock { if $0[event] == nil { $0[event] = .now } }
        events.report(event)
    }

    /// Runs `body` for each open connection, on the loop.
    func forEachConnection(_ body: @escaping @Sendable (ScriptedConnection) -> Void) async {
        await loop.perform { for connection in self.connections { body(connection) } }
    }

    private func listen() throws {
        loop.preconditionOnLoop()
        try loop.watch(listener.descriptor, for: .readable, handler: self)
    }

    private func stop() {
        loop.preconditionOnLoop()
        loop.unwatch(listener.descriptor)
        listener.close()
        for connection in connections { connection.cut() }
        events.finish()
    }

    func ready(_ readiness: Readiness) {
        while let (socket, _) = try? listener.accept() {
            accepted += 1
            report("accepted \(accepted)")
            let connection = ScriptedConnection(self, loop, socket, accepted, settings)
            connections.append(connection)
            welcome?(connection)
            connection.start()
        }
    }

    fileprivate func closed(_ connection: ScriptedConnection) {
        connections.removeAll { $0 === connection }
        report("closed \(connection.number)")
    }

    fileprivate func received(_ event: Event, of call: ScriptedCall) {
        seen.withLock { seen in
            switch event {
            case .headers:
                call.number = seen.count + 1
                seen.append(
                    Record(
                        path: call.fields[":path"] ?? "", fields: call.fields, messages: [],
                        connection: call.peer.number))
            case .message(let bytes): seen[call.number - 1].messages.append(String(decoding: bytes, as: UTF8.self))
            case .end: break
            }
        }
        if event == .headers { report("call \(call.number)") }
        script(call, event)
    }
}

/// One accepted connection of a scripted server.
final class ScriptedConnection: ReadinessHandler, HTTP2SessionDelegate {
    /// From 1, in order of arrival.
    let number: Int
    private unowned let server: ScriptedServer
    private let loop: EventLoop
    private let socket: StreamSocket
    private var session: HTTP2Session!
    private var isOpen = true
    private var isInsideSession = false
    private var isSilent = false

    fileprivate init(
        _ server: ScriptedServer, _ loop: EventLoop, _ socket: StreamSocket, _ number: Int, _ settings: HTTP2Settings
    ) {
        self.server = server
        self.loop = loop
        self.socket = socket
        self.number = number
        session = HTTP2Session(.server, settings: settings, delegate: self)
    }

    fileprivate func start() {
        guard isOpen else { return }
        try? loop.watch(socket.descriptor, for: .readable, handler: self)
        flush()
    }

    /// The calls that have not ended.
    var openCalls: [ScriptedCall] { session.openStreams.compactMap { $0 as? ScriptedCall } }

    /// Reads and writes nothing more, but stays open.
    func fallSilent() { isSilent = true }

    /// Closes at once.
    func cut() {
        guard isOpen else { return }
        isOpen = false
        loop.unwatch(socket.descriptor)
        socket.close()
        server.closed(self)
        // Not inside the session's own callback.
        loop.spawn { self.session.close(.cancel) }
    }

    /// Sends these very bytes, after what is pending.
    func send(raw bytes: [UInt8]) {
        flush()
        write(bytes)
    }

    /// GOAWAY with any last id, code and reason.
    func goAway(last: UInt32, code: UInt32 = 0, reason: String = "") {
        let payload = Self.bytes(last) + Self.bytes(code) + reason.utf8
        send(raw: [0, 0, UInt8(payload.count), 7, 0, 0, 0, 0, 0] + payload)
    }

    func ready(_ readiness: Readiness) {
        guard isOpen else { return }
        if isSilent { return loop.unwatch(socket.descriptor) }
        let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
        defer { unsafe space.deallocate() }
        guard let outcome = try? unsafe socket.receive(into: space) else { return cut() }
        switch outcome {
        case .wouldBlock: break
        case .endOfStream: cut()
        case .bytes(let count):
            let bytes = unsafe Array(space[..<count])
            isInsideSession = true
            let isFine = (try? session.receive(bytes.span)) != nil
            isInsideSession = false
            flush()
            if !isFine { cut() }
        }
    }

    private func flush() {
        guard isOpen, !isSilent, !isInsideSession, let bytes = try? session.produce() else { return }
        write(bytes)
    }

    private func write(_ bytes: [UInt8]) {
        guard isOpen, !bytes.isEmpty else { return }
        // Scripts send little: the kernel takes it whole, unless the client has gone.
        _ = try? unsafe bytes.withUnsafeBytes { try unsafe socket.send($0) }
    }

    private static func bytes(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    fileprivate func received(_ event: ScriptedServer.Event, of call: ScriptedCall) {
        server.received(event, of: call)
    }

    func makeStream() -> HTTP2Stream { ScriptedCall(self) }
    func sessionHasOutput() {
        if !isInsideSession { loop.spawn { self.flush() } }
    }
    func receivedSettings() {}
    func receivedPing() { server.report("ping \(number)") }
    func receivedPingAcknowledgement() {}
    func receivedGoAway(_ code: HTTP2ErrorCode, lastStreamID: Int32) {}
}

extension ScriptedConnection: @unchecked Sendable {
    // Touched on the server's loop only.
}

/// One call at a scripted server.
final class ScriptedCall: HTTP2Stream {
    let peer: ScriptedConnection
    /// From 1, in order of arrival at the server.
    fileprivate(set) var number = 0
    private(set) var fields: [String: String] = [:]
    private(set) var messages: [[UInt8]] = []
    private var deframer = MessageDeframer()
    private var hasHeaders = false

    fileprivate init(_ peer: ScriptedConnection) { self.peer = peer }

    func sendHeaders(_ metadata: [String: String] = [:]) {
        var block = HeaderBlock()
        block.append(":status", "200")
        block.append("content-type", "application/grpc")
        for (name, value) in metadata { block.append(name, value) }
        respond(block, endsStream: false)
        hasHeaders = true
    }

    /// With headers before the first.
    func send(_ message: [UInt8]) {
        if !hasHeaders { sendHeaders() }
        write(OutboundChunk(MessagePrefix(length: message.count).bytes + message))
    }

    /// With nothing else when no headers have gone.
    func end(_ code: Status.Code, _ metadata: [String: String] = [:]) {
        var block = HeaderBlock()
        if !hasHeaders {
            block.append(":status", "200")
            block.append("content-type", "application/grpc")
        }
        block.append("grpc-status", "\(code.rawValue)")
        for (name, value) in metadata { block.append(name, value) }
        if hasHeaders { finish(trailers: block) } else { respond(block, endsStream: true) }
    }

    /// The first message back, and OK.
    func echo() {
        send(messages.first ?? [])
        end(.ok)
    }

    override func receiveHeader(_ name: Span<UInt8>, _ value: Span<UInt8>) { fields[text(name)] = text(value) }
    override func receiveHeadersEnd(_ kind: HeadersKind) { peer.received(.headers, of: self) }

    override func receiveData(_ bytes: Span<UInt8>) {
        consume(bytes.count)
        var complete: [[UInt8]] = []
        try? deframer.receive(bytes) { complete.append($0.bytes) }
        for message in complete {
            messages.append(message)
            peer.received(.message(message), of: self)
        }
    }

    override func receiveEnd() { peer.received(.end, of: self) }

    private func text(_ bytes: Span<UInt8>) -> String {
        String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
    }
}

/// A client's channel for a test, on a loop of its own, shut down at the end of the scope.
func withChannel<Result>(
    to target: Target, loops: Int = 1, _ configuration: ClientConfiguration = .init(),
    _ body: (RPCClientChannel) async throws -> Result
) async throws -> Result {
    let group = try EventLoopGroup(name: "client", count: loops)
    let channel = RPCClientChannel(target: target, group: group, configuration: configuration)
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body(channel)) } catch { outcome = .failure(error) }
    await channel.shutDown()
    group.shutDown()
    return try outcome.get()
}

extension RPCClientChannel {
    /// Until no loop has a connection any more.
    func untilLost() async {
        for await state in states() where state != .ready { return }
    }
}

extension ClientConfiguration {
    /// Pauses of a few milliseconds, so that tests of what follows them are fast.
    static var hasty: ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.backoff = Backoff(initial: .milliseconds(5), maximum: .milliseconds(20))
        return configuration
    }
}
