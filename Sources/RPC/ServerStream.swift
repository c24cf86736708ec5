internal import EventLoop
internal import HTTP2
internal import Limits
internal import RPCCore
internal import Synchronization

/// One call that a server connection carries.
///
/// @unchecked: stored properties belong to the loop, except `cancelled` (atomic) and `trailing` (under its lock).
/// `served`, `head` and `deadline` are complete before the handler starts, and do not change any more.
final class ServerStream: CallStream, ServerCall, @unchecked Sendable {
    let server: ServerConnection
    /// Unchecked: no access of it calls out.
    @exclusivity(unchecked) private var head = RequestHead()
    private var served: ServedMethod?
    var phase = Phase.receivingHeaders
    private(set) var task: Task<Void, Never>?
    private(set) var deadline: Deadline?
    private var timer: DeadlineTimer?
    var responseHeadersWereSent = false
    /// What its handler lets go wrong; nil for nearly every call.
    var fault: AnswerFault?
    private var startNanoseconds: Int64 = 0
    /// The end of this call is still to be counted.
    private var isMeasured = false
    private let cancelled = Atomic(false)
    private let hasTrailing = Atomic(false)
    private let trailing = Mutex<Metadata?>(nil)

    /// Lives from the headers to the end of the call, which cuts the cycle.
    private final class DeadlineTimer: LoopTimer {
        private let stream: ServerStream

        init(_ stream: ServerStream) { self.stream = stream }

        override func fire() { stream.deadlineHasPassed() }
    }

    enum Phase {
        case receivingHeaders
        /// Exactly one message is expected, and the handler starts when it and the end have come.
        case receivingRequest(messages: Int)
        /// The handler starts when all that was read has been taken in.
        case ready
        case running
        /// As `running`, with a fault that waits for its point.
        case faulty
        /// The status was sent, or the stream is gone; a handler may still be running down.
        case finished
    }

    init(_ server: ServerConnection) {
        self.server = server
        super.init(connection: server, maximumMessageBytes: server.configuration.maximumRequestBytes)
        progressStepBytes = server.configuration.requestStallBytes
    }

    // MARK: ServerCall

    var path: String { served?.method.path ?? "" }
    var metadata: Metadata { unsafe head.store.metadata }
    var peer: Peer { server.peer }
    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    func receive() async throws -> [UInt8]? {
        if loop.isCurrent, let message = try messageAtHand() { return message }
        return try await loop.perform { try await self.nextMessage() }
    }

    func receiveMessage() async throws -> ReceivedMessage? {
        try await loop.perform { try await self.nextReceivedMessage() }
    }

    func send(_ message: [UInt8]) async throws { try await send(message, compressing: true) }

    func send(_ message: [UInt8], compressing: Bool) async throws {
        if loop.isCurrent, outboundBytes < Self.outboundLimitBytes {
            return try sendNow(message, compressing: compressing)
        }
        try await loop.perform {
            try await self.roomToWrite()
            try self.sendNow(message, compressing: compressing)
        }
    }

    func setResponseEncoding(_ encoding: MessageEncoding) async throws {
        try await loop.perform {
            guard !self.responseHeadersWereSent else {
                throw Status(.internal, "the initial metadata, which names the encoding, was sent already")
            }
            if unsafe self.head.accepts(encoding) { self.outboundEncoding = encoding }
        }
    }

    func sendInitialMetadata(_ metadata: Metadata) async throws {
        try await loop.perform { try self.sendHeaders(metadata) }
    }

    func appendTrailingMetadata(_ metadata: Metadata) {
        trailing.withLock { trailing in
            var sum = trailing.take() ?? [:]
            sum.append(contentsOf: metadata)
            trailing = sum
        }
        hasTrailing.store(true, ordering: .releasing)
    }

    // MARK: The stream's events

    override func receiveHeader(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        guard case .receivingHeaders = phase else { return }  // Trailers of a request mean nothing.
        guard name.count == 5, name.equals(":path") else { return unsafe head.receive(name, value) }
        served = server.method(value)
        if served == nil { unsafe head.unknownPath = value.extracting(first: min(value.count, 256)).array }
    }

