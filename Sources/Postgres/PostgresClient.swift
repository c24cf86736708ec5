public import EventLoop
internal import Limits

/// Connections to one PostgreSQL database, pooled per loop of a group.
///
/// A call made on a loop of the group stays there; any other caller is served by the loops in turn. Call `shutDown`
/// before the group's loops end.
public final class PostgresClient: StatementExecutor {
    public let configuration: PostgresConfiguration
    public let limits: PostgresLimits
    private let group: EventLoopGroup
    private let pools: [ConnectionPool]

    /// Makes a client; connections are made when they are needed.
    public init(_ configuration: PostgresConfiguration, group: EventLoopGroup, limits: PostgresLimits = .init()) {
        self.configuration = configuration
        self.group = group
        self.limits = limits
        pools = group.loops.map { ConnectionPool(configuration: configuration, loop: $0, limits: limits) }
    }

    /// Runs the statements that `body` lists in one round trip and one implicit transaction.
    public func pipeline<Result>(_ body: (inout Pipeline) throws -> Result) async throws -> Result {
        var pipeline = Pipeline()
        let result = try body(&pipeline)
        let (commands, answers) = (pipeline.commands, pipeline.answers)
        answers.results = try await withConnectionOnLoop { connection throws(PostgresError) in
            try await connection.run(Batch(commands, commits: true))
        }
        return result
    }

    /// Runs several statements in one text, separated by semicolons and without parameters, as one implicit
    /// transaction unless the text has transaction commands. For migrations and set-up.
    public func executeScript(_ sql: String) async throws {
        _ = try await withConnectionOnLoop { connection throws(PostgresError) in
            try await connection.run(Batch(script: sql, commits: true))
        }
    }

    /// Runs `body` with one connection to itself, outside a transaction. What it sets in the session stays there.
    public func withConnection<Result>(_ body: (PostgresSession) async throws -> Result) async throws -> Result {
        let session = try await beginSession()
        do {
            let result = try await body(session)
            await session.end()
            return result
        } catch {
            await session.end()
            throw error
        }
    }

    /// Runs `body` in a transaction and commits it when `body` returns; rolls back when `body` throws.
    ///
    /// BEGIN travels with the first statement. A statement's error leaves only ROLLBACK: throw it on.
    /// An error with `certainty == .unknown` means that COMMIT was sent and its answer lost.
    ///
    /// - Parameters:
    ///   - attempts: how often `body` runs at most when the transaction loses a race (serialization failure or
    ///     deadlock); between attempts it waits a few milliseconds. With more than 1, `body` must bear repetition.
    public func withTransaction<Result>(
        isolation: PostgresIsolation = .readCommitted, readOnly: Bool = false, attempts: Int = 1,
        _ body: (PostgresTransaction) async throws -> Result
    ) async throws -> Result {
        try await withConnection { session in
            try await session.withTransaction(isolation: isolation, readOnly: readOnly, attempts: attempts, body)
        }
    }

    /// Whether the server answers: runs `SELECT 1`. For health checks.
    public func ping() async throws {
        try await execute(sql: "SELECT 1")
    }

    public func statistics() async -> PostgresStatistics {
        var sum = PostgresStatistics()
        for pool in pools { sum = sum + (await pool.loop.perform { pool.statistics }) }
        return sum
    }

    /// Refuses new work, lets the work under way end, and closes every connection.
    public func shutDown() async {
        for pool in pools { await pool.loop.perform { await pool.shutDown() } }
    }

    // MARK: Connections

    var loopForListening: EventLoop { group.next }

    /// The pool of the loop that the current task lives on, otherwise the next in turn.
    private var pool: ConnectionPool {
        let loop = group.next
        guard let pool = pools.first(where: { $0.loop === loop }) else {
            preconditionFailure("a group keeps its loops")
        }
        return pool
    }

    private func withConnectionOnLoop<Result: Sendable>(
        _ body: @Sendable (Connection) async throws(PostgresError) -> Result
    ) async throws(PostgresError) -> Result {
        let pool = self.pool
        return try await pool.loop.perform { () async throws(PostgresError) in
            let connection = try await pool.acquire()
            do throws(PostgresError) {
                let result = try await body(connection)
                await pool.giveBack(connection)
                return result
            } catch {
                await pool.giveBack(connection)
                throw error
            }
        }
    }

    private func beginSession() async throws(PostgresError) -> PostgresSession {
        let pool = self.pool
        return try await pool.loop.perform { () async throws(PostgresError) in
            PostgresSession(try await pool.acquire(), of: pool)
        }
    }
}
