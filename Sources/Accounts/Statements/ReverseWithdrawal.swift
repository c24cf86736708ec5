import Domain
import Postgres

/// Gives an applied withdrawal back to its account, which the transaction has locked. No row: it is not APPLIED any more.
struct ReverseWithdrawal: Statement {
    static let sql = String(decoding: PackageResources.reverse_withdrawal_sql, as: UTF8.self)
    let key: OperationKey
    let purpose: String
    var parameters: [Parameter] { [.text(key.text), .text(purpose)] }

    /// The amount in minor units.
    static func decode(_ row: borrowing RowView) throws -> Int64 { try row.int64(0) }
}

/// Gives an applied withdrawal to the internal account suspense, because its account cannot take it. No row: it is
/// not APPLIED any more.
struct ReverseWithdrawalToSuspense: Statement {
    static let sql = String(decoding: PackageResources.reverse_withdrawal_to_suspense_sql, as: UTF8.self)
    let key: OperationKey
    let purpose: String
    var parameters: [Parameter] { [.text(key.text), .text(purpose)] }

    /// The amount in minor units.
    static func decode(_ row: borrowing RowView) throws -> Int64 { try row.int64(0) }
}
