internal import Domain
internal import Limits
internal import Postgres

// Each of these does nothing when the claim's epoch has passed.

/// Notes when to look again.
struct PutDue: Statement {
    static let sql = String(decoding: PackageResources.put_due_sql, as: UTF8.self)
    var claim: Claim
    var delay: Duration
    var checks: Int
    var detail: String
    var parameters: [Parameter] {
        [
            .text(claim.id.text), .int64(claim.epoch), .int64(delay.wholeMicroseconds), .int32(Int32(clamping: checks)),
            .text(detail),
        ]
    }
}

/// Nothing has to be looked at later.
struct ClearDue: Statement {
    static let sql = String(decoding: PackageResources.clear_due_sql, as: UTF8.self)
    var claim: Claim
    var parameters: [Parameter] { [.text(claim.id.text), .int64(claim.epoch)] }
}

/// Counts the reserved limit as used, or gives it back.
struct SettleLimit: Statement {
    static let sql = String(decoding: PackageResources.settle_limit_sql, as: UTF8.self)
    var claim: Claim
    var outcome: ExchangeStep.Limit
    var parameters: [Parameter] { [.text(claim.id.text), .int64(claim.epoch), .text(outcome.rawValue)] }
}

/// Records what a person has to see, once.
struct RaiseAlert: Statement {
    enum Kind: String {
        case parked = "PARKED"
        case contradiction = "CONTRADICTION"
    }

    static let sql = String(decoding: PackageResources.raise_alert_sql, as: UTF8.self)
    var claim: Claim
    var kind: Kind
    /// The log's line that it is about.
    var seq: Int32
    var detail: String
    var parameters: [Parameter] {
        [.text(claim.id.text), .int64(claim.epoch), .text(kind.rawValue), .int32(seq), .text(detail)]
    }
}

/// Records who gave a parked exchange back to automation.
struct InsertRedrive: Statement {
    static let sql = String(decoding: PackageResources.insert_redrive_sql, as: UTF8.self)
    var claim: Claim
    var redrive: Redrive
    var parameters: [Parameter] {
        [.text(claim.id.text), .int64(claim.epoch), .text(redrive.operatorName), .text(redrive.reason)]
    }
}
