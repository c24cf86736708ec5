import Domain
import Postgres

/// One hold.
struct FindHold: Statement {
    static let sql = String(decoding: PackageResources.find_hold_sql, as: UTF8.self)
    let hold: HoldID
    var parameters: [Parameter] { [.text(hold.text)] }

    static func decode(_ row: borrowing RowView) throws -> PlacedHold? {
        let currency = try Currency(column: row.string(0))
        return try PlacedHold.decode(row, from: 1, currency)
    }
}
