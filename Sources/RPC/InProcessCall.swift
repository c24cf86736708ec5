internal import Limits
internal import RPCCore
internal import Synchronization

/// One call inside the process: what its two ends share.
final class InProcessExchange: Sendable {
    private struct State {
        var initial: Metadata?
        var trailing = Metadata()
        var status: Status?
        var task: Task<Void, Never>?
        var waiters: [CheckedContinuation<Void, Never>] = []
        /// The client hears nothing more of the handler.
        var isSilent = false
    }

    let path: String
    let requestMetadata: Metadata
    let deadline: Deadline?
    /// Of a request, as the server and the client's options have it.
    let maximumMessageBytes: Int
    private let maximumRequestBytes: Int
    private let maximumResponseBytes: Int
    let requests = MessagePipe()
    let responses = MessagePipe()
    private let state = Mutex(State())

    init(path: String, options: CallOptions, maximumMessageBytes: Int) {
        self.path = path
        requestMetadata = options.metadata
        deadline = options.effectiveDeadline
        self.maximumMessageBytes = maximumMessageBytes
        maximumRequestBytes = options.maximumRequestBytes ?? .max
        maximumResponseBytes = options.maximumResponseBytes ?? Self.defaultResponseBytes
    }

    /// That of a client channel.
    private static let defaultResponseBytes = ClientConfiguration().maximumResponseBytes

    var status: Status? { state.withLock { $0.status } }
    var trailing: Metadata { state.withLock { $0.status == nil ? [:] : $0.trailing } }

    /// Runs `handler` and, beside it, the deadline's clock.
    func run(_ handler: @escaping @Sendable () async -> Status) {
        // The handler belongs to the server, not to the caller's task: it ends by the call's own cancellation.
        let task = Task.detached {
            await withTaskGroup { tasks in
                if let deadline = self.deadline {
                    tasks.addTask {
                        do {
                            try await ContinuousClock().sleep(until: deadline.instant)
                        } catch {
                            return  // The handler was faster.
                        }
                        self.end(
                            Status(.deadlineExceeded, "in-process: the deadline has passed", certainty: .unknown),
                            early: true)
                    }
                }
                let status =
                    if let deadline = self.deadline {
                        await Deadline.$current.withValue(deadline) { await handler() }
                    } else {
                        await handler()
                    }
                self.end(status, early: false)
                tasks.cancelAll()
            }
        }
        let hasEnded = state.withLock { state in
            state.task = task
            return state.status != nil
        }
        if hasEnded { task.cancel() }
    }

    var responseHasStarted: Bool { state.withLock { $0.initial != nil } }
    var isSilent: Bool { state.withLock { $0.isSilent } }

    /// The client hears nothing more until it gives up, or its deadline has passed.
    func fallSilent() {
        state.withLock { $0.isSilent = true }
        requests.fail(InProcessFault.brokenOff, keepingMessages: false)
    }

