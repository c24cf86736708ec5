import Domain
import Postgres

/// Moves money and stores the outcome of its key, if the account still has the expected version; else no row.
struct PostOperation: Statement {
    static let sql = String(decoding: PackageResources.post_operation_sql, as: UTF8.self)
    let movement: Movement
    let shift: BalanceShift
    let expectedVersion: Int64
    var parameters: [Parameter] {
        [
            .text(movement.account.text), .int64(expectedVersion), .int64(shift.amount),
            .text(LedgerAccount.fxLiquidity.text), .text(movement.key.text), .text(movement.kind.rawValue),
            .text(movement.bodyHash), .text(movement.purpose),
        ]
    }

    /// The account's new version.
    static func decode(_ row: borrowing RowView) throws -> Int64 { try row.int64(2) }
}
