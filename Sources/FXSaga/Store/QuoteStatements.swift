internal import Domain
internal import Limits
internal import Postgres

/// Stores a quote and tells when it expires.
struct InsertQuote: Statement {
    static let sql = String(decoding: PackageResources.insert_quote_sql, as: UTF8.self)
    var id: QuoteID
    var price: ExchangePrice
    var lifetime: Duration
    var parameters: [Parameter] { [.text(id.text)] + price.parameters + [.int64(lifetime.wholeMicroseconds)] }

    /// Microseconds since 1970.
    static func decode(_ row: borrowing RowView) throws -> Int64 { try row.timestamp(0) }
}

/// A quote as it is now.
struct FindQuote: Statement {
    static let sql = String(decoding: PackageResources.find_quote_sql, as: UTF8.self)
    var id: QuoteID
    var parameters: [Parameter] { [.text(id.text)] }

    struct Row: Hashable {
        let price: ExchangePrice
        let isExpired: Bool
        let usedBy: String?
    }

    static func decode(_ row: borrowing RowView) throws -> Row {
        let next = ExchangePrice.columnCount
        return Row(
            price: try ExchangePrice(row, from: 0), isExpired: try row.bool(next),
            usedBy: try row.optionalString(next + 1))
    }
}

/// Removes quotes that expired unused some time ago.
struct DeleteExpiredQuotes: Statement {
    static let sql = String(decoding: PackageResources.delete_expired_quotes_sql, as: UTF8.self)
    var age: Duration
    var limit: Int64
    var parameters: [Parameter] { [.int64(age.wholeMicroseconds), .int64(limit)] }
}
