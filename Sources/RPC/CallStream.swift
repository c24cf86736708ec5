internal import Compression
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

    /// Unchecked, like `inbox`: no access of it calls out, but for the one in `receiveData`, which stays away from it.
    @exclusivity(unchecked) private var deframer: MessageDeframer
    @exclusivity(unchecked) private var inbox = MessageQueue()
    /// Bytes of the stream's window that are not given back, since their messages wait in the inbox, or have no place.
    private var heldBytes = 0
    /// Bytes that the connection has set aside for a large message of this call.
    private var reservedBytes = 0
    private var waitsForMemory = false
    /// When a message last began, went on by `progressStepBytes` or was completed, or this side last made room for more.
    final private(set) var progressNanoseconds: Int64 = 0
    private var bytesSinceProgress = 0
    /// What of a message counts as progress: fewer bytes do not, so that it cannot be dragged out by single ones.
    final var progressStepBytes = 1
    private var inboundEnd = InboundEnd.open
    private var receiver: UnsafeContinuation<FramedMessage?, any Error>?
    private var sender: UnsafeContinuation<Void, any Error>?
    /// Count the waits, to tell a late cancellation of an earlier wait from one of the present wait.
    private var receiveCount = 0
    private var sendCount = 0

    /// What compressed messages of the peer are compressed with.
    final var inboundEncoding = MessageEncoding.identity
    /// What messages to the peer are compressed with.
    final var outboundEncoding = MessageEncoding.identity
    /// Bytes of messages on the wire, without their prefixes.
    final private(set) var sentMessageBytes = 0
    final private(set) var receivedMessageBytes = 0

    private enum InboundEnd {
        case open
        case ended
        case failed(Status)
    }

    /// A writer waits while more than this is queued.
    static let outboundLimitBytes = 64 << 10
    /// A message up to this size needs no reservation.
    static let unreservedMessageBytes = 64 << 10

    init(connection: HTTP2Connection, maximumMessageBytes: Int) {
        self.connection = connection
        unsafe deframer = MessageDeframer(maximumMessageBytes: maximumMessageBytes)
    }

    // MARK: For subclasses

    /// A message is wrong: end the call with `status`.
    func inboundFailed(_ status: Status) { preconditionFailure("subclasses decide") }
    /// More of a message has to come.
    func messageIsOwed() {}
    /// A task that waited in `nextMessage` or `roomToWrite` was cancelled.
    func waitWasCancelled() {}
    /// May refuse a message, by throwing, before it is queued.
    func accept(_ message: FramedMessage) throws(Status) {
        if message.isCompressed, inboundEncoding == .identity {
            throw Status(.internal, "a compressed message without a known encoding")
        }
    }

    // MARK: Reading

    final override func receiveData(_ bytes: Span<UInt8>) {
        guard case .open = inboundEnd else { return consume(bytes.count) }
        heldBytes += bytes.count
        bytesSinceProgress += bytes.count
        if unsafe bytesSinceProgress >= progressStepBytes || !deframer.isInsideMessage { noteProgress() }
        var refusal: Status?
        do throws(FramingError) {
            try unsafe deframer.receive(bytes) { message in
                guard refusal == nil else { return }
                receivedMessageBytes += message.bytes.count
                noteProgress()
                do throws(Status) {
                    try accept(message)
                    deliver(message)
                } catch {
                    refusal = error
                }
            }
        } catch {
            refusal = refusal ?? error.status
        }
        if let refusal { return inboundFailed(refusal) }
        settleWindow()
        if unsafe deframer.isInsideMessage { messageIsOwed() }
    }

    /// Whether the peer has sent a part of a message.
    final var isInsideMessage: Bool { unsafe deframer.isInsideMessage }
    final var inboundIsOpen: Bool { if case .open = inboundEnd { true } else { false } }
    /// Calls that wait until this one gives back what the connection has set aside for it.
    final var heldUpCalls: Int { reservedBytes > 0 ? connection.memory.waitingCount : 0 }

    final func noteProgress() {
        progressNanoseconds = loop.passNanoseconds
        bytesSinceProgress = 0
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
            giveUpReservation()
            consume(heldBytes)
            heldBytes = 0
        }
        resumeReceiver(.failure(status))
    }

    /// What a reader gets without waiting: a message, or nil for the end; `.none` when it has to wait.
    final func messageAtHand() throws -> [UInt8]?? {
        switch try framedMessageAtHand() {
        case .some(.some(let message)): .some(.some(try unpack(message)))
        case .some(nil): .some(nil)
        case nil: .none
        }
    }

    final func nextMessage() async throws -> [UInt8]? {
        if let message = try messageAtHand() { return message }
        return try await waitForMessage().map { try unpack($0) }
    }

    /// The next message and what it was on the wire.
    final func nextReceivedMessage() async throws -> ReceivedMessage? {
        let framed: FramedMessage?
        if let message = try framedMessageAtHand() { framed = message } else { framed = try await waitForMessage() }
        return try framed.map { message in
            ReceivedMessage(
                bytes: try unpack(message), wireByteCount: message.bytes.count, wasCompressed: message.isCompressed)
        }
    }

    private func framedMessageAtHand() throws -> FramedMessage?? {
        if let message = unsafe inbox.popFirst() {
            noteProgress()
            if unsafe inbox.isEmpty {
                settleWindow()
            } else {
                giveBack(min(heldBytes, message.bytes.count + MessagePrefix.byteCount))
            }
            return .some(message)
        }
        switch inboundEnd {
        case .ended: return .some(nil)
        case .failed(let status): throw status
        case .open: return .none
        }
    }

    private func waitForMessage() async throws -> FramedMessage? {
        loop.preconditionOnLoop()
        precondition(unsafe receiver == nil, "one task at a time receives from a call")
        receiveCount += 1
        let number = receiveCount
        return try await withTaskCancellationHandler {
            try await unsafe withUnsafeThrowingContinuation { unsafe receiver = $0 }
        } onCancel: {
            loop.spawn { self.cancelReceive(number) }
        }
    }

    /// Decompresses only what a reader asks for: what merely waits stays as small as it came.
    private func unpack(_ message: FramedMessage) throws -> [UInt8] {
        guard message.isCompressed else { return message.bytes }
        do throws(DecompressionError) {
            return try inboundEncoding.decompress(message.bytes, limit: unsafe deframer.maximumMessageBytes)
        } catch {
            let status =
                switch error {
                case .malformed: Status(.internal, "a message is not the \(inboundEncoding.rawValue) it claims to be")
                case .tooLarge(let limit):
                    Status(.resourceExhausted, "a message exceeds the limit of \(limit) bytes when decompressed")
                }
            inboundFailed(status)
            throw status
        }
    }

    // MARK: The window

    /// Gives the window back when nothing waits for the reader: at once for small messages, and for a large one when
    /// the connection has room for it, so that what a peer merely announces or never finishes stays bounded.
    private func settleWindow() {
        guard unsafe inbox.isEmpty else { return }
        let announced = unsafe deframer.announcedBytes
        guard announced > Self.unreservedMessageBytes else {
            giveUpReservation()
            return giveBack(heldBytes)
        }
        if reservedBytes == 0 {
            guard !waitsForMemory else { return }
            guard connection.memory.reserve(announced, for: self) else {
                waitsForMemory = true
                return
            }
            reservedBytes = announced
        }
        giveBack(heldBytes)
    }

    /// The connection has set aside what this call waited for.
    final func reservationGranted(_ bytes: Int) {
        waitsForMemory = false
        reservedBytes = bytes
        noteProgress()
        giveBack(heldBytes)
    }

    /// Call when the stream is gone.
    final func giveUpReservation() {
        if waitsForMemory {
            waitsForMemory = false
            connection.memory.forget(self)
        }
        guard reservedBytes > 0 else { return }
        connection.memory.release(reservedBytes)
        reservedBytes = 0
    }

    private func giveBack(_ bytes: Int) {
        heldBytes -= bytes
        // After the peer's last byte nobody needs the window any more.
        if case .open = inboundEnd { consume(bytes) }
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

    final func writeMessage(_ message: [UInt8], compressing: Bool = true) {
        let isCompressed = compressing && outboundEncoding != .identity
        let body = isCompressed ? outboundEncoding.compress(message) : message
        sentMessageBytes += body.count
        let prefix = UInt64(isCompressed ? 1 : 0) << 32 | UInt64(body.count)
        precondition(body.count <= Int(UInt32.max), "a message has at most 4 GiB")
        write(OutboundChunk(prefix: prefix, prefixCount: MessagePrefix.byteCount, body: body))
    }

    /// A message as it goes out, with its prefix.
    final func framed(_ message: [UInt8], compressing: Bool) -> [UInt8] {
        let isCompressed = compressing && outboundEncoding != .identity
        let body = isCompressed ? outboundEncoding.compress(message) : message
        return MessagePrefix(length: body.count, isCompressed: isCompressed).bytes + body
    }

    final func resumeSender(_ error: (any Error)?) {
        guard let waiting = unsafe sender else { return }
        unsafe sender = nil
        if let error { unsafe waiting.resume(throwing: error) } else { unsafe waiting.resume() }
    }

    // MARK: Helpers

    private func deliver(_ message: FramedMessage) {
        if unsafe receiver == nil { unsafe inbox.append(message) } else { resumeReceiver(.success(message)) }
    }

    private func resumeReceiver(_ result: Result<FramedMessage?, any Error>) {
        guard let waiting = unsafe receiver else { return }
        unsafe receiver = nil
        unsafe waiting.resume(with: result)
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
