internal import EventLoop
internal import HTTP2
internal import RPCCore

/// What both ends of a call share: messages in, with the window given back as they are taken; messages out, with the
/// writer held back while the peer does not read.
///
/// @unchecked: every stored property belongs to the connection's loop; what subclasses let other threads call goes
/// there first.
@safe class CallStream: HTTP2Stream, @unchecked Sendable {
    final let connection: HTTP2Connection
    final var loop: EventLoop { connection.loop }

    /// Unchecked, like `inbox`: no access of it calls out, but for the one in `receiveData`.
    @exclusivity(unchecked) private var deframer: MessageDeframer
    @exclusivity(unchecked) private var inbox = MessageQueue()
    /// Bytes of the stream's window that are not given back, since their messages wait in the inbox.
    private var heldBytes = 0
    private var inboundEnd = InboundEnd.open
    private var receiver: UnsafeContinuation<[UInt8]?, any Error>?
    private var sender: UnsafeContinuation<Void, any Error>?
    /// Count the waits, to tell a late cancellation of an earlier wait from one of the present wait.
    private var receiveCount = 0
    private var sendCount = 0

    private enum InboundEnd {
        case open
        case ended
        case failed(Status)
    }

    /// A writer waits while more than this is queued.
    static let outboundLimitBytes = 64 << 10

    init(connection: HTTP2Connection, maximumMessageBytes: Int) {
        self.connection = connection
        unsafe deframer = MessageDeframer(maximumMessageBytes: maximumMessageBytes)
    }

    // MARK: For subclasses

    /// A message is wrong: end the call with `status`.
    func inboundFailed(_ status: Status) { preconditionFailure("subclasses decide") }
    /// A task that waited in `nextMessage` or `roomToWrite` was cancelled.
    func waitWasCancelled() {}
    /// May refuse a message, by throwing, before it is queued.
    func accept(_ message: ReceivedMessage) throws(Status) {
        if message.isCompressed { throw Status(.internal, "a compressed message without a known encoding") }
    }

    // MARK: Reading

    final override func receiveData(_ bytes: Span<UInt8>) {
        guard case .open = inboundEnd else { return consume(bytes.count) }
        heldBytes += bytes.count
        var refusal: Status?
        do throws(FramingError) {
            try unsafe deframer.receive(bytes) { message in
                guard refusal == nil else { return }
                do throws(Status) {
                    try accept(message)
                    deliver(message.bytes)
                } catch {
                    refusal = error
                }
            }
        } catch {
            refusal = refusal ?? error.status
        }
        if let refusal { return inboundFailed(refusal) }
        if unsafe inbox.isEmpty { giveBack(heldBytes) }
    }

    /// The peer's last message has come. Returns what is wrong when it is not whole.
    final func endInbound() -> Status? {
        guard case .open = inboundEnd else { return nil }
        do throws(FramingError) {
            try unsafe deframer.finish()
        } catch {
            return error.status
        }
        inboundEnd = .ended
        resumeReceiver(.success(nil))
        return nil
    }

    /// The reader gets `status`, after the messages that wait if they are kept.
    final func failInbound(_ status: Status, keepingMessages: Bool = false) {
        if case .failed = inboundEnd { return }
        inboundEnd = .failed(status)
        if !keepingMessages {
            unsafe inbox.removeAll()
            giveBack(heldBytes)
        }
        resumeReceiver(.failure(status))
    }

    /// What a reader gets without waiting: a message, or nil for the end; `.none` when it has to wait.
    final func messageAtHand() throws -> [UInt8]?? {
        if let message = unsafe inbox.popFirst() {
            unsafe giveBack(inbox.isEmpty ? heldBytes : min(heldBytes, message.count + MessagePrefix.byteCount))
            return .some(message)
        }
        switch inboundEnd {
        case .ended: return .some(nil)
        case .failed(let status): throw status
        case .open: return .none
        }
    }

    final func nextMessage() async throws -> [UInt8]? {
        loop.preconditionOnLoop()
        if let message = try messageAtHand() { return message }
        precondition(unsafe receiver == nil, "one task at a time receives from a call")
        receiveCount += 1
        let number = receiveCount
        return try await withTaskCancellationHandler {
            try await unsafe withUnsafeThrowingContinuation { unsafe receiver = $0 }
        } onCancel: {
            loop.spawn { self.cancelReceive(number) }
        }
    }

    // MARK: Writing

    final override func drained() {
        if outboundBytes < Self.outboundLimitBytes { resumeSender(nil) }
    }

    final func roomToWrite() async throws {
        guard outboundBytes >= Self.outboundLimitBytes else { return }
        precondition(unsafe sender == nil, "one task at a time sends to a call")
        sendCount += 1
        let number = sendCount
        try await withTaskCancellationHandler {
            try await unsafe withUnsafeThrowingContinuation { unsafe sender = $0 }
        } onCancel: {
            loop.spawn { self.cancelSend(number) }
        }
    }

    final func writeMessage(_ message: [UInt8]) {
        let prefix = UInt64(MessagePrefix(length: message.count).length)
        write(OutboundChunk(prefix: prefix, prefixCount: MessagePrefix.byteCount, body: message))
    }

    final func resumeSender(_ error: (any Error)?) {
        guard let waiting = unsafe sender else { return }
        unsafe sender = nil
        if let error { unsafe waiting.resume(throwing: error) } else { unsafe waiting.resume() }
    }

    // MARK: Helpers

    private func deliver(_ message: [UInt8]) {
        if unsafe receiver == nil { unsafe inbox.append(message) } else { resumeReceiver(.success(message)) }
    }

    private func resumeReceiver(_ result: Result<[UInt8]?, any Error>) {
        guard let waiting = unsafe receiver else { return }
        unsafe receiver = nil
        unsafe waiting.resume(with: result)
    }

    private func giveBack(_ bytes: Int) {
        heldBytes -= bytes
        // After the peer's last byte nobody needs the window any more.
        if case .open = inboundEnd { consume(bytes) }
    }

    private func cancelReceive(_ number: Int) {
        loop.preconditionOnLoop()
        guard unsafe receiver != nil, number == receiveCount else { return }
        waitWasCancelled()
        resumeReceiver(.failure(Self.waitCancelled))
    }

    private func cancelSend(_ number: Int) {
        loop.preconditionOnLoop()
        guard unsafe sender != nil, number == sendCount else { return }
        waitWasCancelled()
        resumeSender(Self.waitCancelled)
    }

    private static let waitCancelled = Status(.cancelled, "the waiting task was cancelled", certainty: .unknown)
}