    override func receiveHeadersEnd(_ kind: HeadersKind) {
        guard case .receivingHeaders = phase else { return }
        // Of a list that is too large, the content type may be missing.
        switch unsafe head.problem {
        case .methodIsNotPost?: return answer(.methodIsNotPost)
        case _ where headersTooLarge:
            return refuse(Status(.resourceExhausted, "the request's metadata is too large"))
        case .contentTypeIsNotGRPC?: return answer(.contentTypeIsNotGRPC)
        case nil: break
        }
        if let meter {
            isMeasured = true
            startNanoseconds = loop.passNanoseconds
            meter.callStarted()
        }
        guard let served else {
            let path = unsafe String(decoding: head.unknownPath ?? [], as: UTF8.self)
            return refuse(Status(.unimplemented, "unknown method \(path)"))
        }
        guard let encoding = unsafe head.encoding else {
            return refuse(Status(.unimplemented, "the message encoding is not supported"))
        }
        inboundEncoding = encoding
        guard unsafe !head.timeoutIsMalformed else { return refuse(Status(.internal, "malformed grpc-timeout")) }
        if let timeout = unsafe head.timeoutNanoseconds {
            expire(at: .after(timeout, from: Deadline(nanoseconds: loop.passNanoseconds)))
        }
        phase = .receivingRequest(messages: 0)
        guard served.method.shape.hasSingleRequest else { return becomeReady() }
        noteProgress()
        server.watchProgress()
    }

    override func accept(_ message: FramedMessage) throws(Status) {
        try super.accept(message)
        guard case .receivingRequest(let messages) = phase else { return }
        // The rest would never be read, and the window would never open again.
        guard messages == 0 else { throw Status(.internal, "the request has more than one message") }
        phase = .receivingRequest(messages: 1)
    }

    override func receiveEnd() {
        if let problem = endInbound() { return inboundFailed(problem) }
        guard case .receivingRequest = phase else { return }
        becomeReady()
    }

    override func inboundFailed(_ status: Status) {
        failInbound(status)
        finish(status)
        task?.cancel()
        server.countBadRequest(status)
    }

    override func messageIsOwed() { server.watchProgress() }

    /// Since when the client could have sent what it has to send; nil when it has to send nothing.
    func owesSince(at now: Int64) -> Int64? {
        guard inboundIsOpen else { return nil }
        switch phase {
        case .receivingHeaders, .finished: return nil
        case .receivingRequest: break
        case .ready, .running, .faulty: guard isInsideMessage else { return nil }
        }
        return receiveWindowBytes > 0 ? progressNanoseconds : now
    }

    /// The client did not go on with its request, or too slowly.
    func stalled() {
        let status = Status(
            .deadlineExceeded,
            "the request was begun and not continued by \(progressStepBytes) bytes, or to its end, for "
                + "\(server.configuration.requestStallTimeout)")
        let heldUp = heldUpCalls
        failInbound(status)
        finish(status)
        task?.cancel()
        server.countBadRequest(status, count: 1 + heldUp)
    }

    override func closed(_ code: HTTP2ErrorCode) {
        giveUpReservation()
        server.streamClosed()
        stopTimer()
        if let fault { fault.stopTimer(on: loop) }
        let wasRunning = handlerIsHeard
        phase = .finished
        measure(.cancelled)
        guard wasRunning else { return }
        cancel(Status(.cancelled, "the client has given up"))
    }

    // MARK: The handler

    private func becomeReady() {
        phase = .ready
        server.callIsReady(self)
    }

    /// Runs the handler of a call that is ready, unless it has ended meanwhile. Call on the loop, in a task of its own.
    func serve() async {
        guard case .ready = phase, let method = served?.method else { return }
        guard !server.isUnread else {
            let status = Status(.resourceExhausted, "the client does not read the responses it has asked for")
            refuse(status)
            server.watchUnread()
            return server.countBadRequest(status, reason: .unreadResponses)
        }
        guard server.startHandler() else {
            phase = .finished
            measure(.unavailable)
            return reset(.refusedStream)
        }
        phase = .running
        guard let deadline else { return await run(method) }
        await Deadline.$current.withValue(deadline) { await run(method) }
    }

    /// The handler has suspended, and goes on in `task`.
    func isServed(by task: Task<Void, Never>) {
        self.task = task
        // By a fault that struck before the handler suspended.
        if cancelled.load(ordering: .acquiring) { task.cancel() }
    }

    private func run(_ method: ServerMethod) async {
        guard let answer = method.answer, server.interceptors.isEmpty else {
            return handlerEnded(await method.run(self, through: server.interceptors))
        }
        // The usual case by the shortest way.
        do {
            guard case .some(.some(let request)) = try messageAtHand() else {
                throw Status(.internal, "the request has no message")
            }
            try sendNow(try await answer(request, ServerContext(self)))
            succeeded()
        } catch {
            handlerEnded(Status(handlerFailure: error))
        }
    }

