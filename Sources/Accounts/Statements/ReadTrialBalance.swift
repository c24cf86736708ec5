import Domain
import Postgres

/// The books of this ledger at one instant, one row for each currency.
struct ReadTrialBalance: Statement {
    static let sql = String(decoding: PackageResources.trial_balance_sql, as: UTF8.self)
    var parameters: [Parameter] { [] }

    struct Row: Sendable, Hashable {
        let currency: String
        let sumOfEntries: Int64
        let accountsOutOfStep: Int64
        let held: Int64
        let holdsOutOfStep: Int64
        let entries: Int64
    }

    static func decode(_ row: borrowing RowView) throws -> Row {
        Row(
            currency: try row.string(0), sumOfEntries: try row.int64(1), accountsOutOfStep: try row.int64(2),
            held: try row.int64(3), holdsOutOfStep: try row.int64(4), entries: try row.int64(5))
    }
}

/// The internal accounts that have lines, each with the sum of its lines.
struct ReadInternalBalances: Statement {
    static let sql = String(decoding: PackageResources.internal_balances_sql, as: UTF8.self)
    var parameters: [Parameter] { [] }

    struct Row: Sendable, Hashable {
        /// For example `internal:fx-liquidity/USD`.
        let account: String
        let currency: String
        let balance: Int64
    }

    static func decode(_ row: borrowing RowView) throws -> Row {
        Row(account: try row.string(0), currency: try row.string(1), balance: try row.int64(2))
    }
}
