import Domain
import Postgres

/// An account after a change, in minor units.
struct BalanceAfter: Sendable {
    let balance: Int64
    let held: Int64
    let version: Int64

    /// balance, held, version.
    static func decode(_ row: borrowing RowView) throws -> BalanceAfter {
        BalanceAfter(balance: try row.int64(0), held: try row.int64(1), version: try row.int64(2))
    }
}

extension AccountState {
    mutating func take(_ after: BalanceAfter) throws {
        balance = try Balance(
            balance: Money(minorUnits: after.balance, currency: currency),
            held: Money(minorUnits: after.held, currency: currency))
        version = after.version
    }
}
