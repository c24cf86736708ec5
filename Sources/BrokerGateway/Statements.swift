internal import Postgres

/// Keeps other attempts of the same request waiting until the transaction ends.
struct LockRequest: Statement {
    static let sql = String(decoding: PackageResources.lock_request_sql, as: UTF8.self)
    var brokerID: String
    var clientOrderID: String
    var kind: AttemptKind
    var parameters: [Parameter] { [.text(brokerID), .text(clientOrderID), .text(kind.rawValue)] }
    static func decode(_ row: borrowing RowView) throws {}
}

/// Writes an attempt down before it leaves.
struct BeginAttempt: Statement {
    struct Row {
        /// The same order went out before with other content: it must not leave.
        let otherPayload: Bool
        /// False when this attempt number had been written before.
        let first: Bool
    }

    static let sql = String(decoding: PackageResources.begin_attempt_sql, as: UTF8.self)
    var brokerID: String
    var clientOrderID: String
    var kind: AttemptKind
    var attempt: Int32
    var payloadHash: [UInt8]
    var traceparent: String?

    var parameters: [Parameter] {
        [
            .text(brokerID), .text(clientOrderID), .text(kind.rawValue), .int32(attempt), .bytes(payloadHash),
            .text(traceparent),
        ]
    }

    static func decode(_ row: borrowing RowView) throws -> Row {
        Row(otherPayload: try row.bool(0), first: try row.bool(1))
    }
}

/// Writes down how an attempt ended.
struct EndAttempt: Statement {
    static let sql = String(decoding: PackageResources.end_attempt_sql, as: UTF8.self)
    var brokerID: String
    var clientOrderID: String
    var kind: AttemptKind
    var attempt: Int32
    var outcome: String
    var reason: String?

    var parameters: [Parameter] {
        [
            .text(brokerID), .text(clientOrderID), .text(kind.rawValue), .int32(attempt), .text(outcome), .text(reason),
        ]
    }

    static func decode(_ row: borrowing RowView) throws {}
}

/// Which request an attempt carries.
enum AttemptKind: String, Sendable {
    case new = "NEW"
    case cancel = "CANCEL"
}
