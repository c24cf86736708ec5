import Domain
import Postgres

/// What an order looked like right after one of its events.
struct OrderView: Sendable {
    let sequence: Int64
    let id: OrderID
    let customer: CustomerID
    let clientOrder: String
    let account: String
    let symbol: String
    let currency: Currency
    let side: Side
    let type: OrderType
    let timeInForce: TimeInForce
    let quantity: Quantity
    let status: OrderStatus
    let cumQuantity: Quantity
    let averagePrice: Price?
    let attempts: Int
    let holdRemaining: Money?
    let brokerOrder: String
    let exchange: String
    let reason: String
    let reasonText: String
    let version: Int64
    let createdAt: UnixTime
    let updatedAt: UnixTime
}

extension OrderView {
    init(_ row: borrowing RowView) throws {
        sequence = try row.int64(0)
        id = try OrderID(row.string(1))
        version = try row.int64(2)
        guard let status = OrderStatus(rawValue: try row.string(5)),
            let currency = Currency(code: try row.string(19)), let side = Side(rawValue: try row.string(20)),
            let name = OrderType.Name(rawValue: try row.string(21)),
            let timeInForce = TimeInForce(rawValue: try row.string(23))
        else { throw UnreadableRow(what: "update \(sequence)") }
        self.status = status
        self.currency = currency
        self.side = side
        self.timeInForce = timeInForce
        switch (name, try row.optionalInt64(22)) {
        case (.market, _): type = .market
        case (.limit, .some(let price)): type = .limit(Price(unscaled: price))
        case (.limit, nil): throw UnreadableRow(what: "price")
        }
        cumQuantity = Quantity(unscaled: try row.int64(6))
        averagePrice = try row.optionalInt64(7).map(Price.init(unscaled:))
        attempts = Int(try row.int64(8))
        holdRemaining = try row.optionalInt64(9).map { Money(minorUnits: $0, currency: currency) }
        brokerOrder = try row.optionalString(10) ?? ""
        exchange = try row.optionalString(11) ?? ""
        reason = try row.optionalString(12) ?? ""
        reasonText = try row.string(13)
        customer = try CustomerID(row.string(14))
        updatedAt = UnixTime(nanoseconds: try row.int64(15))
        clientOrder = try row.string(16)
        account = try row.string(17)
        symbol = try row.string(18)
        quantity = Quantity(unscaled: try row.int64(24))
        createdAt = UnixTime(nanoseconds: try row.int64(25))
    }
}

/// Changes of all orders after a position, in order; only what nothing can appear before any more.
struct UpdatesAfter: Statement {
    static let sql = String(decoding: PackageResources.updates_after_sql, as: UTF8.self)
    let position: Int64
    let limit: Int
    var parameters: [Parameter] { [.int64(position), .int64(Int64(limit))] }
    static func decode(_ row: borrowing RowView) throws -> OrderView { try OrderView(row) }
}

/// Changes of one customer's orders after a position, up to one that the reader of all changes has reached.
struct UpdatesOfCustomer: Statement {
    static let sql = String(decoding: PackageResources.updates_of_customer_sql, as: UTF8.self)
    let customer: CustomerID
    let after: Int64
    let through: Int64
    let limit: Int
    var parameters: [Parameter] {
        [.text(customer.text), .int64(after), .int64(through), .int64(Int64(limit))]
    }
    static func decode(_ row: borrowing RowView) throws -> OrderView { try OrderView(row) }
}

/// The position before which every change is visible.
struct UpdateHorizon: Statement {
    static let sql = String(decoding: PackageResources.update_horizon_sql, as: UTF8.self)
    var parameters: [Parameter] { [] }
    static func decode(_ row: borrowing RowView) throws -> Int64 { try row.int64(0) }
}
