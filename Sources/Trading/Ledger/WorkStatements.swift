import Domain
import Postgres

/// Work to be done. What was planned under the same key is replaced, and its worker loses it.
struct PutWork: Statement {
    static let sql = String(decoding: PackageResources.put_work_sql, as: UTF8.self)
    let items: [WorkItem]
    var parameters: [Parameter] {
        [
            .textArray(items.map(\.key)), .textArray(items.map(\.kind.lane.rawValue)),
            .textArray(items.map(\.kind.rawValue)), .textArray(items.map(\.order.text)),
            .int64Array(items.map(\.kind.rank)), .int64Array(items.map { Int64($0.attempt) }),
            .int64Array(items.map { $0.amount?.minorUnits }), .textArray(items.map { $0.amount?.currency.code }),
            .textArray(items.map { $0.execution?.text }), .int64Array(items.map(\.dueAt.nanoseconds)),
            .textArray(items.map(\.traceparent)), .textArray(items.map(\.holder)),
        ]
    }
}

/// Work that is done or void.
struct RemoveWork: Statement {
    static let sql = String(decoding: PackageResources.remove_work_sql, as: UTF8.self)
    let keys: [String]
    var parameters: [Parameter] { [.textArray(keys)] }
}

/// Takes due work of a lane.
struct ClaimWork: Statement {
    static let sql = String(decoding: PackageResources.claim_work_sql, as: UTF8.self)
    let lane: WorkItem.Lane
    let now: UnixTime
    /// When others may take the work, should its worker have died.
    let leaseUntil: UnixTime
    let limit: Int
    /// The name of this process.
    let holder: String
    var parameters: [Parameter] {
        [
            .text(lane.rawValue), .int64(now.nanoseconds), .int64(leaseUntil.nanoseconds), .int64(Int64(limit)),
            .text(holder),
        ]
    }

    static func decode(_ row: borrowing RowView) throws -> ClaimedWork {
        guard let kind = WorkItem.Kind(rawValue: try row.string(1)) else { throw UnreadableRow(what: "work kind") }
        let currency = try row.optionalString(5).map { code in
            guard let currency = Currency(code: code) else { throw UnreadableRow(what: "work currency") }
            return currency
        }
        let minorUnits = try row.optionalInt64(4)
        let item = WorkItem(
            key: try row.string(0), kind: kind, order: try OrderID(row.string(2)), attempt: Int(try row.int64(3)),
            amount: currency.flatMap { currency in minorUnits.map { Money(minorUnits: $0, currency: currency) } },
            execution: try row.optionalString(6).map { try ExecutionID($0) },
            dueAt: UnixTime(nanoseconds: try row.int64(7)), traceparent: try row.string(8))
        return ClaimedWork(item: item, failures: Int(try row.int64(9)), claim: try row.int64(10))
    }
}

/// Ends the leases of an earlier process of the same name.
struct EndOwnLeases: Statement {
    static let sql = String(decoding: PackageResources.end_own_leases_sql, as: UTF8.self)
    let holder: String
    let now: UnixTime
    var parameters: [Parameter] { [.text(holder), .int64(now.nanoseconds)] }
}

/// A row when the worker with this number still has the item; it keeps it until the end of the transaction.
struct HoldClaim: Statement {
    static let sql = String(decoding: PackageResources.hold_claim_sql, as: UTF8.self)
    let key: String
    let claim: Int64
    var parameters: [Parameter] { [.text(key), .int64(claim)] }
    static func decode(_ row: borrowing RowView) throws -> Int64 { try row.int64(0) }
}

/// The worker with this number has done the item.
struct FinishWork: Statement {
    static let sql = String(decoding: PackageResources.finish_work_sql, as: UTF8.self)
    let key: String
    let claim: Int64
    var parameters: [Parameter] { [.text(key), .int64(claim)] }
}

/// Tries again later.
struct PostponeWork: Statement {
    static let sql = String(decoding: PackageResources.postpone_work_sql, as: UTF8.self)
    let key: String
    let claim: Int64
    let dueAt: UnixTime
    let isFailure: Bool
    var parameters: [Parameter] {
        [.text(key), .int64(claim), .int64(dueAt.nanoseconds), .int64(isFailure ? 1 : 0)]
    }
}

/// Automation gives the item up; a person decides.
struct ParkWork: Statement {
    static let sql = String(decoding: PackageResources.park_work_sql, as: UTF8.self)
    let key: String
    let claim: Int64
    let reason: String
    var parameters: [Parameter] { [.text(key), .int64(claim), .text(reason)] }
}

/// Work that waits and work that was given up, by lane.
struct WorkCounts: Statement {
    struct Counts: Sendable {
        let lane: WorkItem.Lane
        let waiting: Int64
        let parked: Int64
    }

    static let sql = String(decoding: PackageResources.work_counts_sql, as: UTF8.self)
    var parameters: [Parameter] { [] }
    static func decode(_ row: borrowing RowView) throws -> Counts {
        guard let lane = WorkItem.Lane(rawValue: try row.string(0)) else { throw UnreadableRow(what: "work lane") }
        return Counts(lane: lane, waiting: try row.int64(1), parked: try row.int64(2))
    }
}
