package import Domain

/// Shares and cash of all accounts: the sum of what reports moved, and nothing else.
///
/// Whoever makes a report that moves shares or money books its movement here, once. A bust moves the reverse of the trade
/// that it takes back, a correction the reverse and what is right.
package struct Accounts: Hashable, Sendable {
    private var books: [AccountID: AccountBook] = [:]

    package init() {}

    /// Those that have been used, in order.
    package var used: [AccountID] { books.keys.sorted() }

    /// Nil for an account that was never used.
    package func book(of account: AccountID) -> AccountBook? { books[account] }

    /// Begins an account at its first use.
    mutating func open(_ account: AccountID, cash: Money) {
        if books[account] == nil { books[account] = AccountBook(openingCash: cash) }
    }

    /// Books what the report with this sequence moved in an account that is open.
    mutating func book(_ movement: Movement, of account: AccountID, sequence: Int, tradeDate: CivilDate, at: UnixTime) {
        books[account]?.add(AccountBook.Entry(sequence: sequence, tradeDate: tradeDate, at: at, movement: movement))
    }

    /// All shares, also where all that was bought is sold.
    package var positions: [PositionKey: Quantity] {
        var positions: [PositionKey: Quantity] = [:]
        for (account, book) in books {
            for (symbol, shares) in book.shares { positions[PositionKey(account: account, symbol: symbol)] = shares }
        }
        return positions
    }
}

/// What one report moves in an account.
package struct Movement: Hashable, Sendable {
    package let symbol: InstrumentID
    /// Bought less sold.
    package let shares: Quantity
    /// US cents that were received less those that were paid, without commissions.
    package let cents: Int64
    /// US cents; below zero when they came back.
    package let commissionCents: Int64

    package init(symbol: InstrumentID, shares: Quantity, cents: Int64, commissionCents: Int64) {
        self.symbol = symbol
        self.shares = shares
        self.cents = cents
        self.commissionCents = commissionCents
    }

    /// What a trade moves. Its amount is the exact product, rounded half up to the cent.
    package init(_ side: Side, _ quantity: Quantity, of symbol: InstrumentID, at price: Price, commission: Money) {
        let amount = Int64(clamping: price.cents(of: quantity, .halfUp))
        switch side {
        case .buy: self.init(symbol: symbol, shares: quantity, cents: -amount, commissionCents: commission.minorUnits)
        case .sell:
            self.init(
                symbol: symbol, shares: Quantity(unscaled: -quantity.unscaled), cents: amount,
                commissionCents: commission.minorUnits)
        }
    }

    /// What has to move when this one is right and `wrong` is booked, of the same symbol.
    func less(_ wrong: Movement) -> Movement {
        Movement(
            symbol: symbol, shares: Quantity(unscaled: shares.unscaled - wrong.shares.unscaled),
            cents: cents - wrong.cents, commissionCents: commissionCents - wrong.commissionCents)
    }

    /// What takes this one back.
    package var reversed: Movement {
        Movement(
            symbol: symbol, shares: Quantity(unscaled: -shares.unscaled), cents: -cents,
            commissionCents: -commissionCents)
    }
}

extension Price {
    /// The value of `quantity` in US cents.
    func cents(of quantity: Quantity, _ rule: RoundingRule) -> Int128 {
        // Price and quantity carry 4 + 9 places, cents have 2.
        rule.quotient(Int128(unscaled) * Int128(quantity.unscaled), by: 100_000_000_000)
    }
}

extension Money {
    /// Held at the ends of the range, 92 thousand million million dollars.
    init(cents: Int128) { self.init(minorUnits: Int64(clamping: cents), currency: .usd) }
}
