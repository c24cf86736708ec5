import Domain
import Postgres

/// What a withdrawal or deposit must know to be decided, of one instant.
struct ReadOperation: Statement {
    static let sql = String(decoding: PackageResources.read_operation_sql, as: UTF8.self)
    let key: OperationKey
    let account: AccountID
    var parameters: [Parameter] { [.text(key.text), .text(account.text)] }

    struct Row: Sendable {
        let account: AccountState?
        let operation: RecordedOperation?
    }

    static func decode(_ row: borrowing RowView) throws -> Row {
        Row(
            account: try AccountState.decode(row, from: 0),
            operation: try RecordedOperation.decode(row, from: AccountState.columnCount))
    }
}
