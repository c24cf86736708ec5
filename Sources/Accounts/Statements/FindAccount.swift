import Domain
import Postgres

/// One account.
struct FindAccount: Statement {
    static let sql = String(decoding: PackageResources.find_account_sql, as: UTF8.self)
    let account: AccountID
    var parameters: [Parameter] { [.text(account.text)] }

    static func decode(_ row: borrowing RowView) throws -> AccountState? { try AccountState.decode(row, from: 0) }
}

/// One account, locked until the end of the transaction.
struct LockAccount: Statement {
    static let sql = String(decoding: PackageResources.lock_account_sql, as: UTF8.self)
    let account: AccountID
    var parameters: [Parameter] { [.text(account.text)] }

    static func decode(_ row: borrowing RowView) throws -> AccountState? { try AccountState.decode(row, from: 0) }
}

/// The accounts of one customer, by id.
struct ListAccounts: Statement {
    static let sql = String(decoding: PackageResources.list_accounts_sql, as: UTF8.self)
    let customer: CustomerID
    let limit: Int64
    var parameters: [Parameter] { [.text(customer.text), .int64(limit)] }

    static func decode(_ row: borrowing RowView) throws -> AccountState? { try AccountState.decode(row, from: 0) }
}
