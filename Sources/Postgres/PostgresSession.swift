internal import EventLoop
internal import Limits
internal import Synchronization

/// One connection that the scope of `PostgresClient.withConnection` has to itself. Statements outside
/// `withTransaction` are transactions of their own.
public final class PostgresSession: StatementExecutor {
    private static let lostRaceBackoff = Backoff(
        initial: .milliseconds(2), maximum: .milliseconds(100), jitterPercent: 50)

    private let connection: Connection
    private let pool: ConnectionPool
    private let hasEnded = Atomic<Bool>(false)

    init(_ connection: Connection, of pool: ConnectionPool) {
        self.connection = connection
        self.pool = pool
    }

    /// Runs the statements that `body` lists in one round trip and one implicit transaction.
    public func pipeline<Result>(_ body: (inout Pipeline) throws -> Result) async throws -> Result {
        var pipeline = Pipeline()
        let result = try body(&pipeline)
        let (commands, answers) = (pipeline.commands, pipeline.answers)
        answers.results = try await run { Batch(commands, commits: true) }
        return result
    }

    /// See `PostgresClient.executeScript`.
    public func executeScript(_ sql: String) async throws {
        _ = try await run { Batch(script: sql, commits: true) }
    }

    /// See `PostgresClient.withTransaction`.
    public func withTransaction<Result>(
        isolation: PostgresIsolation = .readCommitted, readOnly: Bool = false, attempts: Int = 1,
        _ body: (PostgresTransaction) async throws -> Result
    ) async throws -> Result {
        precondition(attempts >= 1, "a transaction is tried at least once")
        var attempt = 1
        while true {
            let transaction = PostgresTransaction(self, isolation: isolation, readOnly: readOnly)
            do {
                let result = try await body(transaction)
                try await transaction.commit()
                return result
            } catch {
                await transaction.rollBack()
                guard let failure = error as? PostgresError, failure.isLostRace, attempt < attempts else { throw error }
                let delay = Self.lostRaceBackoff.delay(afterAttempt: attempt, random: .random(in: 0 ... .max))
                attempt += 1
                guard delay < Deadline.current?.remaining ?? .seconds(1) else { throw error }
                try await Task.sleep(for: delay)
            }
        }
    }

    private func run(_ batch: @Sendable () -> Batch) async throws(PostgresError) -> [QueryResult] {
        try await perform { connection async throws(PostgresError) in try await connection.run(batch()) }
    }

    /// Runs `body` on the connection's loop.
    func perform<Result: Sendable>(
        _ body: @Sendable (Connection) async throws(PostgresError) -> Result
    ) async throws(PostgresError) -> Result {
        guard !hasEnded.load(ordering: .relaxed) else {
            throw PostgresError(.closed, "a connection was used after its scope")
        }
        return try await connection.loop.perform { () async throws(PostgresError) in try await body(connection) }
    }

    /// Closes the connection instead of giving it back in an unknown state.
    func discard() async {
        await connection.loop.perform {
            connection.close(PostgresError(.connectionLost, "the transaction could not be rolled back"))
        }
    }

    func end() async {
        hasEnded.store(true, ordering: .relaxed)
        await pool.loop.perform { await pool.giveBack(connection) }
    }
}
