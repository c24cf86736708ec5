import Domain
import Postgres

/// What became of a consumed message.
struct InboxRow: Sendable {
    enum Outcome: String, Sendable {
        case applied = "APPLIED"
        /// The order is not known (yet).
        case parked = "PARKED"
        /// It told nothing new.
        case duplicate = "DUPLICATE"
        /// It cannot be booked; a person looks at it.
        case refused = "REFUSED"
    }

    let broker: String
    let receiverSequence: Int64
    let execution: String
    let clientOrder: String
    let outcome: Outcome
    let detail: String
}

/// The place of a message in the receiver's numbering.
struct ReceiverPosition: Hashable, Sendable {
    let broker: String
    let sequence: Int64
}

/// Which of these messages have not been consumed.
struct NewInboxRows: Statement {
    static let sql = String(decoding: PackageResources.new_inbox_rows_sql, as: UTF8.self)
    let positions: [ReceiverPosition]
    var parameters: [Parameter] {
        [.textArray(positions.map(\.broker)), .int64Array(positions.map(\.sequence))]
    }
    static func decode(_ row: borrowing RowView) throws -> ReceiverPosition {
        ReceiverPosition(broker: try row.string(0), sequence: try row.int64(1))
    }
}

/// Consumed messages; a second consumer of the same message fails here.
struct InsertInbox: Statement {
    static let sql = String(decoding: PackageResources.insert_inbox_sql, as: UTF8.self)
    let rows: [InboxRow]
    let consumedAt: UnixTime
    var parameters: [Parameter] {
        [
            .textArray(rows.map(\.broker)), .int64Array(rows.map(\.receiverSequence)),
            .textArray(rows.map(\.execution)), .textArray(rows.map(\.clientOrder)),
            .textArray(rows.map(\.outcome.rawValue)), .textArray(rows.map(\.detail)),
            .int64Array(rows.map { _ in consumedAt.nanoseconds }),
        ]
    }
}

/// A message that was parked has found its order.
struct SettleInbox: Statement {
    static let sql = String(decoding: PackageResources.settle_inbox_sql, as: UTF8.self)
    let broker: String
    let execution: String
    let outcome: InboxRow.Outcome
    let detail: String
    var parameters: [Parameter] { [.text(broker), .text(execution), .text(outcome.rawValue), .text(detail)] }
}

/// A report of an order that is not known, as it came.
struct ParkedExecution: Hashable, Sendable {
    let broker: String
    let execution: String
    let receiverSequence: Int64
    let clientOrder: String
    /// The encoded `ExecutionStored`.
    let event: [UInt8]
    let traceparent: String
    let parkedAt: UnixTime
}

struct ParkExecution: Statement {
    static let sql = String(decoding: PackageResources.park_execution_sql, as: UTF8.self)
    let parked: ParkedExecution
    var parameters: [Parameter] {
        [
            .text(parked.broker), .text(parked.execution), .int64(parked.receiverSequence), .text(parked.clientOrder),
            .bytes(parked.event), .text(parked.traceparent), .int64(parked.parkedAt.nanoseconds),
        ]
    }
}

/// Parked reports whose order is known by now, oldest first.
struct ParkedWithOrder: Statement {
    static let sql = String(decoding: PackageResources.parked_with_order_sql, as: UTF8.self)
    let limit: Int
    var parameters: [Parameter] { [.int64(Int64(limit))] }
    static func decode(_ row: borrowing RowView) throws -> ParkedExecution {
        ParkedExecution(
            broker: try row.string(0), execution: try row.string(1), receiverSequence: try row.int64(2),
            clientOrder: try row.string(3), event: try row.bytes(4), traceparent: try row.string(5),
            parkedAt: UnixTime(nanoseconds: try row.int64(6)))
    }
}

/// A parked report was applied.
struct UnparkExecution: Statement {
    static let sql = String(decoding: PackageResources.unpark_execution_sql, as: UTF8.self)
    let broker: String
    let execution: String
    var parameters: [Parameter] { [.text(broker), .text(execution)] }
}

/// Parked reports, and when the oldest was parked.
struct ParkedCount: Statement {
    struct Count: Sendable {
        let reports: Int64
        let oldest: UnixTime?
    }

    static let sql = String(decoding: PackageResources.parked_count_sql, as: UTF8.self)
    var parameters: [Parameter] { [] }
    static func decode(_ row: borrowing RowView) throws -> Count {
        Count(reports: try row.int64(0), oldest: try row.optionalInt64(1).map(UnixTime.init(nanoseconds:)))
    }
}

/// Makes sure that a broker has a watermark, and locks it: one transaction at a time advances it.
struct LockWatermark: Statement {
    static let sql = String(decoding: PackageResources.lock_watermark_sql, as: UTF8.self)
    let broker: String
    var parameters: [Parameter] { [.text(broker)] }
    static func decode(_ row: borrowing RowView) throws -> Int64 { try row.int64(0) }
}

/// Moves a broker's watermark to the end of the numbers that follow it without a gap.
struct AdvanceWatermark: Statement {
    static let sql = String(decoding: PackageResources.advance_watermark_sql, as: UTF8.self)
    let broker: String
    /// How many numbers ahead it looks at most.
    let reach: Int
    var parameters: [Parameter] { [.text(broker), .int64(Int64(reach))] }
    static func decode(_ row: borrowing RowView) throws -> Int64 { try row.int64(0) }
}

/// Up to where everything of these brokers has been taken over.
struct Watermarks: Statement {
    static let sql = String(decoding: PackageResources.watermarks_sql, as: UTF8.self)
    let brokers: [String]
    var parameters: [Parameter] { [.textArray(brokers)] }
    static func decode(_ row: borrowing RowView) throws -> ReceiverPosition {
        ReceiverPosition(broker: try row.string(0), sequence: try row.int64(1))
    }
}
