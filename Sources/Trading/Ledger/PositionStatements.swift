import Domain
import Postgres

extension SharePosition {
    init(_ row: borrowing RowView) throws {
        guard let currency = Currency(code: try row.string(6)) else { throw UnreadableRow(what: "currency") }
        let key = PositionKey(account: try AccountID(row.string(0)), instrument: try InstrumentID(row.string(1)))
        self.init(key, customer: try CustomerID(row.string(2)), currency: currency)
        quantity = Quantity(unscaled: try row.int64(3))
        held = Quantity(unscaled: try row.int64(4))
        cost = Money(minorUnits: try row.int64(5), currency: currency)
        version = try row.int64(7)
    }
}

/// The positions that these orders change, locked in one fixed order. What does not exist yet is left out.
struct LockPositionsOfOrders: Statement {
    static let sql = String(decoding: PackageResources.lock_positions_of_orders_sql, as: UTF8.self)
    let orders: [OrderID]
    var parameters: [Parameter] { [.textArray(orders.map(\.text))] }
    static func decode(_ row: borrowing RowView) throws -> SharePosition { try SharePosition(row) }
}

/// A customer's positions.
struct PositionsOfCustomer: Statement {
    static let sql = String(decoding: PackageResources.positions_of_customer_sql, as: UTF8.self)
    let customer: CustomerID
    var parameters: [Parameter] { [.text(customer.text)] }
    static func decode(_ row: borrowing RowView) throws -> SharePosition { try SharePosition(row) }
}

/// Everybody's positions.
struct PositionsOfAll: Statement {
    static let sql = String(decoding: PackageResources.positions_of_all_sql, as: UTF8.self)
    var parameters: [Parameter] { [] }
    static func decode(_ row: borrowing RowView) throws -> SharePosition { try SharePosition(row) }
}

/// A position over the version before it. When another transaction was faster the statement fails, since a row of
/// version 0 is against the table's rules.
struct PutPosition: Statement {
    static let sql = String(decoding: PackageResources.put_position_sql, as: UTF8.self)
    /// As it was read, with the new amounts.
    let position: SharePosition
    let updatedAt: UnixTime
    var parameters: [Parameter] {
        [
            .text(position.key.account.text), .text(position.key.instrument.text), .text(position.customer.text),
            .int64(position.quantity.unscaled), .int64(position.held.unscaled), .int64(position.cost.minorUnits),
            .text(position.cost.currency.code), .int64(position.version + 1), .int64(updatedAt.nanoseconds),
        ]
    }
}
