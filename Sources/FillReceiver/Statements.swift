internal import Postgres

/// Where a feed stands.
struct OpenFeed: Statement {
    static let sql = String(decoding: PackageResources.feed_open_sql, as: UTF8.self)
    var brokerID: String
    var parameters: [Parameter] { [.text(brokerID)] }
    static func decode(_ row: borrowing RowView) throws -> StorePlan.Feed { try StorePlan.Feed(row, from: 0) }
}

/// The same, with its row locked: one writer at a time numbers a broker's executions.
struct LockFeed: Statement {
    static let sql = String(decoding: PackageResources.feed_lock_sql, as: UTF8.self)
    var brokerID: String
    var parameters: [Parameter] { [.text(brokerID)] }
    static func decode(_ row: borrowing RowView) throws -> StorePlan.Feed { try StorePlan.Feed(row, from: 0) }
}

extension StorePlan.Feed {
    init(_ row: borrowing RowView, from column: Int) throws {
        self.init(
            cursor: try row.string(column), storedSequence: try row.int64(column + 1),
            lastReceiverSequence: try row.int64(column + 2), appliedReceiverSequence: try row.int64(column + 3))
    }
}

struct AdvanceFeed: Statement {
    static let sql = String(decoding: PackageResources.feed_advance_sql, as: UTF8.self)
    var brokerID: String
    var feed: StorePlan.Feed
    var parameters: [Parameter] {
        [.text(brokerID), .text(feed.cursor), .int64(feed.storedSequence), .int64(feed.lastReceiverSequence)]
    }
    static func decode(_ row: borrowing RowView) throws {}
}

/// Trading has applied everything up to this number.
struct RecordApplied: Statement {
    static let sql = String(decoding: PackageResources.feed_applied_sql, as: UTF8.self)
    var brokerID: String
    var receiverSequence: Int64
    var parameters: [Parameter] { [.text(brokerID), .int64(receiverSequence)] }
    static func decode(_ row: borrowing RowView) throws {}
}

struct KnownExecutions: Statement {
    static let sql = String(decoding: PackageResources.known_executions_sql, as: UTF8.self)
    var brokerID: String
    var execIDs: [String]
    var parameters: [Parameter] { [.text(brokerID), .textArray(execIDs)] }
    static func decode(_ row: borrowing RowView) throws -> (execID: String, report: [UInt8]) {
        (try row.string(0), try row.bytes(1))
    }
}

struct InsertExecutions: Statement {
    static let sql = String(decoding: PackageResources.insert_executions_sql, as: UTF8.self)
    var brokerID: String
    var executions: [StorePlan.NewExecution]
    var parameters: [Parameter] {
        [
            .text(brokerID), .textArray(executions.map(\.execID)), .int64Array(executions.map(\.receiverSequence)),
            .int64Array(executions.map(\.feedSequence)), .textArray(executions.map(\.clientOrderID)),
            .bytesArray(executions.map(\.report)), .textArray(executions.map(\.traceparent)),
        ]
    }
    static func decode(_ row: borrowing RowView) throws {}
}

struct CountDuplicates: Statement {
    static let sql = String(decoding: PackageResources.count_duplicates_sql, as: UTF8.self)
    var brokerID: String
    var repeats: [(execID: String, count: StorePlan.Repeats)]
    var parameters: [Parameter] {
        [
            .text(brokerID), .textArray(repeats.map(\.execID)), .int64Array(repeats.map(\.count.duplicates)),
            .int64Array(repeats.map(\.count.conflicts)),
        ]
    }
    static func decode(_ row: borrowing RowView) throws {}
}

struct InsertConflicts: Statement {
    static let sql = String(decoding: PackageResources.insert_conflicts_sql, as: UTF8.self)
    var brokerID: String
    var conflicts: [(conflict: StorePlan.Conflict, hash: [UInt8])]
    var parameters: [Parameter] {
        [
            .text(brokerID), .textArray(conflicts.map(\.conflict.execID)), .bytesArray(conflicts.map(\.hash)),
            .bytesArray(conflicts.map(\.conflict.report)),
        ]
    }
    static func decode(_ row: borrowing RowView) throws {}
}

struct UnappliedExecutions: Statement {
    struct Row {
        let receiverSequence: Int64
        let report: [UInt8]
        let traceparent: String?
    }
    static let sql = String(decoding: PackageResources.unapplied_executions_sql, as: UTF8.self)
    var brokerID: String
    var patience: Duration
    var parameters: [Parameter] {
        let (seconds, attoseconds) = patience.components
        return [.text(brokerID), .double(Double(seconds) + Double(attoseconds) / 1e18)]
    }
    static func decode(_ row: borrowing RowView) throws -> Row {
        Row(receiverSequence: try row.int64(0), report: try row.bytes(1), traceparent: try row.optionalString(2))
    }
}

struct ListStoredExecutions: Statement {
    struct Row {
        let brokerID: String
        let receiverSequence: Int64
        let report: [UInt8]
        /// Microseconds since 1970.
        let receivedAt: Int64
        let duplicates: Int64
        let conflicts: Int64
        let published: Bool
    }
    static let sql = String(decoding: PackageResources.list_executions_sql, as: UTF8.self)
    var after: Int64
    var limit: Int64
    var clientOrderID: String
    var parameters: [Parameter] { [.int64(after), .int64(limit), .text(clientOrderID)] }
    static func decode(_ row: borrowing RowView) throws -> Row {
        Row(
            brokerID: try row.string(0), receiverSequence: try row.int64(1), report: try row.bytes(2),
            receivedAt: try row.timestamp(3), duplicates: try row.int64(4), conflicts: try row.int64(5),
            published: try row.bool(6))
    }
}

struct ListFeeds: Statement {
    struct Row {
        let brokerID: String
        let feed: StorePlan.Feed
        let unpublished: Int64
    }
    static let sql = String(decoding: PackageResources.list_feeds_sql, as: UTF8.self)
    var parameters: [Parameter] { [] }
    static func decode(_ row: borrowing RowView) throws -> Row {
        Row(brokerID: try row.string(0), feed: try StorePlan.Feed(row, from: 1), unpublished: try row.int64(5))
    }
}
