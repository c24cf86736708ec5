internal import EventLoop
internal import HTTP2
internal import Limits
internal import RPCCore
internal import Synchronization

/// A call as its caller holds it: one attempt after the other, until one has an answer that counts.
///
/// What was sent is kept, within bounds, until the response begins or the bounds are passed; then the call is
/// committed to its attempt. Another attempt is started by whoever of the caller's tasks meets the failure.
///
/// @unchecked: stored properties belong to the loop, except `shared`, which is under its lock.
final class ReplayableCall: ClientCall, @unchecked Sendable {
    private struct Shared {
        var stream: ClientStream?
        var recovery: Task<Void, Never>?
        var isCancelled = false
        var ledger: RetryLedger
        var measurement: CallMeasurement?
    }

    private let channel: LoopChannel
    private let plan: CallPlan
    private let shared: Mutex<Shared>
    private var sent = SentMessages()
    private var isCommitted = false
    /// Why there will be no other attempt.
    private var outcome: Status?

    private var loop: EventLoop { channel.loop }

    init(_ channel: LoopChannel, _ plan: CallPlan) {
        self.channel = channel
        self.plan = plan
        shared = Mutex(Shared(ledger: RetryLedger(policy: plan.retryPolicy), measurement: CallMeasurement(plan)))
    }

    deinit {
        if sent.byteCount > 0 { channel.bufferedBytes.subtract(sent.byteCount, ordering: .relaxed) }
        report(.cancelled)
    }

    /// Makes the first attempt; on the loop.
    func start() async throws {
        do {
            install(try await channel.openStream(plan, previousAttempts: 0))
        } catch {
            try await recover(from: nil, error)
        }
    }

    // MARK: ClientCall

    var peer: Peer { stream.peer }
    var trailingMetadata: Metadata { stream.trailingMetadata }

    func send(_ message: [UInt8]) async throws { try await send(message, compressing: true) }

    func send(_ message: [UInt8], compressing: Bool) async throws {
        if loop.isCurrent, sendAtOnce(message, compressing) { return }
        try await loop.perform { try await self.sendOnLoop(message, compressing) }
    }

    func finishSending() async {
        if loop.isCurrent { return finishOnLoop() }
        await loop.perform { self.finishOnLoop() }
    }

    func initialMetadata() async throws -> Metadata {
        try await loop.perform { try await self.headerFields() }.metadata
    }

    func receive() async throws -> [UInt8]? {
        if loop.isCurrent, case .success(.some(let message)) = Result(catching: { try stream.messageAtHand() }) {
            received(isLast: message == nil)
            return message
        }
        return try await loop.perform { try await self.receiveOnLoop { try await $0.nextMessage() } }
    }

    func receiveMessage() async throws -> ReceivedMessage? {
        try await loop.perform { try await self.receiveOnLoop { try await $0.nextReceivedMessage() } }
    }

    func cancel() {
        let (stream, recovery) = shared.withLock { shared in
            shared.isCancelled = true
            return (shared.stream, shared.recovery)
        }
        recovery?.cancel()
        stream?.cancel()
        report(.cancelled)
    }

    // MARK: On the loop

    private var stream: ClientStream {
        guard let stream = shared.withLock(\.stream) else { preconditionFailure("the call has started") }
        return stream
    }

    /// False, and nothing is sent, when the message has to wait or the attempt has failed.
    private func sendAtOnce(_ message: [UInt8], _ compressing: Bool) -> Bool {
        let (stream, recovery) = shared.withLock { ($0.stream, $0.recovery) }
        guard recovery == nil, let stream, stream.takesMessage(message) else { return false }
        keep(message, compressing)
        stream.writeMessage(message, compressing: compressing)
        return true
    }

    private func sendOnLoop(_ message: [UInt8], _ compressing: Bool) async throws {
        loop.preconditionOnLoop()
        while let recovery = shared.withLock(\.recovery) { await recovery.value }
        keep(message, compressing)
        let stream = stream
        do {
            try await stream.send(message, compressing: compressing)
        } catch let end as CallEnded {
            throw end
        } catch {
            // The next attempt begins with all that was kept, this message too.
            try await recover(from: stream, error)
        }
    }

    private func finishOnLoop() {
        loop.preconditionOnLoop()
        sent.isComplete = true
        stream.finish()
    }

    private func headerFields() async throws -> HeaderStore {
        while true {
            let stream = stream
            do {
                let fields = try await stream.headerFields()
                commit()
                return fields
            } catch {
                try await recover(from: stream, error)
            }
        }
    }

    private func receiveOnLoop<Message>(
        _ next: (ClientStream) async throws -> Message?
    ) async throws -> Message? {
        loop.preconditionOnLoop()
        while true {
            let stream = stream
            do {
                let message = try await next(stream)
                received(isLast: message == nil)
                return message
            } catch {
                try await recover(from: stream, error)
            }
        }
    }

