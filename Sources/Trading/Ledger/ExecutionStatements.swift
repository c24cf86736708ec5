import Domain
import Postgres

/// Reports that were booked in this transaction.
struct InsertExecutions: Statement {
    static let sql = String(decoding: PackageResources.insert_executions_sql, as: UTF8.self)
    let executions: [StoredExecution]
    let appliedAt: UnixTime
    var parameters: [Parameter] {
        [
            .textArray(executions.map(\.broker.text)), .textArray(executions.map(\.execution.text)),
            .textArray(executions.map(\.order.text)), .int64Array(executions.map(\.ordinal)),
            .textArray(executions.map(\.kind.rawValue)), .textArray(executions.map { $0.reference?.text }),
            .int64Array(executions.map(\.quantity.unscaled)), .int64Array(executions.map(\.price.unscaled)),
            .int64Array(executions.map(\.fee.minorUnits)),
            .int64Array(executions.map { $0.brokerCumQuantity?.unscaled }), .textArray(executions.map(\.tradeDate)),
            .int64Array(executions.map(\.transactTime.nanoseconds)), .int64Array(executions.map(\.receiverSequence)),
            .int64Array(executions.map { _ in appliedAt.nanoseconds }),
        ]
    }
}

/// The booked reports of orders, in the order of booking.
struct ExecutionsOfOrders: Statement {
    static let sql = String(decoding: PackageResources.executions_of_orders_sql, as: UTF8.self)
    let orders: [OrderID]
    var parameters: [Parameter] { [.textArray(orders.map(\.text))] }

    static func decode(_ row: borrowing RowView) throws -> StoredExecution {
        guard let kind = StoredExecution.Kind(rawValue: try row.string(4)) else {
            throw UnreadableRow(what: "execution kind")
        }
        guard let currency = Currency(code: try row.string(14)) else { throw UnreadableRow(what: "currency") }
        return StoredExecution(
            broker: try BrokerID(row.string(0)), execution: try BrokerExecutionID(row.string(1)),
            order: try OrderID(row.string(2)), ordinal: try row.int64(3), kind: kind,
            reference: try row.optionalString(5).map { try BrokerExecutionID($0) },
            quantity: Quantity(unscaled: try row.int64(6)), price: Price(unscaled: try row.int64(7)),
            fee: Money(minorUnits: try row.int64(8), currency: currency),
            brokerCumQuantity: try row.optionalInt64(9).map(Quantity.init(unscaled:)),
            tradeDate: try row.string(10), transactTime: UnixTime(nanoseconds: try row.int64(11)),
            receiverSequence: try row.int64(12))
    }
}
