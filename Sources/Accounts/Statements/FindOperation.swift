import Domain
import Postgres

/// The stored outcome of a key; no row when the key is free.
struct FindOperation: Statement {
    static let sql = String(decoding: PackageResources.find_operation_sql, as: UTF8.self)
    let key: OperationKey
    var parameters: [Parameter] { [.text(key.text)] }

    static func decode(_ row: borrowing RowView) throws -> RecordedOperation? {
        try RecordedOperation.decode(row, from: 0)
    }
}
