/// The statements that travel to the server together, gathered inside `StatementExecutor.pipeline`.
public struct Pipeline: ~Copyable {
    private(set) var commands: [Command] = []
    let answers = Answers()

    init() {}

    public mutating func query<S: Statement>(_ statement: S) -> Pending<[S.Row]> {
        append(statement) { result throws in try result.rows(S.decode) }
    }

    public mutating func queryOne<S: Statement>(_ statement: S) -> Pending<S.Row?> {
        append(statement) { result throws in
            guard result.rowCount <= 1 else {
                throw PostgresError(
                    .unexpectedRowCount, "\(result.rowCount) rows where at most one was expected", certainty: .applied)
            }
            return try result.rows(S.decode).first
        }
    }

    @discardableResult
    public mutating func execute(_ statement: some Statement) -> Pending<Int> {
        append(statement) { result throws in result.affectedRows }
    }

    mutating func raw(sql: String, _ parameters: [Parameter]) -> Pending<QueryResult> {
        commands.append(Command(sql: sql, parameters: parameters))
        return Pending(answers, commands.count - 1) { $0 }
    }

    private mutating func append<S: Statement, Value>(
        _ statement: S, _ decode: @escaping (QueryResult) throws -> Value
    ) -> Pending<Value> {
        commands.append(Command(sql: S.sql, parameters: statement.parameters))
        return Pending(answers, commands.count - 1, decode)
    }
}

/// The answer to a statement of a pipeline, there once the pipeline has returned.
public struct Pending<Value> {
    private let answers: Answers
    private let index: Int
    private let decode: (QueryResult) throws -> Value

    init(_ answers: Answers, _ index: Int, _ decode: @escaping (QueryResult) throws -> Value) {
        self.answers = answers
        self.index = index
        self.decode = decode
    }

    /// The decoded answer. Throws what `Statement.decode` throws; traps when the pipeline has not returned yet.
    public func get() throws -> Value {
        guard let results = answers.results else { preconditionFailure("the pipeline has not returned yet") }
        return try decode(results[index])
    }
}

/// The results of a pipeline, shared with its `Pending` values; used by one task.
final class Answers {
    var results: [QueryResult]?
}

/// A statement's text and values.
struct Command: Sendable {
    let sql: String
    let parameters: [Parameter]
}
