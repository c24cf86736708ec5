internal import EventLoop
internal import HTTP2
internal import Limits
internal import RPCCore
internal import Synchronization

/// One attempt at a call, on one connection.
///
/// @unchecked: stored properties belong to the loop, except `hasEnded` (atomic) and `trailers` (under its lock).
final class ClientStream: CallStream, ClientCall, @unchecked Sendable {
    private let client: ClientConnection
    private let maximumRequestBytes: Int
    /// Whether this is the watch of the server's health.
    private let isWatch: Bool
    /// Set before the first message by who wants it counted.
    var measurement: AttemptMeasurement?
    private var head = ResponseHead()
    private(set) var headersHaveCome = false
    private var initial = HeaderStore()
    private var status: Status?
    private var timer: LoopTimer?
    private var headWaiter: CheckedContinuation<Void, Never>?
    private let hasEnded = Atomic(false)
    private let trailers = Mutex(HeaderStore())

    init(
        _ client: ClientConnection, maximumRequestBytes: Int, maximumResponseBytes: Int, isWatch: Bool = false
    ) {
        self.client = client
        self.maximumRequestBytes = maximumRequestBytes
        self.isWatch = isWatch
        super.init(connection: client, maximumMessageBytes: maximumResponseBytes)
    }

    /// Ends the call with DEADLINE_EXCEEDED at that time.
    func expire(at deadline: Deadline) {
        timer = loop.schedule(at: deadline) { [unowned self] in
            timer = nil
            abandon(failure(.deadlineExceeded, "the deadline has passed"))
        }
    }

    // MARK: ClientCall

    var peer: Peer { client.peer }
    var trailingMetadata: Metadata { trailers.withLock { $0 }.metadata }

    func send(_ message: [UInt8]) async throws { try await send(message, compressing: true) }

    func send(_ message: [UInt8], compressing: Bool) async throws {
        if loop.isCurrent, outboundBytes < Self.outboundLimitBytes {
            return try sendNow(message, compressing: compressing)
        }
        try await loop.perform {
            try self.checkOpen()
            try await self.roomToWrite()
            try self.sendNow(message, compressing: compressing)
        }
    }

    func receiveMessage() async throws -> ReceivedMessage? {
        try await loop.perform { try await self.nextReceivedMessage() }
    }

    func finishSending() async {
        if loop.isCurrent { return finish() }
        await loop.perform {
            self.loop.preconditionOnLoop()
            self.finish()
        }
    }

    func receive() async throws -> [UInt8]? {
        if loop.isCurrent, let message = try messageAtHand() { return message }
        return try await loop.perform { try await self.nextMessage() }
    }

    func initialMetadata() async throws -> Metadata {
        try await loop.perform { try await self.headerFields() }.metadata
    }

    func cancel() {
        if hasEnded.load(ordering: .acquiring) { return }
        if loop.isCurrent { return cancelNow() }
        loop.spawn { self.cancelNow() }
    }

    // MARK: On the loop

    func sendNow(_ message: [UInt8], compressing: Bool = true) throws {
        try checkOpen()
        guard message.count <= maximumRequestBytes else {
            let status = failure(
                .resourceExhausted, "request of \(message.count) bytes exceeds the limit of \(maximumRequestBytes)")
            abandon(status)
            throw status
        }
        writeMessage(message, compressing: compressing)
    }

    /// Whether `writeMessage` may be called with it at once.
    func takesMessage(_ message: [UInt8]) -> Bool {
        status == nil && outboundBytes < Self.outboundLimitBytes && message.count <= maximumRequestBytes
    }

    /// Sends the only request and returns the only response.
    func exchange(_ request: [UInt8]) async throws -> [UInt8] {
        try sendNow(request)
        finish()
        guard let response = try await nextMessage() else { throw failure(.internal, "the response has no message") }
        guard try await nextMessage() == nil else {
            cancelNow()
            throw failure(.internal, "the response has more than one message")
        }
        return response
    }

