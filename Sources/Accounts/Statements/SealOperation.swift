import Domain
import Postgres

/// Makes sure that a late request with this key never applies. No row: the key has an outcome already.
struct SealOperation: Statement {
    static let sql = String(decoding: PackageResources.seal_operation_sql, as: UTF8.self)
    let key: OperationKey
    var parameters: [Parameter] { [.text(key.text)] }

    static func decode(_ row: borrowing RowView) throws -> String { try row.string(0) }
}
