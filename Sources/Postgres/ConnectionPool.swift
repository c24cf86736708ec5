internal import DequeModule
internal import EventLoop
internal import Limits

/// The connections of one loop: at most `connectionsPerLoop`, with a bounded queue of callers that wait for one.
///
/// Connections are made when a caller needs one. While the server is away, callers wait up to their limit, and one
/// attempt follows the other with growing delays. State belongs to the loop's thread.
final class ConnectionPool: @unchecked Sendable {
    // @unchecked: see "State" above.

    private final class Waiter {
        var continuation: CheckedContinuation<Void, Never>?
        var outcome: Result<Connection, PostgresError>?
        var timer: LoopTimer?
    }

    let loop: EventLoop
    private let configuration: PostgresConfiguration
    private let limits: PostgresLimits
    private var idle: [Connection] = []
    private var busy: [ObjectIdentifier: Connection] = [:]
    /// Attempts to connect, by number.
    private var connecting: [Int: Task<Void, Never>] = [:]
    private var lastAttempt = 0
    private var waiters: BoundedQueue<Waiter>
    private var failedAttempts = 0
    private var lastFailure: PostgresError?
    private var retryTimer: LoopTimer?
    private var isClosed = false
    private var drained: [CheckedContinuation<Void, Never>] = []
    private(set) var counters = PostgresStatistics()

    init(configuration: PostgresConfiguration, loop: EventLoop, limits: PostgresLimits) {
        precondition(limits.connectionsPerLoop >= 1, "a pool has at least one connection")
        self.configuration = configuration
        self.loop = loop
        self.limits = limits
        waiters = BoundedQueue(capacity: limits.waitersPerLoop)
    }

    // MARK: Lending

    /// A connection for the caller alone, to be given back by `release`. Call on the loop.
    func acquire() async throws(PostgresError) -> Connection {
        loop.preconditionOnLoop()
        guard !isClosed else { throw PostgresError(.closed, "the client was shut down") }
        guard !Task.isCancelled else { throw PostgresError(.cancelled, "cancelled before a connection was taken") }
        while let connection = idle.popLast() {
            busy[ObjectIdentifier(connection)] = connection
            if connection.idleSince + limits.idleCheck < .now {
                guard (try? await connection.run(Batch([], commits: false))) != nil else {
                    release(connection)
                    continue
                }
            }
            return connection
        }
        return try await waitForConnection()
    }

    /// Takes a connection back; one that cannot be used again is closed. Call on the loop.
    func release(_ connection: Connection) {
        loop.preconditionOnLoop()
        guard busy[ObjectIdentifier(connection)] != nil else { return }
        guard connection.isReusable, !isClosed else {
            connection.close(PostgresError(.connectionLost, "the connection cannot be used again"))
            return remove(connection)
        }
        offer(connection)
    }

    /// Takes a connection back after dropping the prepared statements that are too many. Call on the loop.
    func giveBack(_ connection: Connection) async {
        if connection.isReusable, let eviction = connection.evictionBatch() {
            // When it fails the connection is no longer reusable, which `release` sees.
            do { _ = try await connection.run(eviction, shielded: true) } catch { connection.close(error) }
        }
        release(connection)
    }

    /// Refuses new callers, fails those in the queue, waits for the connections in use and closes all. Call on the loop.
    func shutDown() async {
        isClosed = true
        if let retryTimer { loop.cancel(retryTimer) }
        retryTimer = nil
        failWaiters(PostgresError(.closed, "the client was shut down"))
        for attempt in connecting.values { attempt.cancel() }
        for connection in idle { connection.close(PostgresError(.closed, "the client was shut down")) }
        idle.removeAll()
        guard !isDrained else { return }
        await withCheckedContinuation { drained.append($0) }
    }

    var statistics: PostgresStatistics {
        var statistics = counters
        statistics.idle = idle.count
        statistics.busy = busy.count
        statistics.connecting = connecting.count
        statistics.waiting = waiters.count
        return statistics
    }

    // MARK: Waiting