    private func received(isLast: Bool) {
        commit()
        guard isLast else { return }
        channel.contents.throttle?.recordSuccess()
        report(.ok)
    }

    // MARK: What is kept

    private func keep(_ message: [UInt8], _ compressing: Bool) {
        guard !isCommitted else { return }
        let configuration = channel.contents.configuration
        let count = message.count + SentMessages.overheadBytes
        guard !stream.headersHaveCome, sent.byteCount + count <= configuration.retryBufferBytesPerCall,
            channel.bufferedBytes.load(ordering: .relaxed) + count <= configuration.retryBufferBytesPerLoop
        else { return commit() }
        channel.bufferedBytes.add(count, ordering: .relaxed)
        sent.append(SentMessages.Message(bytes: message, compressing: compressing))
    }

    private func commit() {
        guard !isCommitted else { return }
        isCommitted = true
        channel.bufferedBytes.subtract(sent.byteCount, ordering: .relaxed)
        sent.removeAll()
    }

    // MARK: Other attempts

    /// Returns when another attempt has taken the place of `failed`; throws when the failure is final.
    private func recover(from failed: ClientStream?, _ error: any Error) async throws {
        guard shared.withLock({ $0.stream === failed }) else { return }
        if let outcome { throw outcome }
        let status = Status(describing: error)
        var recovery = shared.withLock(\.recovery)
        if recovery == nil {
            guard let pause = pauseAfter(status, failed?.reach(status) ?? .unplaced) else { throw finish(status) }
            recovery = channel.start { await self.tryAgain(after: pause) }
            shared.withLock { $0.recovery = recovery }
        }
        await withTaskCancellationHandler {
            await recovery?.value
        } onCancel: {
            cancel()
        }
        if let outcome { throw outcome }
    }

    private func pauseAfter(_ status: Status, _ reach: AttemptReach) -> Duration? {
        guard channel.isOpen, !isCommitted, !Task.isCancelled else { return nil }
        let pause = shared.withLock { shared -> Duration? in
            guard !shared.isCancelled, shared.stream?.headersHaveCome != true else { return nil }
            return shared.ledger.pauseAfter(
                status, reach, throttle: channel.contents.throttle, random: .random(in: .min ... .max))
        }
        // An attempt that would come after the deadline is not waited for.
        guard let pause, plan.deadline.map({ .now + pause < $0.instant }) ?? true else { return nil }
        return pause
    }

    private func tryAgain(after first: Duration) async {
        loop.preconditionOnLoop()
        defer { shared.withLock { $0.recovery = nil } }
        var pause = first
        while true {
            do {
                if pause > .zero { try await Task.sleep(for: pause) }
                let retries = shared.withLock(\.ledger.retries)
                let stream = try await channel.openStream(plan, previousAttempts: retries)
                for message in sent.all { try stream.sendNow(message.bytes, compressing: message.compressing) }
                if sent.isComplete { stream.finish() }
                return install(stream)
            } catch {
                let status = Status(describing: error)
                guard let next = pauseAfter(status, .unplaced) else {
                    finish(status)
                    return
                }
                pause = next
            }
        }
    }

    private func install(_ stream: ClientStream) {
        let isCancelled = shared.withLock { shared in
            shared.stream = stream
            return shared.isCancelled
        }
        if isCancelled { stream.cancelNow() }
    }

    @discardableResult
    private func finish(_ status: Status) -> Status {
        outcome = status
        report(status.code)
        return status
    }

    /// Counts the end of the call, once.
    private func report(_ code: Status.Code) {
        let counted = shared.withLock { shared -> (CallMeasurement, RetryLedger)? in
            guard let measurement = shared.measurement else { return nil }
            shared.measurement = nil
            return (measurement, shared.ledger)
        }
        if let (measurement, ledger) = counted { measurement.end(code, ledger) }
    }
}

/// The messages of a request so far, for sending them again. The first needs no allocation: most calls have just one.
private struct SentMessages {
    struct Message {
        let bytes: [UInt8]
        /// As the caller wanted it.
        let compressing: Bool
    }

    /// What even an empty message counts for, so that they too are bounded.
    static let overheadBytes = 64

    private var first: Message?
    private var rest: [Message] = []
    private(set) var byteCount = 0
    /// No message follows.
    var isComplete = false

    var all: [Message] { first.map { [$0] + rest } ?? [] }

    mutating func append(_ message: Message) {
        if first == nil { first = message } else { rest.append(message) }
        byteCount += message.bytes.count + Self.overheadBytes
    }

    mutating func removeAll() {
        first = nil
        rest = []
        byteCount = 0
    }
}
