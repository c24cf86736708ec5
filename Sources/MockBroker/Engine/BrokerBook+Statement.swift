package import Domain

/// One trade date of an account.
package struct AccountStatement: Hashable, Sendable {
    /// The sequences of the reports that moved shares or money.
    package let sequences: [Int]
    package let openingCash: Money
    package let closingCash: Money
    package let commissions: Money
    /// Shares at the end of the date, without those that are zero.
    package let shares: [InstrumentID: Quantity]
    package let settlementDate: CivilDate
}

extension BrokerBook {
    /// What happened in `account` on `date`, once that is over.
    package func statement(
        of account: AccountID, on date: CivilDate, at now: UnixTime, _ venue: BookRules
    ) throws(BrokerRefusal) -> AccountStatement {
        guard venue.calendar.isTradeDate(date) else {
            throw .invalidField(path: "trade_date", reason: "TRADE_DATE_INVALID", problem: "is no trading day")
        }
        guard now >= venue.calendar.end(of: date) else { throw .tradeDateNotOver(date) }
        let book = accounts.book(of: account) ?? AccountBook(openingCash: behavior.openingCash)
        let before = book.after { $0.tradeDate < date }
        let after = book.after { $0.tradeDate <= date }
        return AccountStatement(
            sequences: book.entries.filter { $0.tradeDate == date }.map(\.sequence), openingCash: before.balance.cash,
            closingCash: after.balance.cash,
            commissions: Money(
                cents: Int128(after.balance.commissions.minorUnits) - Int128(before.balance.commissions.minorUnits)),
            shares: after.shares.filter { !$0.value.isZero },
            settlementDate: venue.calendar.settlementDate(of: date))
    }
}
