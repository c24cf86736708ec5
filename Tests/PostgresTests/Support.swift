import EventLoop
import Postgres
import TestSupport

/// Counts the rows of `table`, to see what remained.
func rowCount(_ executor: some StatementExecutor, _ table: String) async throws -> Int64 {
    try await executor.query(sql: "SELECT count(*) FROM \(table)") { try $0.int64(0) }[0]
}

struct NothingThrown: Error {}

/// The `PostgresError` that `body` throws; any other outcome is an error of its own.
func postgresError<Result>(_ body: () async throws -> Result) async throws -> PostgresError {
    do {
        _ = try await body()
    } catch let error as PostgresError {
        return error
    }
    throw NothingThrown()
}

struct InsertPair: Statement {
    static let sql = "INSERT INTO pair (key, value) VALUES ($1, $2)"
    var key: Int64
    var value: String?
    var parameters: [Parameter] { [.int64(key), .text(value)] }
}

struct ReadPair: Statement {
    static let sql = "SELECT key, value FROM pair WHERE key = $1"
    var key: Int64
    var parameters: [Parameter] { [.int64(key)] }

    static func decode(_ row: borrowing RowView) throws(DecodingFailure) -> Pair {
        Pair(key: try row.int64(0), value: try row.optionalString(1))
    }
}

struct Pair: Equatable {
    var key: Int64
    var value: String?

    static let table = """
        CREATE TABLE pair (key int8 CONSTRAINT pair_key PRIMARY KEY, value text CHECK (length(value) < 2000000));
        """
}
