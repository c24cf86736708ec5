internal import CLibpq
internal import DequeModule
internal import EventLoop
internal import Glibc
internal import Limits

/// One connection to the server, in pipeline mode, on one loop all its life.
///
/// libpq does the protocol without blocking; the loop says when the socket is ready. Batches are answered in the order
/// in which they were submitted. State belongs to the loop's thread.
@safe final class Connection: ReadinessHandler, @unchecked Sendable {
    // @unchecked: see "State" above.

    private enum Phase {
        case connecting((PostgresError?) -> Void)
        case ready
        case closed
    }

    let loop: EventLoop
    let limits: PostgresLimits
    /// When the pool got it back, for the idle check.
    var idleSince = ContinuousClock.now
    /// Called once when the connection ends for any reason after it was ready.
    var onClose: ((PostgresError) -> Void)?
    /// Called with the payload of each NOTIFY.
    var onNotification: ((String) -> Void)?

    /// Nil once closed: libpq answers calls with nil as for a broken connection.
    private var handle: OpaquePointer?
    private var phase = Phase.closed
    private var batches: Deque<Batch> = []
    private var statements: PreparedStatements
    private var descriptor: Int32 = -1
    private var interest: Readiness = []
    private var connectTimer: LoopTimer?
    /// Whether a statement was found stale, so that the connection should not be used again.
    private var isStale = false

    init(loop: EventLoop, limits: PostgresLimits) {
        self.loop = loop
        self.limits = limits
        statements = PreparedStatements(capacity: limits.preparedStatementsPerConnection)
    }

    deinit { unsafe PQfinish(handle) }