    func cancelNow() {
        loop.preconditionOnLoop()
        abandon(failure(.cancelled, "the call was cancelled"))
    }

    /// How far the attempt got that ended with `status`.
    func reach(_ status: Status) -> AttemptReach {
        guard status.certainty == .notProcessed, status.code == .unavailable else { return .sent }
        return headersWereSent ? .refused : .unsent
    }

    func headerFields() async throws -> HeaderStore {
        while !headersHaveCome, status == nil {
            precondition(headWaiter == nil, "one task at a time waits for the initial metadata")
            await withTaskCancellationHandler {
                await withCheckedContinuation { headWaiter = $0 }
            } onCancel: {
                cancel()
            }
        }
        if !headersHaveCome, let status, !status.isOK { throw status }
        return initial
    }

    private func checkOpen() throws {
        guard let status else { return }
        if status.isOK { throw CallEnded() }
        throw status
    }

    /// What is known when the call fails now, without an answer.
    private var certainty: Status.Certainty { headersWereSent ? .unknown : .notProcessed }

    private func failure(_ code: Status.Code, _ what: String) -> Status {
        Status(code, "\(client.target): \(what)", certainty: certainty)
    }

    // MARK: The stream's events

    override func receiveHeader(_ name: Span<UInt8>, _ value: Span<UInt8>) { head.receive(name, value) }

    override func receiveHeadersEnd(_ kind: HeadersKind) {
        client.hasServed = true
        switch kind {
        case .informational: head.reset()
        case .initial, .trailing:
            if headersTooLarge {
                return abandon(failure(.resourceExhausted, "the response's metadata is too large"))
            }
            if let status = head.status(atEnd: kind == .trailing) {
                trailers.withLock { $0 = head.store }
                return end(status)
            }
            guard let encoding = head.encoding else {
                return abandon(failure(.internal, "the response has an encoding that was not offered"))
            }
            inboundEncoding = encoding
            initial = head.store
            head.reset()
            headersHaveCome = true
            wakeHeadWaiter()
        }
    }

    override func receiveEnd() {
        guard status == nil else { return }
        end(failure(.unknown, "the response ended without a status"))
    }

    override func inboundFailed(_ status: Status) { abandon(failure(status.code, status.message)) }

    override func waitWasCancelled() { cancelNow() }

    override func closed(_ code: HTTP2ErrorCode) {
        giveUpReservation()
        if status == nil { end(failure(code)) }
        client.releasePlace(isWatch: isWatch)
    }

    /// Why a stream closed without a status.
    private func failure(_ code: HTTP2ErrorCode) -> Status {
        if connection.isClosed {
            return failure(connection.closeReason.code, "\(client.address): \(connection.closeReason.message)")
        }
        // Not processed, says the code; a response that has begun says otherwise.
        if code == .refusedStream, !headersHaveCome {
            let what = "\(client.address): the server refused the call"
            return failure(.unavailable, what).with(certainty: .notProcessed)
        }
        return failure(
            Status.Code(http2ErrorCode: code.rawValue),
            "\(client.address): the server reset the stream (error \(code.rawValue))")
    }

    /// Ends the call from this side.
    private func abandon(_ status: Status) {
        guard self.status == nil else { return }
        failInbound(status)
        end(status)
        reset(.cancel)
    }

    private func end(_ status: Status) {
        guard self.status == nil else { return }
        var status = status
        if status.isOK, let problem = endInbound() {
            status = problem.with(certainty: .unknown)
        }
        self.status = status
        hasEnded.store(true, ordering: .releasing)
        measurement?.end(status.code, sentBytes: sentMessageBytes, receivedBytes: receivedMessageBytes)
        if let timer { loop.cancel(timer) }
        timer = nil
        if !status.isOK { failInbound(status, keepingMessages: true) }
        resumeSender(status.isOK ? CallEnded() : status)
        wakeHeadWaiter()
    }

    private func wakeHeadWaiter() {
        headWaiter?.resume()
        headWaiter = nil
    }
}
