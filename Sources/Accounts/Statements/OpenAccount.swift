import Domain
import Postgres

/// Opens an account. A unique violation says that it, or its key, exists.
struct OpenAccount: Statement {
    static let sql = String(decoding: PackageResources.open_account_sql, as: UTF8.self)
    let opening: AccountOpening
    let key: OperationKey
    var parameters: [Parameter] {
        [
            .text(opening.account.text), .text(opening.customer.text), .text(opening.balance.currency.code),
            .int64(opening.balance.minorUnits), .text(key.text), .text(opening.bodyHash),
        ]
    }

    /// The account's version.
    static func decode(_ row: borrowing RowView) throws -> Int64 { try row.int64(0) }
}