    /// Makes a connection. The task's cancellation ends the attempt.
    static func open(
        _ configuration: PostgresConfiguration, loop: EventLoop, limits: PostgresLimits
    ) async throws(PostgresError) -> Connection {
        var configuration = configuration
        if configuration.needsNameLookUp {
            let named = configuration
            let lookUp: Result<PostgresConfiguration, PostgresError>
            do {
                lookUp = try await BlockingPool.shared.run {
                    Result { () throws(PostgresError) in try named.lookingUpNames() }
                }
            } catch {
                throw PostgresError(.unavailable, "too many name look-ups wait")
            }
            configuration = try lookUp.get()
        }
        let connection = Connection(loop: loop, limits: limits)
        let resolved = configuration
        let failure: PostgresError? = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                connection.connect(resolved) { continuation.resume(returning: $0) }
            }
        } onCancel: {
            loop.spawn { connection.stopConnecting() }
        }
        if let failure { throw failure }
        return connection
    }

    /// Starts to connect; `completion` is called once on the loop, with an error or when the connection is ready.
    ///
    /// - Parameter configuration: without names to look up.
    private func connect(_ configuration: PostgresConfiguration, completion: @escaping (PostgresError?) -> Void) {
        loop.preconditionOnLoop()
        unsafe handle = Self.start(configuration)
        phase = .connecting(completion)
        connectTimer = loop.schedule(at: .now + limits.connectTimeout) { [weak self] in
            guard let self else { return }
            failConnecting("no connection within \(limits.connectTimeout)")
        }
        unsafe PQsetNoticeReceiver(handle, { _, _ in }, nil)
        // A refused connection comes without result: its SQLSTATE is only in the verbose message.
        unsafe PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        guard unsafe PQstatus(handle) != CONNECTION_BAD else { return failConnecting(lastMessage) }
        watch(for: .writable)  // libpq: behave as if the first poll had asked for writing.
    }

    var isReady: Bool {
        if case .ready = phase { true } else { false }
    }

    /// Whether it can serve the next caller: nothing in flight, no open transaction, nothing stale.
    var isReusable: Bool {
        unsafe isReady && batches.isEmpty && !isStale && PQtransactionStatus(handle) == PQTRANS_IDLE
    }

    var isInFailedTransaction: Bool { unsafe PQtransactionStatus(handle) == PQTRANS_INERROR }

    // MARK: Running batches

    /// Sends `batch` and waits for its end, at most until the deadline. Call on the loop.
    ///
    /// - Parameter shielded: whether the task's cancellation is ignored, for work that cleans up.
    func run(_ batch: Batch, shielded: Bool = false) async throws(PostgresError) -> [QueryResult] {
        loop.preconditionOnLoop()
        if !shielded, Task.isCancelled { throw PostgresError(.cancelled, "cancelled before the statement was sent") }
        let limit = ContinuousClock.now + limits.statementTimeout
        let instant = min(limit, Deadline.current?.instant ?? limit)
        guard instant > .now else {
            throw PostgresError(.deadlineExceeded, "the deadline had passed before the statement was sent")
        }
        try submit(batch)
        if !batch.isFinished {
            batch.timer = loop.schedule(at: instant) { [weak self] in
                self?.abandon(batch, .deadlineExceeded, "no answer within the deadline")
            }
            if shielded {
                await end(of: batch)
            } else {
                await withTaskCancellationHandler {
                    await end(of: batch)
                } onCancel: {
                    loop.spawn { self.abandon(batch, .cancelled, "cancelled while the answer was awaited") }
                }
            }
        }
        return try batch.get()
    }

    private func end(of batch: Batch) async {
        await withCheckedContinuation { continuation in
            if batch.isFinished { continuation.resume() } else { batch.waiter = continuation }
        }
        loop.preconditionOnLoop()
    }

    /// Gives up on a batch: the caller learns at once, the server is asked to cancel, and the connection ends.
    private func abandon(_ batch: Batch, _ reason: PostgresError.Reason, _ message: String) {
        guard !batch.isFinished else { return }
        batch.finish(PostgresError(reason, message, certainty: batch.commits ? .unknown : .notApplied))
        requestCancel()
        close(PostgresError(.connectionLost, "the connection was given up with another statement"))
    }

    /// Waits for the end of the connection; the task's cancellation ends it.
    func untilClosed() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard isReady else { return continuation.resume() }
                onClose = { _ in continuation.resume() }
            }
        } onCancel: {
            loop.spawn { self.close(PostgresError(.cancelled, "no longer wanted")) }
        }
    }

    /// Closes after the batches in flight have been failed with `error`.
    func close(_ error: PostgresError) {
        guard isReady else { return }
        end(error)
    }

    /// Commands that drop the statements past the cache's capacity; nil when there is nothing to drop.
    func evictionBatch() -> Batch? {
        let names = statements.evict()
        guard !names.isEmpty else { return nil }
        return Batch([], before: names.map { "DEALLOCATE \($0)" }, commits: false)
    }

    // MARK: Sending

    private func submit(_ batch: Batch) throws(PostgresError) {
        guard isReady else { throw PostgresError(.connectionLost, "the connection has ended") }
        switch batch.content {
        case .commands(let commands, let before, let after):
            guard commands.count <= limits.pipelineLength else {
                throw PostgresError(
                    .invalidParameter, "\(commands.count) statements in one pipeline, at most \(limits.pipelineLength)")
            }
            // Encoded before the first is sent: a refused parameter must leave nothing half sent.
            var encoded: [ParameterBuffer] = []
            encoded.reserveCapacity(commands.count)
            for command in commands {
                guard !command.sql.utf8.contains(0) else {
                    throw PostgresError(.invalidParameter, "a statement has a NUL character")
                }
                encoded.append(try ParameterBuffer(command.parameters, byteLimit: limits.statementBytes))
            }
            batch.wasSubmitted = true
            batches.append(batch)
            var sent = true
            for text in before { sent = sent && sendControl(text, batch) }
            for (index, command) in commands.enumerated() {
                sent = sent && send(command, encoded[index], index, batch)
            }
            for text in after { sent = sent && sendControl(text, batch) }
            sent = unsafe sent && PQpipelineSync(handle) == 1
            guard sent else { return end(.connection(.connectionLost, lastMessage)) }
        case .script(let text):
            guard !text.utf8.contains(0) else {
                throw PostgresError(.invalidParameter, "a script has a NUL character")
            }
            guard batches.isEmpty, unsafe PQexitPipelineMode(handle) == 1 else {
                throw PostgresError(.invalidParameter, "a script runs alone on its connection")
            }
            batch.wasSubmitted = true
            batches.append(batch)
            batch.expect(.script)
            guard unsafe PQsendQuery(handle, text) == 1 else {
                return end(.connection(.connectionLost, lastMessage))
            }
        }
        flush()
    }

    private func sendControl(_ text: String, _ batch: Batch) -> Bool {
        batch.expect(.control)
        return unsafe PQsendQueryParams(handle, text, 0, nil, nil, nil, nil, 1) == 1
    }

    private func send(_ command: Command, _ parameters: ParameterBuffer, _ index: Int, _ batch: Batch) -> Bool {
        let key = PreparedStatements.Key(sql: command.sql, types: parameters.types)
        let (name, isNew) = statements.name(for: key)
        return unsafe parameters.withPointers { count, types, values, lengths, formats in
            if isNew {
                batch.expect(.prepared(key))
                guard unsafe PQsendPrepare(handle, name, command.sql, count, types) == 1 else { return false }
            }
            batch.expect(.command(index))
            return unsafe PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1) == 1
        }
    }

    private func flush() {
        switch unsafe PQflush(handle) {
        case 0: watch(for: .readable)
        case 1: watch(for: [.readable, .writable])
        default: end(.connection(.connectionLost, lastMessage))
        }
    }

    // MARK: Receiving

    func ready(_ readiness: Readiness) {
        switch phase {
        case .connecting: continueConnecting()
        case .ready:
            if readiness.contains(.writable) { flush() }
            guard isReady, !readiness.isDisjoint(with: [.readable, .hangUp]) else { return }
            let alive = unsafe PQconsumeInput(handle) == 1
            takeResults()
            takeNotifications()
            guard isReady else { return }
            if unsafe !alive || PQstatus(handle) == CONNECTION_BAD { end(.connection(.connectionLost, lastMessage)) }
        case .closed: break
        }
    }

    private func takeResults() {
        while let batch = batches.first, unsafe PQisBusy(handle) == 0 {
            guard let pointer = unsafe PQgetResult(handle) else {
                let ended = batch.endCommand()
                if case .script = batch.content, batch.isFullyAnswered {
                    guard unsafe PQenterPipelineMode(handle) == 1 else {
                        return end(.connection(.connectionLost, lastMessage))
                    }
                    complete(batch)
                    continue
                }
                guard ended else { return }
                continue
            }
            let result = unsafe QueryResult(taking: pointer)
            if result.status == PGRES_PIPELINE_SYNC {
                complete(batch)
            } else {
                batch.take(result)
                switch result.status {
                case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                    return end(PostgresError(.invalidParameter, "COPY is not supported"))
                default: break
                }
            }
        }
    }

    private func complete(_ batch: Batch) {
        batches.removeFirst()
        settle(batch)
        batch.finish()
    }

    /// Keeps the cache of prepared statements true to what the server did.
    private func settle(_ batch: Batch) {
        if let timer = batch.timer {
            loop.cancel(timer)
            batch.timer = nil
        }
        for key in batch.unconfirmed { statements.forget(key) }
        switch batch.failure?.sqlState {
        // A schema change made a plan invalid, or the statement is gone: start afresh.
        case .featureNotSupported?, .invalidStatementName?: isStale = true
        default: break
        }
    }

    private func takeNotifications() {
        while isReady, let notification = unsafe PQnotifies(handle) {
            let payload = unsafe String(cString: notification.pointee.extra)
            unsafe PQfreemem(notification)
            onNotification?(payload)
        }
    }

    // MARK: Beginning and end

    private static func start(_ configuration: PostgresConfiguration) -> OpaquePointer? {
        var keywords = configuration.keywords
        keywords["client_encoding"] = "UTF8"
        // A peer that vanished is noticed by the kernel, not by the next caller.
        keywords["tcp_user_timeout"] = keywords["tcp_user_timeout"] ?? "10000"
        for (keyword, value) in [("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3")] {
            keywords[keyword] = keywords[keyword] ?? value
        }
        let names = unsafe keywords.keys.map { unsafe strdup($0) }
        let values = unsafe keywords.keys.map { unsafe strdup(keywords[$0]!) }
        defer {
            for index in unsafe names.indices {
                unsafe free(names[index])
                unsafe free(values[index])
            }
        }
        var nameList = unsafe names.map { unsafe UnsafePointer($0) } + [nil]
        var valueList = unsafe values.map { unsafe UnsafePointer($0) } + [nil]
        return unsafe PQconnectStartParams(&nameList, &valueList, 0)
    }

    private func continueConnecting() {
        let state = unsafe PQconnectPoll(handle)
        // libpq may have closed its socket and opened another, even with the same number.
        forgetDescriptor()
        switch state {
        case PGRES_POLLING_READING: watch(for: .readable)
        case PGRES_POLLING_WRITING: watch(for: .writable)
        case PGRES_POLLING_OK: completeConnecting()
        default: failConnecting(lastMessage)
        }
    }

    private func completeConnecting() {
        guard case .connecting(let completion) = phase else { return }
        guard unsafe PQsetnonblocking(handle, 1) == 0, unsafe PQenterPipelineMode(handle) == 1 else {
            return failConnecting(lastMessage)
        }
        stopConnectTimer()
        phase = .ready
        watch(for: .readable)
        if isReady { completion(nil) }
    }

    private func failConnecting(_ message: String) {
        guard case .connecting(let completion) = phase else { return }
        stopConnectTimer()
        phase = .closed
        release()
        completion(PostgresError(connecting: message))
    }

    private func stopConnecting() { failConnecting("the attempt to connect was cancelled") }

    private func stopConnectTimer() {
        if let connectTimer { loop.cancel(connectTimer) }
        connectTimer = nil
    }

    private func end(_ error: PostgresError) {
        switch phase {
        case .connecting: return failConnecting(error.message)
        case .closed: return
        case .ready: phase = .closed
        }
        let unanswered = batches
        batches.removeAll()
        for batch in unanswered {
            settle(batch)
            var failure = error
            failure.certainty = batch.commits ? .unknown : .notApplied
            batch.finish(failure)
        }
        release()
        onClose?(error)
        onClose = nil
        onNotification = nil
    }

    /// Closes the socket: first the loop forgets it, then libpq closes it.
    private func release() {
        forgetDescriptor()
        unsafe PQfinish(handle)
        unsafe handle = nil
    }

    private var lastMessage: String { unsafe String(cString: PQerrorMessage(handle)) }

    /// Asks the server to stop the running statement. The request needs a connection of its own and blocks.
    private func requestCancel() {
        guard let cancel = unsafe PQgetCancel(handle) else { return }
        let request = unsafe CancelRequest(taking: cancel)
        // When the pool is full the statement runs on until the server misses us; the caller has its answer already.
        _ = BlockingPool.shared.submit { request.send() }
    }

    // MARK: Readiness

    private func watch(for wanted: Readiness) {
        if descriptor < 0 {
            descriptor = unsafe PQsocket(handle)
            interest = wanted
            do {
                guard descriptor >= 0 else { throw SystemError(call: "PQsocket", code: 0) }
                try loop.watch(descriptor, for: wanted, handler: self)
            } catch {
                descriptor = -1
                end(.connection(.connectionLost, "\(error)"))
            }
        } else if interest != wanted {
            interest = wanted
            loop.rewatch(descriptor, for: wanted)
        }
    }

    private func forgetDescriptor() {
        guard descriptor >= 0 else { return }
        loop.unwatch(descriptor)
        descriptor = -1
    }
}

/// The right to cancel what one connection is running.
@safe private final class CancelRequest: @unchecked Sendable {
    // @unchecked: libpq documents a PGcancel as usable by any thread; it is only read.
    private let handle: OpaquePointer

    init(taking handle: OpaquePointer) { unsafe self.handle = handle }
    deinit { unsafe PQfreeCancel(handle) }

    /// Blocks. A failure needs no answer: the statement then ends by itself.
    func send() {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            _ = unsafe PQcancel(handle, buffer.baseAddress!, Int32(buffer.count))
        }
    }
}
