internal import DequeModule
internal import EventLoop
internal import Limits

/// The part of a client that lives on one loop: its connection there, and the commands that wait for it.
///
/// The first command makes the connection; commands wait while the attempt runs. After a failed attempt comes a pause,
/// in which commands fail at once; the next command after the pause tries again.
///
/// @unchecked: touched on the loop's thread only, except the constants.
final class RedisLane: @unchecked Sendable {
    let loop: EventLoop
    let endpoint: RedisEndpoint
    let limits: RedisLimits

    private enum Phase {
        case idle
        case connecting
        case ready(RedisConnection)
        case pausing(until: ContinuousClock.Instant, RedisError)
        case closed
    }

    private struct Waiter {
        let exchange: Exchange
        let encoded: [UInt8]
    }

    private var phase = Phase.idle
    private var failedAttempts = 0
    private var waiters: Deque<Waiter> = []
    private var waitingCommands = 0
    private var waitingBytes = 0
    private var counts = RedisStatistics()

    init(_ loop: EventLoop, _ endpoint: RedisEndpoint, _ limits: RedisLimits) {
        self.loop = loop
        self.endpoint = endpoint
        self.limits = limits
    }

    var statistics: RedisStatistics {
        var statistics = counts
        statistics.inFlight = inFlight
        return statistics
    }

    /// Runs commands one after the other in one write, and returns their answers in order. On the loop.
    func run(_ commands: [[RedisArgument]]) async throws(RedisError) -> [RedisValue] {
        loop.preconditionOnLoop()
        let encoded = try Self.encode(commands, limits)
        guard !commands.isEmpty else { return [] }
        return try await Exchange.run(count: commands.count, on: loop, by: Self.deadline(limits.commandTimeout)) {
            exchange throws(RedisError) in
            try submit(exchange, encoded)
        }
    }

    /// Sends a command if a connection is there and has room; nobody learns what became of it. On the loop.
    func runUnattended(_ command: [RedisArgument]) {
        guard case .ready(let connection) = phase, connection.pendingCommands < limits.inFlightPerLoop else { return }
        var encoded: [UInt8] = []
        encoded.appendCommand(command)
        guard connection.unsentBytes + encoded.count <= limits.unsentBytesPerLoop else { return }
        counts.commands += 1
        connection.submit(Exchange(count: 1, on: loop), encoded)
    }

    static func deadline(_ limit: Duration) -> Deadline {
        let own = Deadline.after(limit)
        return min(own, Deadline.current ?? own)
    }

    static func encode(_ commands: [[RedisArgument]], _ limits: RedisLimits) throws(RedisError) -> [UInt8] {
        guard commands.count <= limits.inFlightPerLoop else {
            throw RedisError(.invalidCommand, "a pipeline of \(commands.count) commands is too long")
        }
        var encoded: [UInt8] = []
        for command in commands {
            guard !command.isEmpty else { throw RedisError(.invalidCommand, "a command has at least its name") }
            encoded.appendCommand(command)
        }
        guard encoded.count <= limits.unsentBytesPerLoop else {
            throw RedisError(.invalidCommand, "\(encoded.count) bytes are too many to send at once")
        }
        return encoded
    }

    // MARK: Commands

    private var inFlight: Int {
        if case .ready(let connection) = phase { connection.pendingCommands } else { waitingCommands }
    }

    private var unsentBytes: Int {
        if case .ready(let connection) = phase { connection.unsentBytes } else { waitingBytes }
    }

    private func submit(_ exchange: Exchange, _ encoded: [UInt8]) throws(RedisError) {
        guard inFlight + exchange.count <= limits.inFlightPerLoop,
            unsentBytes + encoded.count <= limits.unsentBytesPerLoop
        else {
            counts.refusals += 1
            throw RedisError(.queueFull, "\(inFlight) commands are under way")
        }
        switch phase {
        case .ready(let connection):
            connection.submit(exchange, encoded)
        case .closed:
            throw Self.closedError
        case .pausing(let end, let error) where end > .now:
            throw error
        case .idle, .pausing:
            wait(exchange, encoded)
            connect()
        case .connecting:
            wait(exchange, encoded)
        }
        counts.commands += exchange.count
    }

    private func wait(_ exchange: Exchange, _ encoded: [UInt8]) {
        waiters.append(Waiter(exchange: exchange, encoded: encoded))
        waitingCommands += exchange.count
        waitingBytes += encoded.count
    }

    private func takeWaiters() -> Deque<Waiter> {
        defer {
            waiters = []
            waitingCommands = 0
            waitingBytes = 0
        }
        return waiters
    }

    // MARK: Connecting

    private func connect() {
        phase = .connecting
        loop.spawn { await self.connectOnce() }
    }

    private func connectOnce() async {
        do throws(RedisError) {
            let socket = try await ConnectAttempt.open(endpoint, on: loop, by: .after(limits.connectTimeout))
            let connection = RedisConnection(socket, loop: loop, limits: limits, stallTimeout: limits.stallTimeout)
            guard case .connecting = phase else { return }
            try connection.start()
            connected(connection)
        } catch {
            connectingFailed(error)
        }
    }

    private func connected(_ connection: RedisConnection) {
        counts.connectionsMade += 1
        phase = .ready(connection)
        connection.onClose = { [weak self] error in self?.connectionEnded(error) }
        connection.onIdle = { [weak self] in self?.failedAttempts = 0 }
        for waiter in takeWaiters() where waiter.exchange.isAwaited {
            connection.submit(waiter.exchange, waiter.encoded)
        }
    }

    private func connectingFailed(_ error: RedisError) {
        guard case .connecting = phase else { return }
        counts.failedConnects += 1
        pause(error)
        for waiter in takeWaiters() { waiter.exchange.fail(error) }
    }

    /// The first loss is followed by an attempt at once; a server that accepts and closes again is given pauses.
    private func connectionEnded(_ error: RedisError) {
        guard case .ready = phase else { return }
        counts.connectionsLost += 1
        if failedAttempts == 0 {
            failedAttempts = 1
            phase = .idle
        } else {
            pause(RedisError(.unavailable, "the connection was lost again: \(error.message)"))
        }
    }

    private func pause(_ error: RedisError) {
        failedAttempts += 1
        let delay = limits.reconnect.delay(afterAttempt: failedAttempts, random: .random(in: .min ... .max))
        phase = .pausing(until: .now + delay, error)
    }

    // MARK: The end

    static let closedError = RedisError(.closed, "the client was shut down")

    /// Refuses new commands and closes the connection when the answers under way have come, which takes at most the
    /// command time-out.
    func shutDown() async {
        loop.preconditionOnLoop()
        let last = phase
        phase = .closed
        for waiter in takeWaiters() { waiter.exchange.fail(Self.closedError) }
        guard case .ready(let connection) = last, !connection.isClosed else { return }
        if connection.pendingCommands > 0 {
            await withCheckedContinuation { continuation in
                let timer = loop.schedule(at: .now + limits.commandTimeout) { connection.close(Self.closedError) }
                let end = { [loop] in
                    loop.cancel(timer)
                    connection.onIdle = {}
                    connection.onClose = { _ in }
                    continuation.resume()
                }
                connection.onIdle = end
                connection.onClose = { _ in end() }
            }
        }
        connection.close(Self.closedError)
    }
}
