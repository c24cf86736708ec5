public import EventLoop
internal import Limits
internal import Synchronization

/// Commands to one Redis server over one pipelined connection per loop of a group.
///
/// A call made on a loop of the group stays there; any other caller is served by the loops in turn. Commands that one
/// task sends one after the other are applied in that order. Every call obeys `Deadline.current` and the client's
/// limits. Call `shutDown` before the group's loops end.
public final class RedisClient: Sendable {
    public let endpoint: RedisEndpoint
    public let limits: RedisLimits
    private let group: EventLoopGroup
    private let lanes: [RedisLane]
    private let dedicated = Mutex(0)
    private let isClosed = Atomic(false)

    /// Makes a client; connections are made when they are needed.
    public init(endpoint: RedisEndpoint, group: EventLoopGroup, limits: RedisLimits = .init()) {
        self.endpoint = endpoint
        self.group = group
        self.limits = limits
        lanes = group.loops.map { RedisLane($0, endpoint, limits) }
    }

    /// Runs one command and returns its answer; an error reply is thrown.
    @discardableResult
    public func command(_ arguments: [RedisArgument]) async throws(RedisError) -> RedisValue {
        try await run([arguments], on: lane)[0].get()
    }

    /// Runs commands in one write and returns their answers in order; error replies are among the results.
    ///
    /// Not a transaction: other clients' commands may come between. When it throws with `certainty == .unknown`, any
    /// number of the first commands may have been applied.
    public func pipeline(_ commands: [[RedisArgument]]) async throws(RedisError) -> [RedisValue] {
        try await run(commands, on: lane)
    }

    /// Runs `body` with a new connection to itself, which is closed when `body` ends.
    public func withDedicatedConnection<Result>(
        _ body: (RedisSession) async throws -> Result
    ) async throws -> Result {
        let session = try await beginSession()
        do {
            let result = try await body(session)
            await end(session)
            return result
        } catch {
            await end(session)
            throw error
        }
    }

    /// Whether the server answers. For health checks.
    public func ping() async throws(RedisError) { try await command(["PING"]) }

    public func statistics() async -> RedisStatistics {
        var sum = RedisStatistics()
        for lane in lanes { sum = sum + (await lane.loop.perform { lane.statistics }) }
        return sum
    }

    /// Refuses new commands, lets those under way end, and closes the shared connections. Scopes of
    /// `withDedicatedConnection` end on their own.
    public func shutDown() async {
        isClosed.store(true, ordering: .relaxed)
        for lane in lanes { await lane.loop.perform { await lane.shutDown() } }
    }

    // MARK: Lanes

    /// The lane of the loop that the current task lives on, otherwise the next in turn.
    var lane: RedisLane {
        let loop = group.next
        guard let lane = lanes.first(where: { $0.loop === loop }) else {
            preconditionFailure("a group keeps its loops")
        }
        return lane
    }

    func run(_ commands: [[RedisArgument]], on lane: RedisLane) async throws(RedisError) -> [RedisValue] {
        try await lane.loop.perform { () async throws(RedisError) in try await lane.run(commands) }
    }

    // MARK: Dedicated connections

    private func beginSession() async throws(RedisError) -> RedisSession {
        guard !isClosed.load(ordering: .relaxed) else { throw RedisLane.closedError }
        let isAdmitted = dedicated.withLock { count in
            guard count < limits.dedicatedConnections else { return false }
            count += 1
            return true
        }
        guard isAdmitted else { throw RedisError(.queueFull, "all dedicated connections are in use") }
        do throws(RedisError) {
            let loop = group.next
            return try await loop.perform { () async throws(RedisError) in try await openSession(on: loop) }
        } catch {
            dedicated.withLock { $0 -= 1 }
            throw error
        }
    }

    private func openSession(on loop: EventLoop) async throws(RedisError) -> RedisSession {
        let deadline = RedisLane.deadline(limits.connectTimeout)
        let socket = try await ConnectAttempt.open(endpoint, on: loop, by: deadline)
        let connection = RedisConnection(socket, loop: loop, limits: limits, stallTimeout: nil)
        try connection.start()
        return RedisSession(connection, limits)
    }

    private func end(_ session: RedisSession) async {
        await session.end()
        dedicated.withLock { $0 -= 1 }
    }
}
