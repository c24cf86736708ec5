internal import Domain
internal import Limits
internal import Postgres

/// What was decided under an id.
struct FindKey: Statement {
    static let sql = String(decoding: PackageResources.find_key_sql, as: UTF8.self)
    var id: ExchangeID
    var parameters: [Parameter] { [.text(id.text)] }

    struct Row: Hashable {
        let bodyHash: String
        /// Nil when the exchange was accepted.
        let refusal: String?
    }

    static func decode(_ row: borrowing RowView) throws -> Row {
        Row(bodyHash: try row.string(0), refusal: try row.optionalString(1))
    }
}

/// Accepts an exchange, all or nothing; affects no row when quote or limit forbid it.
struct AcceptExchange: Statement {
    static let sql = String(decoding: PackageResources.accept_exchange_sql, as: UTF8.self)
    /// The constraint that an id decided on before violates.
    static let keyConstraint = "exchange_key_pkey"

    var snapshot: ExchangeSnapshot
    var bodyHash: String
    var quote: QuoteID?
    /// What counts toward the limit, in the limit's currency.
    var counted: Money
    /// What a customer may exchange on one date in Seoul.
    var dailyLimit: Money
    var owner: String
    var lease: Duration

    var parameters: [Parameter] {
        var parameters: [Parameter] = [
            .text(snapshot.id.text), .text(bodyHash), .text(snapshot.customer.text), .text(snapshot.source.text),
            .text(snapshot.target.text),
        ]
        parameters += snapshot.price.parameters
        parameters += [
            .text(quote?.text), .text(snapshot.purpose), .text(snapshot.traceparent), .text(counted.currency.code),
            .int64(counted.minorUnits), .int64(dailyLimit.minorUnits), .text("accepted"), .text(owner),
            .int64(lease.wholeMicroseconds),
        ]
        return parameters
    }
}

/// Remembers a refusal for ever, unless the id was decided on meanwhile.
struct RefuseExchange: Statement {
    static let sql = String(decoding: PackageResources.refuse_exchange_sql, as: UTF8.self)
    var id: ExchangeID
    var bodyHash: String
    var refusal: String
    var parameters: [Parameter] { [.text(id.text), .text(bodyHash), .text(refusal)] }
}
