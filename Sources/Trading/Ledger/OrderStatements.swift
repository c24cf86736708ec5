import Domain
import Postgres

/// One order as it is now.
struct OrderByID: Statement {
    static let sql = String(decoding: PackageResources.order_by_id_sql, as: UTF8.self)
    let id: OrderID
    var parameters: [Parameter] { [.text(id.text)] }
    static func decode(_ row: borrowing RowView) throws -> StoredOrder { try StoredOrder(row) }
}

/// The order that a customer placed under this id of theirs.
struct OrderByClientOrderID: Statement {
    static let sql = String(decoding: PackageResources.order_by_client_order_id_sql, as: UTF8.self)
    let customer: CustomerID
    let clientOrder: ClientOrderID
    var parameters: [Parameter] { [.text(customer.text), .text(clientOrder.text)] }
    static func decode(_ row: borrowing RowView) throws -> StoredOrder { try StoredOrder(row) }
}

/// A page of a customer's orders, newest first.
struct OrdersOfCustomer: Statement {
    static let sql = String(decoding: PackageResources.orders_of_customer_sql, as: UTF8.self)
    let customer: CustomerID
    /// Only orders older than this one.
    let before: OrderID?
    let limit: Int
    var parameters: [Parameter] { [.text(customer.text), .text(before?.text), .int64(Int64(limit))] }
    static func decode(_ row: borrowing RowView) throws -> StoredOrder { try StoredOrder(row) }
}

/// Everybody's orders, newest first.
struct OrdersOfAll: Statement {
    static let sql = String(decoding: PackageResources.orders_of_all_sql, as: UTF8.self)
    /// Only orders older than this one.
    let before: OrderID?
    let limit: Int
    var parameters: [Parameter] { [.text(before?.text), .int64(Int64(limit))] }
    static func decode(_ row: borrowing RowView) throws -> StoredOrder { try StoredOrder(row) }
}

/// Orders for a change, locked in one fixed order. Unknown ids are left out.
struct LockOrders: Statement {
    static let sql = String(decoding: PackageResources.lock_orders_sql, as: UTF8.self)
    let ids: [OrderID]
    var parameters: [Parameter] { [.textArray(ids.map(\.text))] }
    static func decode(_ row: borrowing RowView) throws -> StoredOrder { try StoredOrder(row) }
}

/// A new order. Fails with a unique violation of `key` when the customer's id of it is taken.
struct InsertOrder: Statement {
    static let key = "customer_order_client_key"
    static let sql = String(decoding: PackageResources.insert_order_sql, as: UTF8.self)
    let record: LedgerOrder
    var parameters: [Parameter] {
        record.fixedColumns + record.stateColumns + [
            .int64(record.version), .text(record.traceparent), .int64(record.createdAt.nanoseconds),
            .int64(record.updatedAt.nanoseconds),
        ]
    }
}

/// The state of an order over a known version of it; affects no row when the version is another.
struct UpdateOrder: Statement {
    static let sql = String(decoding: PackageResources.update_order_sql, as: UTF8.self)
    let record: LedgerOrder
    let versionBefore: Int64
    var parameters: [Parameter] {
        [.text(record.id.text), .int64(versionBefore)] + record.stateColumns + [
            .int64(record.version), .int64(record.updatedAt.nanoseconds),
        ]
    }
}

/// The events of one transaction.
struct InsertOrderEvents: Statement {
    static let sql = String(decoding: PackageResources.insert_order_events_sql, as: UTF8.self)
    let events: [RecordedEvent]
    var parameters: [Parameter] {
        let after = events.map(\.after)
        return [
            .textArray(after.map(\.id.text)), .int64Array(after.map(\.version)), .textArray(events.map(\.kind)),
            .textArray(events.map(\.detail)), .textArray(after.map(\.order.status.rawValue)),
            .int64Array(after.map(\.order.cumQuantity.unscaled)),
            .int64Array(after.map { $0.order.averagePrice?.unscaled }),
            .int64Array(after.map { Int64($0.order.submission.attempts) }),
            .int64Array(after.map { $0.holdRemaining?.minorUnits }),
            .textArray(after.map { $0.order.submission.brokerOrder?.text }),
            .textArray(after.map { $0.exchange?.id.text }), .textArray(after.map { $0.order.reason?.rawValue }),
            .textArray(after.map(\.reasonText)), .textArray(after.map(\.terms.customer.text)),
            .int64Array(events.map(\.at.nanoseconds)), .int64(0),
        ]
    }
}

/// An order's story, oldest first.
struct EventsOfOrder: Statement {
    struct Line: Sendable {
        let version: Int64
        let kind: String
        let detail: String
        let status: OrderStatus
        let at: UnixTime
    }

    static let sql = String(decoding: PackageResources.events_of_order_sql, as: UTF8.self)
    let order: OrderID
    /// Only if the order is this customer's; nil for operators.
    let customer: CustomerID?
    var parameters: [Parameter] { [.text(order.text), .text(customer?.text)] }

    static func decode(_ row: borrowing RowView) throws -> Line {
        guard let status = OrderStatus(rawValue: try row.string(3)) else { throw UnreadableRow(what: "ord_status") }
        return Line(
            version: try row.int64(0), kind: try row.string(1), detail: try row.string(2), status: status,
            at: UnixTime(nanoseconds: try row.int64(4)))
    }
}