    /// Returns when the call has ended.
    func untilEnded() async {
        while status == nil {
            await withCheckedContinuation { continuation in
                let hasEnded = state.withLock { state in
                    guard state.status == nil else { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if hasEnded { continuation.resume() }
            }
        }
    }

    /// - Parameters:
    ///   - early: before the handler has ended, which is then cancelled.
    ///   - keepingMessages: the client still gets what was sent before; always, when the handler has ended.
    func end(_ status: Status, early: Bool, keepingMessages: Bool = false) {
        let (task, waiters) = state.withLock { state in
            guard state.status == nil else {
                return (nil, []) as (Task<Void, Never>?, [CheckedContinuation<Void, Never>])
            }
            state.status = status
            state.trailing.append(contentsOf: status.metadata)
            defer { state.waiters = [] }
            return (early ? state.task : nil, state.waiters)
        }
        if status.isOK {
            responses.finish()
        } else {
            responses.fail(status, keepingMessages: !early || keepingMessages)
        }
        requests.fail(status.isOK ? CallEnded() : status, keepingMessages: false)
        task?.cancel()
        for waiter in waiters { waiter.resume() }
    }

    func sendInitialMetadata(_ metadata: Metadata) throws {
        let waiters = try state.withLock { state in
            guard state.initial == nil else { throw Status(.internal, "the initial metadata was sent already") }
            state.initial = metadata
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Sends empty initial metadata if none was sent.
    func startResponse() {
        let waiters = state.withLock { state in
            guard state.initial == nil else { return [] as [CheckedContinuation<Void, Never>] }
            state.initial = [:]
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func appendTrailing(_ metadata: Metadata) { state.withLock { $0.trailing.append(contentsOf: metadata) } }

    func initialMetadata() async throws -> Metadata {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.initial != nil || state.status != nil { return true }
                state.waiters.append(continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
        return try state.withLock { state in
            if let initial = state.initial { return initial }
            if let status = state.status, !status.isOK { throw status }
            return [:]
        }
    }

    func checkRequest(_ message: [UInt8]) throws(Status) {
        try check(message, maximumRequestBytes, certainty: .unknown)
        try check(message, maximumMessageBytes, certainty: .answered)
    }

    func checkResponse(_ message: [UInt8]) throws(Status) {
        try check(message, maximumResponseBytes, certainty: .unknown)
    }

    private func check(_ message: [UInt8], _ limit: Int, certainty: Status.Certainty) throws(Status) {
        guard message.count <= limit else {
            throw Status(
                .resourceExhausted, "in-process: message of \(message.count) bytes exceeds the limit of \(limit)",
                certainty: certainty)
        }
    }
}

/// The client's end.
final class InProcessClientCall: ClientCall {
    private let exchange: InProcessExchange
    let peer = Peer(address: "in-process")

    init(_ exchange: InProcessExchange) { self.exchange = exchange }

    var trailingMetadata: Metadata { exchange.trailing }

    func send(_ message: [UInt8]) async throws {
        try ending { () throws(Status) in try exchange.checkRequest(message) }
        try await cancelling { try await exchange.requests.send(message) }
    }

    func finishSending() async { exchange.requests.finish() }

    func initialMetadata() async throws -> Metadata {
        try await cancelling { try await exchange.initialMetadata() }
    }

    func receive() async throws -> [UInt8]? {
        guard let message = try await cancelling({ try await exchange.responses.receive() }) else { return nil }
        try ending { () throws(Status) in try exchange.checkResponse(message) }
        return message
    }

    func cancel() {
        exchange.end(Status(.cancelled, "in-process: the call was cancelled", certainty: .unknown), early: true)
    }

    /// A message that is too large ends the call.
    private func ending(_ check: () throws(Status) -> Void) throws(Status) {
        do {
            try check()
        } catch {
            exchange.end(error, early: true)
            throw error
        }
    }

    private func cancelling<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await withTaskCancellationHandler {
            try await body()
        } onCancel: {
            cancel()
        }
    }
}

/// The server's end.
final class InProcessServerCall: ServerCall {
    let exchange: InProcessExchange
    let peer = Peer(address: "in-process")
    /// What its handler lets go wrong.
    let fault = Mutex<InProcessFault?>(nil)

    init(_ exchange: InProcessExchange) { self.exchange = exchange }

    var path: String { exchange.path }
    var metadata: Metadata { exchange.requestMetadata }
    var deadline: Deadline? { exchange.deadline }
    var isCancelled: Bool { exchange.status.map { !$0.isOK } ?? false }

    func receive() async throws -> [UInt8]? { try await exchange.requests.receive() }

    func send(_ message: [UInt8]) async throws {
        try checkHeard()
        exchange.startResponse()
        if strikesAfterHeaders() { throw InProcessFault.brokenOff }
        let (isWhole, strikes) = progress(message)
        if isWhole { try await exchange.responses.send(message) }
        if strikes { strike() }
    }

    func sendInitialMetadata(_ metadata: Metadata) async throws {
        try checkHeard()
        try exchange.sendInitialMetadata(metadata)
        _ = strikesAfterHeaders()
    }

    func appendTrailingMetadata(_ metadata: Metadata) { exchange.appendTrailing(metadata) }
}
