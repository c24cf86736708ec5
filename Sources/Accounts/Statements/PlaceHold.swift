import Domain
import Postgres

/// Reserves money for an order, if the account still has the expected version; else no row.
struct PlaceHold: Statement {
    static let sql = String(decoding: PackageResources.place_hold_sql, as: UTF8.self)
    let placement: HoldPlacement
    let expectedVersion: Int64
    var parameters: [Parameter] {
        [
            .text(placement.account.text), .int64(expectedVersion), .int64(placement.amount.minorUnits),
            .text(placement.hold.text), .text(placement.order.text), .text(placement.bodyHash),
        ]
    }

    static func decode(_ row: borrowing RowView) throws -> BalanceAfter { try BalanceAfter.decode(row) }
}