    private func waitForConnection() async throws(PostgresError) -> Connection {
        let waiter = Waiter()
        guard waiters.append(waiter) else {
            counters.refused += 1
            throw PostgresError(
                .poolExhausted,
                "all \(limits.connectionsPerLoop) connections are busy and \(waiters.capacity) callers wait already"
                    + lastFailureNote)
        }
        let limit = ContinuousClock.now + limits.connectionWait
        let instant = min(limit, Deadline.current?.instant ?? limit)
        waiter.timer = loop.schedule(at: instant) { [self] in
            counters.waitTimeouts += 1
            withdraw(waiter, PostgresError(.deadlineExceeded, "no connection became free in time" + lastFailureNote))
        }
        connectIfNeeded()
        let ticket = Ticket(waiter: waiter)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if waiter.outcome == nil { waiter.continuation = continuation } else { continuation.resume() }
            }
        } onCancel: {
            loop.spawn { [self] in
                withdraw(ticket.waiter, PostgresError(.cancelled, "cancelled while waiting for a connection"))
            }
        }
        guard let outcome = waiter.outcome else { preconditionFailure("a waiter was woken without an outcome") }
        return try outcome.get()
    }

    /// Carries a waiter through the cancellation handler, which may run on any thread, back to the loop.
    private struct Ticket: @unchecked Sendable {
        let waiter: Waiter
    }

    private func withdraw(_ waiter: Waiter, _ error: PostgresError) {
        guard waiters.removeFirst(where: { $0 === waiter }) != nil else { return }
        settle(waiter, .failure(error))
    }

    private func settle(_ waiter: Waiter, _ outcome: Result<Connection, PostgresError>) {
        if let timer = waiter.timer { loop.cancel(timer) }
        waiter.timer = nil
        waiter.outcome = outcome
        waiter.continuation?.resume()
        waiter.continuation = nil
    }

    private func failWaiters(_ error: PostgresError) {
        for waiter in waiters.drain() { settle(waiter, .failure(error)) }
    }

    private var lastFailureNote: String {
        lastFailure.map { "; the last attempt to connect failed: \($0.message)" } ?? ""
    }

    /// Gives a usable connection to the first caller in the queue, or keeps it.
    private func offer(_ connection: Connection) {
        if let waiter = waiters.popFirst() {
            busy[ObjectIdentifier(connection)] = connection
            settle(waiter, .success(connection))
        } else {
            busy[ObjectIdentifier(connection)] = nil
            connection.idleSince = .now
            idle.append(connection)
        }
    }

    private func remove(_ connection: Connection) {
        busy[ObjectIdentifier(connection)] = nil
        idle.removeAll { $0 === connection }
        finishDraining()
        connectIfNeeded()
    }

    private var isDrained: Bool { busy.isEmpty && connecting.isEmpty }

    private func finishDraining() {
        guard isClosed, isDrained else { return }
        for continuation in drained { continuation.resume() }
        drained.removeAll()
    }

    // MARK: Connecting

    private func connectIfNeeded() {
        guard !isClosed, retryTimer == nil else { return }
        // After a failure, one attempt at a time is enough to learn that the server is back.
        let wanted = failedAttempts > 0 ? min(1, waiters.count) : waiters.count
        while connecting.count < wanted, busy.count + idle.count + connecting.count < limits.connectionsPerLoop {
            lastAttempt += 1
            let number = lastAttempt
            connecting[number] = loop.spawn { [self] in await attempt(number) }
        }
    }

    private func attempt(_ number: Int) async {
        do {
            let connection = try await Connection.open(configuration, loop: loop, limits: limits)
            connecting[number] = nil
            guard !isClosed else {
                connection.close(PostgresError(.closed, "the client was shut down"))
                return finishDraining()
            }
            connection.onClose = { [weak self, weak connection] _ in
                // One in use is noticed by its user, who releases it.
                self?.idle.removeAll { $0 === connection }
            }
            failedAttempts = 0
            lastFailure = nil
            counters.opened += 1
            offer(connection)
            connectIfNeeded()
        } catch {
            connecting[number] = nil
            attemptFailed(error)
        }
    }

    private func attemptFailed(_ error: PostgresError) {
        lastFailure = error
        failedAttempts += 1
        counters.failedAttempts += 1
        guard !isClosed else { return finishDraining() }
        if error.isPermanentRefusal { failWaiters(error) }
        guard !waiters.isEmpty, retryTimer == nil else { return }
        let delay = limits.reconnect.delay(afterAttempt: failedAttempts, random: .random(in: 0 ... .max))
        retryTimer = loop.schedule(at: .now + delay) { [self] in
            retryTimer = nil
            connectIfNeeded()
        }
    }
}