    /// The handler of a unary call has answered.
    private func succeeded() {
        guard case .running = phase, !hasTrailing.load(ordering: .acquiring) else { return handlerEnded(.ok) }
        // Nearly always the end is the same.
        phase = .finished
        stopTimer()
        finish(trailers: Self.plainTrailers)
        measure(.ok)
        task = nil
        server.handlerEnded()
    }

    private var meter: (any ServerMethodMeter)? {
        if let served { served.meter } else { server.methodIndex.otherMeter }
    }

    private func measure(_ code: Status.Code) {
        guard isMeasured else { return }
        isMeasured = false
        meter?.callEnded(
            MeasuredCall(
                code, durationNanoseconds: MonotonicClock.nanoseconds() - startNanoseconds,
                sentMessageBytes: sentMessageBytes, receivedMessageBytes: receivedMessageBytes))
    }

    private func handlerEnded(_ status: Status) {
        loop.preconditionOnLoop()
        finish(status)
        task = nil
        server.handlerEnded()
    }

    private func expire(at deadline: Deadline) {
        self.deadline = deadline
        let timer = DeadlineTimer(self)
        self.timer = timer
        loop.schedule(timer, at: deadline)
    }

    private func deadlineHasPassed() {
        timer = nil
        let status = Status(.deadlineExceeded, "the deadline has passed")
        let wasRunning = handlerIsHeard
        finish(status)
        if wasRunning { cancel(status) }
    }

    private var handlerIsHeard: Bool {
        switch phase {
        case .running, .faulty: true
        case .receivingHeaders, .receivingRequest, .ready, .finished: false
        }
    }

    /// Tells the handler, whose answer nobody reads any more.
    func cancel(_ status: Status) {
        cancelled.store(true, ordering: .releasing)
        failInbound(status)
        resumeSender(status)
        task?.cancel()
    }

    // MARK: The answer

    func sendNow(_ message: [UInt8], compressing: Bool = true) throws {
        guard case .running = phase else { return try sendFaulty(message, compressing: compressing) }
        if !responseHeadersWereSent {
            if outboundEncoding == .identity {
                responseHeadersWereSent = true
                respond(Self.plainHeaders, endsStream: false)
            } else {
                try sendHeaders([:])
            }
        }
        writeMessage(message, compressing: compressing)
    }

    func sendHeaders(_ metadata: Metadata) throws {
        guard handlerIsHeard else { throw Status(.cancelled, "the call has ended") }
        guard !responseHeadersWereSent else { throw Status(.internal, "the initial metadata was sent already") }
        responseHeadersWereSent = true
        var block = Self.responseHeaders()
        if outboundEncoding != .identity { block.append("grpc-encoding", outboundEncoding.rawValue) }
        block.append(metadata)
        respond(block, endsStream: false)
        if case .faulty = phase { faultyHeadersWereSent() }
    }

    /// The client hears nothing more of the handler; how the stream ends is left to whoever asks.
    func stopAnswering() {
        phase = .finished
        stopTimer()
        measure(.cancelled)
    }

    var trailingMetadata: Metadata { trailing.withLock { $0 ?? [:] } }

    private func finish(_ status: Status) {
        switch phase {
        case .finished: return
        case .faulty where faultEndsAnswer(): return
        case .receivingHeaders, .receivingRequest, .ready, .running, .faulty: break
        }
        phase = .finished
        stopTimer()
        measure(status.code)
        let hasTrailing = hasTrailing.load(ordering: .acquiring)
        let isPlain = status.isOK && status.message.isEmpty && status.metadata.isEmpty && !hasTrailing
        if responseHeadersWereSent {
            guard !isPlain else { return finish(trailers: Self.plainTrailers) }
            var block = HeaderBlock()
            block.append(status, trailing: hasTrailing ? trailing.withLock { $0 ?? [:] } : [:])
            finish(trailers: block)
        } else {
            var block = Self.responseHeaders()
            if unsafe head.encoding == nil { block.append("grpc-accept-encoding", MessageEncoding.accepted) }
            block.append(status, trailing: hasTrailing ? trailing.withLock { $0 ?? [:] } : [:])
            respond(block, endsStream: true)
        }
    }

    private func stopTimer() {
        guard let timer else { return }
        loop.cancel(timer)
        self.timer = nil
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

    static let plainHeaders = HeaderBlock(
        constant: (":status", "200"), ("content-type", "application/grpc"))

    private static let plainTrailers = HeaderBlock(constant: ("grpc-status", "0"))

    /// The fields that each response begins with, to add to.
    private static func responseHeaders() -> HeaderBlock {
        var block = HeaderBlock()
        block.append(":status", "200")
        block.append("content-type", "application/grpc")
        return block
    }
}
