internal import Domain
internal import Postgres

/// The snapshot of one exchange and its count of looks.
struct FindExchange: Statement {
    static let sql = String(decoding: PackageResources.find_exchange_sql, as: UTF8.self)
    var id: ExchangeID
    var parameters: [Parameter] { [.text(id.text)] }

    struct Row: Hashable {
        let snapshot: ExchangeSnapshot
        let checks: Int
    }

    static func decode(_ row: borrowing RowView) throws -> Row {
        Row(snapshot: try ExchangeSnapshot(row), checks: Int(try row.int32(ExchangeSnapshot.columnCount)))
    }
}

/// The log of one exchange, oldest line first.
struct LogOfExchange: Statement {
    static let sql = String(decoding: PackageResources.log_of_exchange_sql, as: UTF8.self)
    var id: ExchangeID
    var parameters: [Parameter] { [.text(id.text)] }

    static func decode(_ row: borrowing RowView) throws -> ExchangeLogLine {
        ExchangeLogLine(
            seq: try row.int32(0), state: try ExchangeState(stored: try row.string(1)), epoch: try row.int64(2),
            reason: try row.optionalString(3).map(ReasonCode.init(rawValue:)), detail: try row.string(4),
            at: try row.timestamp(5))
    }
}

/// A page of exchanges, newest first, after one of them.
struct ListExchanges: Statement {
    static let sql = String(decoding: PackageResources.list_exchanges_sql, as: UTF8.self)
    var after: ExchangePosition
    var limit: Int64
    var parameters: [Parameter] { [.timestamp(after.createdAt), .text(after.id), .int64(limit)] }

    struct Row: Hashable {
        let snapshot: ExchangeSnapshot
        let position: ExchangePosition
        let state: ExchangeState
        let reason: ReasonCode?
    }

    static func decode(_ row: borrowing RowView) throws -> Row {
        let next = ExchangeSnapshot.columnCount + 1
        let snapshot = try ExchangeSnapshot(row)
        return Row(
            snapshot: snapshot,
            position: ExchangePosition(createdAt: try row.timestamp(next), id: snapshot.id.text),
            state: try ExchangeState(stored: try row.string(next + 1)),
            reason: try row.optionalString(next + 2).map(ReasonCode.init(rawValue:)))
    }
}

extension ExchangeSnapshot {
    static let columnCount = 21

    fileprivate init(_ row: borrowing RowView) throws {
        self.init(
            id: try ExchangeID(try row.string(0)), customer: try CustomerID(try row.string(1)),
            source: try AccountID(try row.string(2)), target: try AccountID(try row.string(3)),
            price: try ExchangePrice(row, from: 6), purpose: try row.string(19), traceparent: try row.string(20))
        let stored = (try row.string(4), try row.string(5))
        guard stored == (withdrawKey.text, depositKey.text) else {
            throw StoredValueUnknown(column: "withdraw_key", value: "\(stored)")
        }
    }
}

extension ExchangeState {
    init(stored name: String) throws(StoredValueUnknown) {
        guard let state = ExchangeState(rawValue: name) else { throw StoredValueUnknown(column: "state", value: name) }
        self = state
    }
}
