internal import EventLoop
internal import HTTP2
internal import Limits
internal import RPCCore
internal import Synchronization

/// One call that a server connection carries.
///
/// @unchecked: stored properties belong to the loop, except `cancelled` (atomic) and `trailing` (under its lock).
/// `path`, `headers` and `deadline` are complete before the handler starts, and do not change any more.
final class ServerStream: CallStream, ServerCall, @unchecked Sendable {
    private(set) var path = ""
    private(set) var deadline: Deadline?

    private let server: ServerConnection
    private var head = RequestHead()
    private var method: ServerMethod?
    private var phase = Phase.receivingHeaders
    private var task: Task<Void, Never>?
    private var timer: LoopTimer?
    private var responseHeadersWereSent = false
    private let cancelled = Atomic(false)
    private let trailing = Mutex<Metadata?>(nil)

    private enum Phase {
        case receivingHeaders
        /// Exactly one message is expected, and the handler starts when it and the end have come.
        case receivingRequest(messages: Int)
        case running
        /// The status was sent, or the stream is gone; a handler may still be running down.
        case finished
    }

    init(_ server: ServerConnection) {
        self.server = server
        super.init(connection: server, maximumMessageBytes: server.configuration.maximumRequestBytes)
    }

    // MARK: ServerCall

    var metadata: Metadata { head.store.metadata }
    var peer: Peer { server.peer }
    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    func receive() async throws -> [UInt8]? {
        if loop.isCurrent, let message = try messageAtHand() { return message }
        return try await loop.perform { try await self.nextMessage() }
    }

    func send(_ message: [UInt8]) async throws {
        if loop.isCurrent, outboundBytes < Self.outboundLimitBytes { return try sendNow(message) }
        try await loop.perform {
            try await self.roomToWrite()
            try self.sendNow(message)
        }
    }

    func sendInitialMetadata(_ metadata: Metadata) async throws {
        try await loop.perform { try self.sendHeaders(metadata) }
    }

    func appendTrailingMetadata(_ metadata: Metadata) {
        trailing.withLock { $0 = ($0 ?? Metadata()) + metadata }
    }

    // MARK: The stream's events

    override func receiveHeader(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        guard case .receivingHeaders = phase else { return }  // Trailers of a request mean nothing.
        guard name.count == 5, name.equals(":path") else { return head.receive(name, value) }
        method = server.methods.find(value)
        if method == nil {
            path = String(decoding: value.extracting(first: min(value.count, 256)).array, as: UTF8.self)
        }
    }

    override func receiveHeadersEnd(_ kind: HeadersKind) {
        guard case .receivingHeaders = phase else { return }
        if let problem = head.problem { return answer(problem) }
        guard !headersTooLarge else {
            return refuse(Status(.resourceExhausted, "the request's metadata is too large"))
        }
        guard let method else {
            return refuse(Status(.unimplemented, "unknown method \(path)"))
        }
        guard head.encodingIsKnown else {
            return refuse(Status(.unimplemented, "the message encoding is not supported"))
        }
        path = method.path
        if let timeout = head.timeout {
            guard let timeout = TimeoutHeader.decode(timeout) else {
                return refuse(Status(.internal, "malformed grpc-timeout"))
            }
            expire(at: Deadline.after(timeout))
        }
        phase = .receivingRequest(messages: 0)
        if !method.shape.hasSingleRequest { run(method) }
    }

    override func accept(_ message: ReceivedMessage) throws(Status) {
        try super.accept(message)
        guard case .receivingRequest(let messages) = phase else { return }
        // The rest would never be read, and the window would never open again.
        guard messages == 0 else { throw Status(.internal, "the request has more than one message") }
        phase = .receivingRequest(messages: 1)
    }

    override func receiveEnd() {
        if let problem = endInbound() { return inboundFailed(problem) }
        guard case .receivingRequest = phase, let method, method.shape.hasSingleRequest else { return }
        run(method)
    }

