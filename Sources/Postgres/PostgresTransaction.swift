internal import EventLoop
internal import Limits
internal import Synchronization

/// How much of other transactions a transaction sees. Source: PostgreSQL manual, "Transaction Isolation".
public enum PostgresIsolation: String, Sendable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

/// A transaction inside the scope of `withTransaction`.
///
/// Its statements may be issued by several child tasks; the server runs them in the order in which they were issued.
public final class PostgresTransaction: StatementExecutor {
    private static let rollBackLimit: Duration = .seconds(5)

    private enum State {
        /// BEGIN has not been sent; it travels with the first statement.
        case untouched
        case open
        case committed
        case ended
    }

    private let session: PostgresSession
    private let begin: String
    private let state = Mutex(State.untouched)

    init(_ session: PostgresSession, isolation: PostgresIsolation, readOnly: Bool) {
        self.session = session
        begin = "BEGIN ISOLATION LEVEL \(isolation.rawValue)\(readOnly ? " READ ONLY" : "")"
    }

    /// Runs the statements that `body` lists in one round trip. After a failure the transaction can only roll back.
    public func pipeline<Result>(_ body: (inout Pipeline) throws -> Result) async throws -> Result {
        try await pipeline(thenCommit: false, body)
    }

    /// Like `pipeline`, and with `thenCommit` COMMIT travels along: the cheapest way to end a transaction. The
    /// transaction takes no statement afterwards.
    public func pipeline<Result>(
        thenCommit: Bool, _ body: (inout Pipeline) throws -> Result
    ) async throws -> Result {
        var pipeline = Pipeline()
        let result = try body(&pipeline)
        let (commands, answers) = (pipeline.commands, pipeline.answers)
        answers.results = try await run(commands, thenCommit: thenCommit)
        return result
    }

    /// Runs several statements in one text, separated by semicolons and without parameters or transaction commands.
    public func executeScript(_ sql: String) async throws {
        if state.withLock({ $0 == .untouched }) { _ = try await run([], thenCommit: false) }
        _ = try await session.perform { connection async throws(PostgresError) in
            guard state.withLock({ $0 == .open }) else { throw Self.hasEnded }
            return try await connection.run(Batch(script: sql, commits: false))
        }
    }

    func commit() async throws(PostgresError) {
        let needsCommit = state.withLock { state in
            defer { if state == .untouched { state = .committed } }
            return state == .open
        }
        if needsCommit { _ = try await run([], thenCommit: true) }
    }

    /// Rolls back if anything was sent and nothing committed; ignores the task's cancellation and its deadline.
    func rollBack() async {
        let needsRollBack = state.withLock { state in
            defer { state = .ended }
            return state == .open
        }
        guard needsRollBack else { return }
        let deadline = Deadline.after(Self.rollBackLimit)
        let isRolledBack: Bool = await Deadline.$current.withValue(deadline) {
            do {
                _ = try await session.perform { connection async throws(PostgresError) in
                    try await connection.run(Batch([], before: ["ROLLBACK"], commits: false), shielded: true)
                }
                return true
            } catch {
                return false  // The connection is then closed, which rolls back as well.
            }
        }
        if !isRolledBack { await session.discard() }
    }

    private func run(_ commands: [Command], thenCommit: Bool) async throws(PostgresError) -> [QueryResult] {
        try await session.perform { connection async throws(PostgresError) in
            // On the loop there is no suspension between here and the sending, so BEGIN goes first and once.
            let isFirst = try enter()
            let batch = Batch(
                commands, before: isFirst ? [begin] : [], after: thenCommit ? ["COMMIT"] : [], commits: thenCommit)
            let results: [QueryResult]
            do throws(PostgresError) {
                results = try await connection.run(batch)
            } catch {
                if isFirst, !batch.wasSubmitted { state.withLock { $0 = .untouched } }
                throw error
            }
            guard thenCommit else { return results }
            guard batch.lastControlTag != "ROLLBACK" else {
                throw PostgresError(
                    .transactionAborted, "COMMIT became ROLLBACK because a statement had failed before")
            }
            state.withLock { $0 = .committed }
            return results
        }
    }

    /// Opens the transaction if need be, and returns whether BEGIN has to go first.
    private func enter() throws(PostgresError) -> Bool {
        try state.withLock { state throws(PostgresError) in
            switch state {
            case .untouched:
                state = .open
                return true
            case .open: return false
            case .committed, .ended: throw Self.hasEnded
            }
        }
    }

    private static var hasEnded: PostgresError { PostgresError(.closed, "a transaction was used after its end") }
}
