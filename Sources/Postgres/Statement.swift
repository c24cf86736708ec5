/// One SQL statement with its parameters and the shape of its rows.
///
/// The text is fixed, so each connection prepares it once and remembers it.
public protocol Statement {
    associatedtype Row = Never

    /// The text, with `$1`, `$2` … for `parameters`.
    static var sql: String { get }

    /// The values of `$1`, `$2` … in this order.
    var parameters: [Parameter] { get }

    /// Makes a value of one row. Runs on the task that asked, after the statement was executed.
    static func decode(_ row: borrowing RowView) throws -> Row
}

extension Statement where Row == Never {
    /// For statements that return no rows.
    public static func decode(_ row: borrowing RowView) throws -> Never {
        throw PostgresError(.unexpectedRowCount, "a statement without row type returned a row", certainty: .applied)
    }
}

/// Where statements can be run: a client (each call is a transaction of its own), a connection, or a transaction.
///
/// Each call obeys `Deadline.current`, and the limit of the client when that is earlier. Errors are `PostgresError`, or
/// whatever `Statement.decode` throws. Callable from any task; cheapest on a loop of the client's group.
public protocol StatementExecutor: Sendable {
    /// Runs the statements that `body` lists in one round trip. They succeed or fail together.
    func pipeline<Result>(_ body: (inout Pipeline) throws -> Result) async throws -> Result
}

extension StatementExecutor {
    /// Runs `statement` and returns its rows in server order.
    public func query<S: Statement>(_ statement: S) async throws -> [S.Row] {
        try await pipeline { $0.query(statement) }.get()
    }

    /// Runs `statement` and returns its only row, or nil if there is none; several are an error.
    public func queryOne<S: Statement>(_ statement: S) async throws -> S.Row? {
        try await pipeline { $0.queryOne(statement) }.get()
    }

    /// Runs `statement` and returns the number of rows it affected.
    @discardableResult
    public func execute(_ statement: some Statement) async throws -> Int {
        try await pipeline { $0.execute(statement) }.get()
    }
}

extension StatementExecutor {
    /// Runs `sql`, for tests and tools inside the package; services use `Statement`.
    @discardableResult
    package func query<Row>(
        sql: String, _ parameters: [Parameter] = [], _ decode: (borrowing RowView) throws -> Row
    ) async throws -> [Row] {
        let answer = try await pipeline { $0.raw(sql: sql, parameters) }
        return try answer.get().rows(decode)
    }

    /// Runs `sql`, for tests and tools inside the package; services use `Statement`.
    @discardableResult
    package func execute(sql: String, _ parameters: [Parameter] = []) async throws -> Int {
        let answer = try await pipeline { $0.raw(sql: sql, parameters) }
        return try answer.get().affectedRows
    }
}