    override func inboundFailed(_ status: Status) {
        failInbound(status)
        finish(status)
        task?.cancel()
    }

    override func closed(_ code: HTTP2ErrorCode) {
        if let timer { loop.cancel(timer) }
        timer = nil
        let wasRunning = if case .running = phase { true } else { false }
        phase = .finished
        guard wasRunning else { return }
        cancel(Status(.cancelled, "the client has given up"))
    }

    // MARK: The handler

    private func run(_ method: ServerMethod) {
        guard server.startHandler() else {
            phase = .finished
            return reset(.refusedStream)
        }
        phase = .running
        // On the loop, and at once: a handler that never suspends has answered when this returns.
        task = Task.immediate(executorPreference: loop) {
            let status =
                if let deadline {
                    await Deadline.$current.withValue(deadline) { await method.run(self, through: server.interceptors) }
                } else {
                    await method.run(self, through: server.interceptors)
                }
            handlerEnded(status)
        }
    }

    private func handlerEnded(_ status: Status) {
        loop.preconditionOnLoop()
        finish(status)
        task = nil
        server.handlerEnded()
    }

    private func expire(at deadline: Deadline) {
        self.deadline = deadline
        timer = loop.schedule(at: deadline.instant) { [unowned self] in
            timer = nil
            let status = Status(.deadlineExceeded, "the deadline has passed")
            let wasRunning = if case .running = phase { true } else { false }
            finish(status)
            if wasRunning { cancel(status) }
        }
    }

    /// Tells the handler, whose answer nobody reads any more.
    private func cancel(_ status: Status) {
        cancelled.store(true, ordering: .releasing)
        failInbound(status)
        resumeSender(status)
        task?.cancel()
    }

    // MARK: The answer

    private func sendNow(_ message: [UInt8]) throws {
        guard case .running = phase else { throw Status(.cancelled, "the call has ended") }
        if !responseHeadersWereSent { try sendHeaders([:]) }
        writeMessage(message)
    }

    private func sendHeaders(_ metadata: Metadata) throws {
        guard case .running = phase else { throw Status(.cancelled, "the call has ended") }
        guard !responseHeadersWereSent else { throw Status(.internal, "the initial metadata was sent already") }
        responseHeadersWereSent = true
        guard !metadata.isEmpty else { return respond(Self.plainHeaders, endsStream: false) }
        var block = Self.plainHeaders
        block.append(metadata)
        respond(block, endsStream: false)
    }

    private func finish(_ status: Status) {
        if case .finished = phase { return }
        phase = .finished
        if let timer { loop.cancel(timer) }
        timer = nil
        let trailing = trailing.withLock { $0 ?? [:] }
        let isPlain = status.isOK && status.message.isEmpty && status.metadata.isEmpty && trailing.isEmpty
        if responseHeadersWereSent {
            guard !isPlain else { return finish(trailers: Self.plainTrailers) }
            var block = HeaderBlock()
            block.append(status, trailing: trailing)
            finish(trailers: block)
        } else {
            var block = Self.plainHeaders
            block.append(status, trailing: trailing)
            respond(block, endsStream: true)
        }
    }

    /// Ends a call that no handler has seen.
    private func refuse(_ status: Status) {
        failInbound(status)
        finish(status)
    }

    /// Answers a request that is HTTP but not gRPC.
    private func answer(_ problem: RequestHead.Problem) {
        phase = .finished
        failInbound(Status(.internal, "not a gRPC request"))
        respond(problem.headers, endsStream: true)
    }

    private static let plainHeaders: HeaderBlock = {
        var block = HeaderBlock()
        block.append(":status", "200")
        block.append("content-type", "application/grpc")
        return block
    }()

    private static let plainTrailers: HeaderBlock = {
        var block = HeaderBlock()
        block.append("grpc-status", "0")
        return block
    }()
}

extension Metadata {
    fileprivate static func + (a: Metadata, b: Metadata) -> Metadata {
        var sum = a
        sum.append(contentsOf: b)
        return sum
    }
}
