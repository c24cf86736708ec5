internal import Domain
internal import Limits
internal import Postgres

/// The right to drive one exchange until somebody else takes it over.
struct Claim: Hashable, Sendable {
    let id: ExchangeID
    /// Every append carries it; a take-over has the next one.
    let epoch: Int64
}

/// Takes one exchange over from whoever has it.
struct ClaimExchange: Statement {
    static let sql = String(decoding: PackageResources.claim_exchange_sql, as: UTF8.self)
    var id: ExchangeID
    var owner: String
    var lease: Duration
    var parameters: [Parameter] { [.text(id.text), .text(owner), .int64(lease.wholeMicroseconds)] }

    static func decode(_ row: borrowing RowView) throws -> Claim {
        Claim(id: try ExchangeID(try row.string(0)), epoch: try row.int64(1))
    }
}

/// Takes over what nobody drives although somebody should.
struct ClaimStopped: Statement {
    static let sql = String(decoding: PackageResources.claim_stopped_sql, as: UTF8.self)
    var owner: String
    var lease: Duration
    var limit: Int64
    var parameters: [Parameter] { [.text(owner), .int64(lease.wholeMicroseconds), .int64(limit)] }

    static func decode(_ row: borrowing RowView) throws -> Claim { try ClaimExchange.decode(row) }
}

/// Ends the leases of an earlier process of the same name.
struct ExpireOwnLeases: Statement {
    static let sql = String(decoding: PackageResources.expire_own_leases_sql, as: UTF8.self)
    var owner: String
    var parameters: [Parameter] { [.text(owner)] }
}

/// Ends leases whose drivers in this process have stopped.
struct GiveBackLeases: Statement {
    static let sql = String(decoding: PackageResources.give_back_leases_sql, as: UTF8.self)
    var owner: String
    var claims: [Claim]
    var parameters: [Parameter] {
        [.text(owner), .textArray(claims.map(\.id.text)), .int64Array(claims.map(\.epoch))]
    }
}

/// Lets go of an exchange.
struct DropLease: Statement {
    static let sql = String(decoding: PackageResources.drop_lease_sql, as: UTF8.self)
    var claim: Claim
    var owner: String
    var parameters: [Parameter] { [.text(claim.id.text), .text(owner), .int64(claim.epoch)] }
}

/// Appends states to a log under an epoch; affects no row when the epoch has passed.
struct AppendStates: Statement {
    static let sql = String(decoding: PackageResources.append_states_sql, as: UTF8.self)
    var claim: Claim
    var owner: String
    /// The last line before these.
    var after: LogPosition
    var states: [ExchangeState]
    var reason: ReasonCode?
    var detail: String
    var lease: ExchangeStep.Lease
    var renewal: Duration

    var parameters: [Parameter] {
        [
            .text(claim.id.text), .text(owner), .int64(claim.epoch), .int32(after.seq), .text(after.state.rawValue),
            .textArray(states.map(\.rawValue)), .text(reason?.rawValue), .text(lease.rawValue),
            .int64(renewal.wholeMicroseconds), .text(detail),
        ]
    }
}
