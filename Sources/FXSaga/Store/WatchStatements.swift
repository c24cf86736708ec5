internal import Domain
internal import Limits
internal import Postgres

/// Records exchanges that have not ended in time, once each, and returns those that are new.
struct RaiseOverdueAlerts: Statement {
    static let sql = String(decoding: PackageResources.raise_overdue_alerts_sql, as: UTF8.self)
    var age: Duration
    var limit: Int64
    var parameters: [Parameter] { [.int64(age.wholeMicroseconds), .int64(limit)] }

    static func decode(_ row: borrowing RowView) throws -> (id: String, detail: String) {
        (try row.string(0), try row.string(1))
    }
}

/// How many exchanges have not ended.
struct CountOpen: Statement {
    static let sql = String(decoding: PackageResources.count_open_sql, as: UTF8.self)
    var age: Duration
    var parameters: [Parameter] { [.int64(age.wholeMicroseconds)] }

    struct Row: Hashable {
        let open: Int64
        /// Of these, older than the alert age.
        let overdue: Int64
        /// Of these, waiting for a person.
        let parked: Int64
    }

    static func decode(_ row: borrowing RowView) throws -> Row {
        Row(open: try row.int64(0), overdue: try row.int64(1), parked: try row.int64(2))
    }
}
