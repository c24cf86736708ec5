internal import Domain
internal import Postgres

/// How a price lies in a row: thirteen columns in the order of the tables.
extension ExchangePrice {
    static let columnCount = 13

    var parameters: [Parameter] {
        let rate = published.rate
        return [
            .text(buy.currency.code), .int64(buy.minorUnits), .text(sell.currency.code), .int64(sell.minorUnits),
            .text(rate.base.code), .text(rate.quote.code), .int64(rate.mantissa), .int32(Int32(rate.scale)),
            .int64(rate.unit), .text(published.id.text), .date(published.date.epochDay), .int32(spread.rawValue),
            .text(roundingPolicy),
        ]
    }

    /// Reads the columns from `first` on.
    init(_ row: borrowing RowView, from first: Int) throws {
        let rate = try FXRate(
            base: try Self.currency(try row.string(first + 4)), quote: try Self.currency(try row.string(first + 5)),
            mantissa: try row.int64(first + 6), scale: Int(try row.int32(first + 7)), unit: try row.int64(first + 8))
        self.init(
            buy: Money(minorUnits: try row.int64(first + 1), currency: try Self.currency(try row.string(first))),
            sell: Money(minorUnits: try row.int64(first + 3), currency: try Self.currency(try row.string(first + 2))),
            published: PublishedRate(
                rate: rate, id: try RateID(try row.string(first + 9)),
                date: CivilDate(epochDay: try row.date(first + 10))),
            spread: BasisPoints(try row.int32(first + 11)), roundingPolicy: try row.string(first + 12))
    }

    private static func currency(_ code: String) throws(StoredValueUnknown) -> Currency {
        guard let currency = Currency(code: code) else { throw StoredValueUnknown(column: "currency", value: code) }
        return currency
    }
}

/// A row holds a word that this version of the program does not know. Nothing is done with such a row.
struct StoredValueUnknown: Error, Hashable {
    let column: String
    let value: String
}
